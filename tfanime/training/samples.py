"""Sheets of pictures that show how a run is doing: same latents, same labels, every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfanime import latent
from tfanime.config import Config
from tfanime.gans import GAN
from tfanime.images import save_grid, to_uint8
from tfanime.labels import to_signed

COUNT = 64
CHUNK = 16  # pictures drawn at once: memory does not depend on the sheet


class SampleSheets:
    """Writes `samples/reals.png`, `samples/step-*.png` and `final.png`.

    Args:
        run: the run folder.
        gan: whose averaged generator draws.
        data: for the sheet of real pictures and the labels' frequencies.
        config: for the seed.
    """

    def __init__(self, run: Path, gan: GAN, data, config: Config):
        self.run, self.gan, self.data = Path(run), gan, data
        self.latents = latent.latents(config.seed, COUNT, gan.latent_dim)
        self.labels = None
        if gan.conditional_generator:
            self.labels = to_signed(latent.sample_labels(config.seed, COUNT, data.schema))

    def start(self, step: int) -> None:
        """The real pictures and, in a new run, what an untrained generator draws."""
        if step == 0:
            chosen = np.linspace(0, len(self.data) - 1, min(COUNT, len(self.data))).astype(int)
            save_grid(self.run / "samples" / "reals.png", self.data.images(chosen))
            self.draw(0)

    def draw(self, step: int) -> None:
        self._save(self.run / "samples" / f"step-{step:07d}.png")

    def draw_final(self) -> None:
        self._save(self.run / "final.png")

    def _save(self, path: Path) -> None:
        drawn = []
        for first in range(0, COUNT, CHUNK):
            rows = slice(first, first + CHUNK)
            inputs = self.latents[rows]
            if self.labels is not None:
                inputs = [inputs, self.labels[rows]]
            drawn.append(np.asarray(self.gan(inputs), np.float32))
        save_grid(path, to_uint8(np.nan_to_num(np.concatenate(drawn))))
