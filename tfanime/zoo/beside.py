"""Networks that stand beside a saved generator's weights, and belong to these weights alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tfanime import zoo
from tfanime.core import bounds
from tfanime.zoo.directions import weights_digest

if TYPE_CHECKING:
    import keras

    from tfanime.zoo.saved import Generator

Network = TypeVar("Network")


def or_note(load: Callable[[Path, Any], Network], generator: Any, note: str) -> Network | None:
    """What `load` returns for a generator's folder, or None, with a note, where it refuses."""
    try:
        return load(generator.folder, generator)
    except ValueError as error:
        print(f"Note: {note}. {error}", file=sys.stderr)
        return None


def load_beside(
    folder: Path, name: str, generator: Generator, outputs: int, harm: str, train: str
) -> tuple[keras.Model, dict[str, Any]]:
    """`NAME.keras` and what `NAME.json` says.

    Args:
        folder: of the saved generator.
        name: `"encoder"` or `"chooser"`.
        generator: what was loaded from there.
        outputs: numbers that the network gives for an image of the generator's size.
        harm: what it does beside other weights than its own.
        train: how to train it.

    Raises:
        ValueError: where there is none, it was trained for other weights, or its files are damaged.
    """
    network, description = folder / f"{name}.keras", folder / f"{name}.json"
    if not network.is_file():
        raise ValueError(
            f"A{'n' * (name[0] in 'aeiou')} {name} stands beside a model's weights, and "
            f"{str(folder)!r} has none. {train}"
        )
    document = bounds.read_object(description) if description.is_file() else {}
    ours = zoo.ships(folder)
    if not ours and document.get("weights") != weights_digest(folder):
        raise ValueError(
            f"{str(network)!r} was trained for other weights than those beside it, {harm}. {train}"
        )
    model = bounds.load_network(network, ours=ours)
    own = [(None, generator.height, generator.width, 3), (None, outputs)]
    shapes = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    if shapes != own:
        raise ValueError(
            f"{str(network)!r} is no {name} of {generator.name!r}: it goes from {shapes[0]} to "
            f"{shapes[-1]}. {train}"
        )
    return model, document
