"""What a model that was made from another one takes over from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfanime.zoo.directions import carry_directions
from tfanime.zoo.saved import (
    Generator,
    save_generator,
    steered_by,
    store_steering,
    store_upscaler,
)

if TYPE_CHECKING:
    import keras


def save_copy(folder: Path, model: keras.Model, source: Generator, name: str) -> None:
    """Writes a network with the labels, the upscaler, the directions and the history of steering of
    the generator that it was made from. Chooser and encoder belong to that one's weights.

    Args:
        folder: that is there.
        model: the network, of the generator's inputs.
        source: the generator.
        name: of the copy.
    """
    save_generator(folder, model, source.schema, name)
    store_upscaler(folder, source.upscaler)
    if source.folder is not None:
        if followed := steered_by(source.folder):
            store_steering(folder, followed)
        carry_directions(source.folder, folder)
