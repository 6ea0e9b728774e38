"""Networks that a later Keras wrote, and this one reads as far as it knows what they say.

Files go from machine to machine, and Python 3.10 has no Keras after 3.12.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

# Options that later versions write into every file, with their defaults, which say nothing. Earlier
# ones refuse whatever they do not know.
OPTIONS = {"quantization_config": None, "input_axes": None, "output_axes": None}
OPTIONS |= {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}
CONFIG, METADATA = "config.json", "metadata.json"  # members of a `.keras` file


def objects(config: object) -> Iterator[dict]:
    """All the objects in a configuration, itself among them."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def drop_options(config: object) -> None:
    """Takes what says nothing out of a configuration."""
    for one in objects(config):
        for name in OPTIONS.keys() & one.keys():
            if one[name] == OPTIONS[name]:
                del one[name]


def load_model(path: str | os.PathLike) -> keras.Model:
    """`keras.saving.load_model`, not compiled, for files of a later Keras too.

    Raises:
        Exception: whatever Keras raises.
    """
    import keras

    try:
        return keras.saving.load_model(path, compile=False)
    except TypeError:  # what an unknown option ends in
        if not zipfile.is_zipfile(path):
            raise
    with TemporaryDirectory() as folder:
        copy = Path(folder) / Path(path).name
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as plain:
            for name in archive.namelist():
                content = archive.read(name)
                if name == CONFIG:
                    config = json.loads(content)
                    drop_options(config)
                    content = json.dumps(config).encode()
                plain.writestr(name, content)
        return keras.saving.load_model(copy, compile=False)


def refusal(path: str | os.PathLike, error: BaseException) -> ValueError | None:
    """One sentence about a `.keras` file that is not read because a later Keras wrote it; None for
    any other."""
    import keras

    if not isinstance(error, TypeError):  # what an unknown option or an unknown layer ends in
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            written = _numbers(json.loads(archive.read(METADATA))["keras_version"])
    except Exception:  # no such member, or none that can be read
        return None
    if written <= _numbers(keras.__version__):
        return None
    version = ".".join(map(str, written))
    return ValueError(
        f"{os.fspath(path)!r} was written by Keras {version} and says what Keras "
        f"{keras.__version__}, which is installed, does not know; install Keras {version} or "
        "later, which needs Python 3.11 or later."
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"[0-9]{1,9}", version)[:3])
