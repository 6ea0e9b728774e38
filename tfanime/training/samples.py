"""Sheets of images that show how a run is doing: same latents, same labels, every time.

Those of an upscaler show the same real images, made small and enlarged again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tfanime.core.images import grid, save_grid, save_image, to_float, to_uint8
from tfanime.gans import GAN, SRGAN
from tfanime.recipes.config import Config
from tfanime.sampling.sampler import Sampler
from tfanime.sampling.upscale import reduced
from tfanime.zoo.saved import Generator, Upscaler

COUNT = 64
ACROSS = 8  # images of an upscaler's sheet


class Sheets:
    """Writes `samples/reals.png`, `samples/step-*.png` and `final.png`."""

    def __init__(self, run: Path, data):
        self.run, self.data = Path(run), data

    def start(self, step: int) -> dict[str, Path]:
        """In a new run the real images, and what an untrained generator draws; both files."""
        if step:
            return {}
        reals = self.run / "samples" / "reals.png"
        save_grid(reals, self.data.images(self._spread(COUNT)))
        return {"reals": reals, "samples": self.draw(0)}

    def draw(self, step: int) -> Path:
        return self._saved(self.run / "samples" / f"step-{step:07d}.png")

    def draw_final(self) -> Path:
        return self._saved(self.run / "final.png")

    def _saved(self, path: Path) -> Path:
        self._save(path)
        return path

    def _spread(self, count: int) -> np.ndarray:
        """Indices of as many images, from all over the data."""
        return np.linspace(0, len(self.data) - 1, min(count, len(self.data))).astype(int)


class SampleSheets(Sheets):
    """A generator's: 64 images.

    Args:
        run: the run folder.
        gan: whose averaged generator draws.
        data: for the sheet of real images and the labels' frequencies.
        config: for the seed.
    """

    def __init__(self, run: Path, gan: GAN, data, config: Config):
        super().__init__(run, data)
        schema = data.schema if gan.conditional_generator else None
        self.sampler = Sampler(Generator(gan.ema_generator, schema, config.recipe))
        self.inputs = self.sampler.inputs(config.seed, COUNT)

    def _save(self, path: Path) -> None:
        save_grid(path, self.sampler.decode(*self.inputs))


class UpscaleSheets(Sheets):
    """An upscaler's: eight real images as columns. The first row shows them as they are; the
    next three a clean reduction, its bicubic enlargement and the upscaler's; the last three the
    same of a reduction made worse.

    Args:
        run: the run folder.
        gan: whose averaged generator enlarges.
        data: for the real images.
        config: for the seed.
    """

    def __init__(self, run: Path, gan: SRGAN, data, config: Config):
        super().__init__(run, data)
        self.upscaler = Upscaler(gan.ema_generator, gan.factor, config.recipe)
        self.real = data.images(self._spread(ACROSS))
        self.small = [
            reduced(self.real, gan.factor, share, config.seed, **gan.faults) for share in (0.0, 1.0)
        ]

    def _save(self, path: Path) -> None:
        factor = self.upscaler.factor
        rows = [self.real]
        for small in self.small:
            nearest = small.repeat(factor, axis=1).repeat(factor, axis=2)
            bicubic = np.stack([_bicubic(picture, factor) for picture in small])
            rows += [nearest, bicubic, np.stack([self._enlarged(picture) for picture in small])]
        save_image(path, grid(np.concatenate(rows), columns=len(self.real)))

    def _enlarged(self, picture: np.ndarray) -> np.ndarray:
        return to_uint8(np.nan_to_num(self.upscaler(to_float(picture[None]))[0]))


def _bicubic(picture: np.ndarray, factor: int) -> np.ndarray:
    height, width = picture.shape[:2]
    size = (factor * width, factor * height)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
