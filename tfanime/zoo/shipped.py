"""What ships with tfanime, and where it is.

A trained model is a folder under `saved_models/` of the project, which the wheel carries as
`tfanime/_saved_models/`. Each has a MODEL_CARD.md and `figures.json`.
"""

from __future__ import annotations

import os
from pathlib import Path

from tfanime.core.printing import near_miss

DEFAULT = "faces-128"  # what is drawn with when no run is named
POSTERS = "posters"  # what draws a phrase when no run is named
UPSCALER = "upscaler"  # what enlarges when no run is named
HUB = "hf://"  # how the address of a model on the Hugging Face hub begins
PACKAGE = Path(__file__).parents[1]
# A checkout's own folder comes first: it may be newer than what was installed.
PLACES = (PACKAGE.parent / "saved_models", PACKAGE / "_saved_models")


def names() -> list[str]:
    """The models that are there."""
    cards = (card for place in PLACES for card in place.glob("*/MODEL_CARD.md"))
    return sorted({card.parent.name for card in cards})


def path(name: str) -> Path:
    """The folder of a model that ships with tfanime.

    Raises:
        ValueError: for a name that does not ship; the message lists those that do.
    """
    for place in PLACES:
        if (place / name / "MODEL_CARD.md").is_file():
            return place / name
    names_here = ", ".join(names()) or "none"
    raise ValueError(
        f"A model that ships with tfanime is one of: {names_here}. "
        f"Received: {name!r}.{near_miss(name, names())}"
    )


def ships(folder: Path) -> bool:
    """Whether a model's folder, as `path` gives it, came with tfanime."""
    return folder.parent in PLACES


def locate(run: str | os.PathLike) -> Path:
    """The folder of a run: a path, the name of a model that ships, or `hf://owner/name`, which is
    fetched (`tfanime.zoo.hub.fetch` says what it raises).

    A run of that name here comes before the model; anything else of that name, such as a folder of
    images, does not, and is given as `./NAME` or a `Path`.
    """
    if isinstance(run, str) and run.startswith(HUB):
        from tfanime.zoo.hub import fetch

        return fetch(run)
    folder, name = Path(run), os.fspath(run)
    by_name = not is_model(folder) if isinstance(run, str) else not folder.exists()
    return path(name) if by_name and name in names() else folder


def is_model(folder: Path) -> bool:
    """Whether a folder is a run or a saved model: it has a file that only they have."""
    # Not Path.is_file: a word that is too long for a file's name is none, and no error.
    return any(os.path.isfile(folder / name) for name in ("generator.json", "tagger.keras"))
