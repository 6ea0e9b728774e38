"""What a folder of faces says is done already, so that the same command continues."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from tfanime.core.files import write_text
from tfanime.prepare.review import Face

JOURNAL, TABLE, REJECT = "journal.jsonl", "crops.csv", "reject.txt"
REJECT_NOTE = """\
# Crops that are no faces, one name a line, with or without .png. review.html helps to find them.
# Run the same command again after editing; this file is never overwritten.
"""


@dataclass(frozen=True)
class Searched:
    """One image that was searched; `problem` says why it could not be."""

    file: str
    sha256: str
    faces: tuple[Face, ...] = ()
    problem: str = ""

    def kept(self) -> list[Face]:
        return [face for face in self.faces if face.state == "kept"]


def begin(out: Path, settings: dict, overwrite: bool) -> dict[str, Searched]:
    """Makes `out` ready; returns what its journal says is done."""
    journal = out / JOURNAL
    if out.exists() and not out.is_dir():
        raise ValueError(f"Faces are written into a folder. Received: {str(out)!r}, a file.")
    searched: dict[str, Searched] = {}
    if journal.is_file():
        before, searched = _read_journal(journal)
        if before != settings:
            changed = ", ".join(
                f"{key} {before.get(key)!r}, now {settings.get(key)!r}"
                for key in sorted({*before, *settings})
                if before.get(key) != settings.get(key)
            )
            if not overwrite:
                raise ValueError(
                    f"A folder of faces has one set of settings. Received: {str(out)!r}, made with "
                    f"others: {changed}. Use overwrite=True (--overwrite), or another folder."
                )
            for name in ("crops", "rejected", "sheets"):
                shutil.rmtree(out / name, ignore_errors=True)
            searched = {}
    elif out.exists() and any(entry.name != REJECT for entry in out.iterdir()):
        raise ValueError(
            f"The folder for faces must be new. Received: {str(out)!r}, which holds something "
            "else. Use another folder."
        )
    for name in ("crops", "rejected"):
        (out / name).mkdir(parents=True, exist_ok=True)
    if not (out / REJECT).exists():
        write_text(out / REJECT, REJECT_NOTE)
    # Anew, so that it neither grows with every run nor keeps a line that was cut by a crash.
    lines = [settings, *(asdict(one) for one in searched.values())]
    write_text(journal, "".join(json.dumps(line) + "\n" for line in lines))
    return searched


def _read_journal(path: Path) -> tuple[dict, dict[str, Searched]]:
    """The settings and the images that are done. A line that a crash cut is not done."""
    settings: dict = {}
    searched = {}
    with open(path, encoding="utf-8", errors="replace") as lines:
        for i, line in enumerate(lines):
            try:
                entry = json.loads(line)
                if i == 0:
                    settings = dict(entry)
                else:
                    faces = tuple(Face(**face) for face in entry.pop("faces"))
                    one = Searched(faces=faces, **entry)
                    searched[one.file] = one
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
    return settings, searched


def all_there(out: Path, one: Searched) -> bool:
    """Whether every crop of an image is in `crops/` or `rejected/`."""

    def there(name: str) -> bool:
        places = (out / place / f"{name}.png" for place in ("crops", "rejected"))
        return any(path.is_file() and path.stat().st_size for path in places)

    return all(there(face.crop) for face in one.kept())
