"""What a dataset is made of: source, licence note, date, and how many passed each filter.

Every stage that makes a folder of data writes `manifest.json` into it; a stage that reads such a
folder keeps the earlier manifest inside its own, so that the last one tells the whole story.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sized
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tfanime.core.files import read_json, write_json
from tfanime.version import __version__

FORMAT = "tfanime dataset"
VERSION = 1
FILE = "manifest.json"
UNKNOWN_LICENCE = "unknown: none was stated, so keep the pictures to yourself"


@dataclass(frozen=True)
class Step:
    """One filter: what went in is `kept` plus all `dropped`.

    Args:
        name: what was looked at, for example `"pictures"`.
        kept: how many passed.
        dropped: reason -> how many it left out.
        of_each: counts something else than the step before, such as the images of each game.
    """

    name: str
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    of_each: bool = False

    @classmethod
    def between(cls, name: str, before: Sized, after: Sized, reason: str) -> Step:
        """A filter with one reason: what of `before` is not in `after`."""
        left_out = len(before) - len(after)
        return cls(name, len(after), {reason: left_out} if left_out else {})

    @property
    def seen(self) -> int:
        return self.kept + sum(self.dropped.values())


@dataclass(frozen=True)
class Manifest:
    """
    Args:
        name: of the dataset, for people.
        source: where it comes from: a site with what was asked of it, or a folder.
        licence: who owns it and what may be done with it, in a sentence.
        steps: filters in the order in which they were passed.
        settings: what the result depends on, JSON-ready.
        date: day of completion, ISO 8601.
        made_by: program and version.
        earlier: manifest of the dataset that this one was made from.

    Raises:
        ValueError: if a filter has seen other than what the one before it kept.
    """

    name: str
    source: str
    licence: str
    steps: tuple[Step, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    date: str = field(default_factory=lambda: date.today().isoformat())
    made_by: str = f"tfanime {__version__}"
    earlier: Manifest | None = None

    def __post_init__(self):
        for before, after in zip(self.steps, self.steps[1:], strict=False):
            if not after.of_each and after.seen != before.kept:
                raise ValueError(
                    f"A filter sees what the one before it kept. Received: {after.name!r} saw "
                    f"{after.seen:,}, and {before.name!r} kept {before.kept:,}."
                )

    @property
    def count(self) -> int:
        return self.steps[-1].kept if self.steps else 0

    def to_json(self) -> dict:
        return {
            "format": FORMAT,
            "version": VERSION,
            **asdict(self),
            "steps": [asdict(step) for step in self.steps],
            "earlier": self.earlier.to_json() if self.earlier else None,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Manifest:
        steps = tuple(
            Step(str(step["name"]), int(step["kept"]), dict(step["dropped"]), bool(step["of_each"]))
            for step in document["steps"]
        )
        texts = {
            key: str(document[key]) for key in ("name", "source", "licence", "date", "made_by")
        }
        earlier = cls.from_json(document["earlier"]) if document.get("earlier") else None
        return cls(steps=steps, settings=dict(document["settings"]), earlier=earlier, **texts)

    def write(self, folder: str | os.PathLike) -> None:
        write_json(Path(folder) / FILE, self.to_json())

    @classmethod
    def read(cls, folder: str | os.PathLike) -> Manifest:
        """
        Raises:
            ValueError: if the folder has no manifest, or a damaged one.
        """
        path = Path(folder) / FILE
        if not path.is_file():
            raise ValueError(
                f"A dataset has a {FILE}. Received: {str(folder)!r}, which has none. "
                "`tfanime collect` and `tfanime prepare` write it."
            )
        try:
            document = read_json(path)
            if document["format"] != FORMAT:
                raise ValueError(f"its format is {document['format']!r}")
            return cls.from_json(document)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(
                f"{FILE} must be as tfanime wrote it. Received: {path}, which is damaged ({error})."
            ) from error

    @classmethod
    def find(cls, *folders: str | os.PathLike) -> Manifest | None:
        """The manifest of the first of these folders that has one; None where none has."""
        folder_with_one = next(
            (folder for folder in folders if (Path(folder) / FILE).is_file()), None
        )
        return None if folder_with_one is None else cls.read(folder_with_one)


# ---- card --------------------------------------------------------------------------------------
