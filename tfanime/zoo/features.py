"""What a discriminator may look through, by the names of `discriminator.features`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tfanime.zoo.shipped import path

RULE = (
    "discriminator.features is 'tagger', a folder written by `tfanime tagger train`, "
    "'lite0' (or 'lite0@2': images enlarged twice), the .keras file of a network from "
    "images in [-1, 1], or a list of these."
)


def enlargement(name: str) -> int | None:
    """How many times `"lite0"` or `"lite0@N"` enlarges images; None for another name."""
    match = re.fullmatch(r"lite0(?:@([1-9]\d*))?", name)
    return int(match[1] or 1) if match else None


def network_file(name: str) -> Path:
    """The file of any other network."""
    place = path(name) if name == "tagger" else Path(name)
    return place if name.endswith(".keras") else place / "tagger.keras"


def check_name(name: object) -> None:
    """Raises ValueError for what is neither `lite0` nor a file that is there."""
    named = isinstance(name, (str, os.PathLike))
    if not named or enlargement(str(name)) is None and not network_file(str(name)).is_file():
        raise ValueError(f"{RULE} Received: {name!r}.")
