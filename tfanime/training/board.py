"""`tensorboard/`: the run's figures and sheets for TensorBoard, which TensorFlow writes."""

from __future__ import annotations

import sys
from pathlib import Path

import keras


class Board:
    """Writes scalars and images.

    Args:
        run: the run folder.
        wanted: False: nothing is written. With another backend than TensorFlow nothing is either,
            and a note says so.
    """

    def __init__(self, run: Path, on: bool):
        self._writer = None
        if on and keras.backend.backend() != "tensorflow":
            print("TensorBoard's files need TensorFlow: none are written.", file=sys.stderr)
        elif on:
            import tensorflow as tf

            self._writer = tf.summary.create_file_writer(str(run / "tensorboard"))

    def add(self, step: int, figures: dict[str, float]) -> None:
        if self._writer:
            import tensorflow as tf

            with self._writer.as_default(step=step):
                for name, value in figures.items():
                    tf.summary.scalar(name, value)

    def show(self, step: int, name: str, picture: Path | None) -> None:
        """An image file under that name; None (it could not be written) shows nothing."""
        if self._writer and picture is not None:
            import numpy as np
            import tensorflow as tf
            from PIL import Image

            with Image.open(picture) as opened:
                pixels = np.asarray(opened.convert("RGB"))
            with self._writer.as_default(step=step):
                tf.summary.image(name, pixels[None])

    def close(self) -> None:
        if self._writer:
            self._writer.close()
