"""Writing files so that a crash at any moment leaves the old file or the new one, never half.

What is being written has a name with the process and the machine in it; what a killed process
left behind is thereby known, and removed later.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from tfanime.core import disk

if TYPE_CHECKING:
    import numpy as np

# What systems leave among images without being asked; nobody means it as an image.
LITTER = (".ds_store", "thumbs.db", "desktop.ini", ".directory", "__macosx", "@eadir")
TEMPORARY = re.compile(r"\..+~(?P<process>\d+)~(?P<machine>[^~]*)~\w{8}(\.[^~]*)?")


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it takes the place of `path`.

    The temporary name keeps the ending of `path`, since many writers choose their format by it.

    Raises:
        DiskError: when the disk is full, read-only or broken.
    """
    path = Path(path)
    with disk.checked(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(path.suffix, temporary_prefix(path.stem), path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            _sync(temporary)
            # mkstemp makes files only their owner may read.
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
            _sync(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary folder; on success it becomes `path`, which must not exist before.

    Raises:
        ValueError: for the current folder.
        DiskError: when the disk is full, read-only or broken.
    """
    path = Path(path)
    check_not_current(path)
    with disk.checked(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_left_over(path.parent, path.name)
        temporary = Path(tempfile.mkdtemp(prefix=temporary_prefix(path.name), dir=path.parent))
        try:
            yield temporary
            for file in temporary.rglob("*"):
                _sync(file)
            temporary.chmod(0o777 & ~_umask())
            temporary.rename(path)
            _sync(path.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def check_new(path: str | os.PathLike, what: str, option: str) -> None:
    """Refuses a folder that cannot be made, before the work whose result it is for.

    Args:
        path: of the folder.
        what: the result, such as `"A tuned model"`.
        option: that names the folder, in Python; on the command line it has two dashes before it.
    """
    there = next(p for p in (Path(path), *Path(path).absolute().parents) if p.exists())
    if there == Path(path) or not there.is_dir():
        raise ValueError(
            f"{what} gets a new folder. Received: {os.fspath(path)!r}, and {os.fspath(there)!r} is "
            f"there. Name another: {option}= (--{option})."
        )


def temporary_prefix(name: str) -> str:
    """How the temporary file or folder of this process for `name` begins."""
    return f".{name}~{os.getpid()}~{_machine()}~"


def left_over(folder: str | os.PathLike, name: str | None = None) -> list[Path]:
    """What processes of this machine that are no more have left half-written in a folder.

    Args:
        folder: where.
        name: of what was to be written, without its ending for a file. Default: anything.
    """
    beginning = ".*" if name is None else f".{glob.escape(name)}~*"
    return [path for path in Path(folder).glob(beginning) if _is_left_over(path.name)]


def remove_left_over(folder: str | os.PathLike, name: str | None = None) -> None:
    """Removes what `left_over` finds."""
    for path in left_over(folder, name):
        remove(path)


def remove(path: Path) -> None:
    """Removes a file or a folder; one that cannot be removed stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _is_left_over(name: str) -> bool:
    match = TEMPORARY.fullmatch(name)
    return (
        match is not None
        and match["machine"] == _machine()
        and not _is_running(int(match["process"]))
    )


def _machine() -> str:
    """Containers that share a folder have names of their own, and numbers of processes too."""
    return re.sub(r"[^\w.]", "-", platform.node())[:32]


def _is_running(process: int) -> bool:
    if os.name == "nt":
        return True  # os.kill would end it there
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True


def write_text(path: str | os.PathLike, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_not_current(folder: Path) -> None:
    """Raises ValueError for a folder that cannot be put in place as a whole: the one that the
    process is in, or one above it."""
    here = Path.cwd()
    if folder.resolve() in (here, *here.parents):
        raise ValueError(
            "A folder that is written as a whole can be neither the current one nor one above it. "
            f"Received: {os.fspath(folder)!r}, in {os.fspath(here)!r}. Name another folder."
        )


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Readable, stable JSON: sorted keys, two spaces, a final newline."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: str | os.PathLike) -> Any:
    """The value of a JSON file.

    Raises:
        ValueError: for a file that is none; the message names it.
    """
    try:
        return json.loads(Path(path).read_bytes().decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)!r} is damaged: it is no JSON ({error}).") from None


def is_address(source: object) -> TypeGuard[str]:
    """Whether this is an address in object storage, `SCHEME://...`, and no path."""
    return isinstance(source, str) and "://" in source


def is_litter(name: str) -> bool:
    """`name` is a path; macOS puts `._NAME` beside NAME where it cannot store its notes."""
    return any(part.lower() in LITTER or part.startswith("._") for part in re.split(r"[/\\]", name))


def sha256(path: str | os.PathLike) -> str:
    """Of a file's bytes, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def save_array(path: str | os.PathLike, array: np.ndarray) -> None:
    """Writes a `.npy`. Unlike `np.save` it says why the disk refuses (numpy#5336)."""
    import numpy as np  # not above: a wheel is built where there is none

    with open(path, "wb") as file:
        np.lib.format.write_array(_Written(file), np.asanyarray(array), allow_pickle=False)


def save_arrays(
    path: str | os.PathLike, arrays: Mapping[str, np.ndarray], compressed: bool = False
) -> None:
    """Writes a `.npz`. Unlike `np.savez` it leaves no open archive behind when the disk refuses."""
    import numpy as np

    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


class _Written:
    """A file that NumPy does not take for one, so that it writes by Python's means."""

    def __init__(self, file):
        self.write = file.write


def sound(value: Any) -> Any:
    """`value`, as JSON gives it, with U+FFFD for every lone half of a surrogate pair: JSON can
    name them, but no file can hold them and no library draw them."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [sound(item) for item in value]
    if isinstance(value, dict):
        return {sound(key): sound(item) for key, item in value.items()}
    return value


def json_lines(text: str) -> list[Any]:
    """The values of JSON lines, `sound`. Only a newline ends a line: in a title, U+2028 may stand.

    Raises:
        json.JSONDecodeError: for a line that is none.
    """
    return [sound(json.loads(line)) for line in text.split("\n") if line.strip()]


def write_csv(path: str | os.PathLike, rows: Iterable[Sequence[object]]) -> None:
    """A CSV that no spreadsheet takes for formulas: texts that begin like one get a leading `'`."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([_plain_cell(cell) for cell in row] for row in rows)


def _plain_cell(cell: object) -> object:
    formula = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if formula else cell


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
