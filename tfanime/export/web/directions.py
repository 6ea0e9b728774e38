"""The directions that are stored with a generator, as the site has them."""

from __future__ import annotations

import sys

from tfanime.export.web import bundle
from tfanime.zoo.directions import FILE, load_directions
from tfanime.zoo.saved import Generator


def described(generator: Generator) -> list[dict]:
    """What the manifest says of a generator's directions: name, vector, and what a step changes.

    Empty where none were found. Those that were found for other weights are left out, with a note:
    the site draws without them as `generate` does.
    """
    folder = generator.folder
    if folder is None or not (folder / FILE).is_file():
        return []
    try:
        directions = load_directions(folder, generator.latent_dim)
    except ValueError as error:
        print(f"Note: the site gets no directions. {error}", file=sys.stderr)
        return []
    return [
        {
            "name": one.name,
            "vector": bundle.encoded(one.vector),
            "changes": [[column, round(change, 5)] for column, change in one.changes.items()],
        }
        for one in directions.values()
    ]
