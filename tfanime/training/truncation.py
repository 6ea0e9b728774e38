"""`truncate_styles`: a model whose styles are nearer to their mean."""

from __future__ import annotations

import os
from numbers import Real
from pathlib import Path

from tfanime.core.files import atomic_folder, check_new
from tfanime.models.mixing import style_sizes, truncated_styles
from tfanime.sampling.generate import loaded
from tfanime.training.warm_start import save_start
from tfanime.zoo.copies import save_copy
from tfanime.zoo.saved import Generator, load_generator

MOST = 2.0


def truncate_styles(
    run: str | os.PathLike | Generator, truncation: float, out: str | os.PathLike
) -> Generator:
    """Saves a copy of a model whose styles are led towards the mean style of their labels (the
    truncation trick of [Karras et al., 2019](https://arxiv.org/abs/1812.04948), appendix B, with
    a mean for every combination of labels).

    Latents count less by a factor in the mapping network, and fully in the first map. So faces keep
    their shapes, light and shades become more usual, and the copy draws everywhere what it draws
    here: it is a model like any other, and takes the same latents.

    Args:
        run: a run folder, the name of a model that ships, or a loaded generator, with styles.
        truncation: 0 (the mean) to 2; 1 changes nothing.
        out: a new folder. The upscaler, directions and what `tfanime train --from` needs go along;
            chooser and encoder do not.

    Returns:
        The copy, loaded.

    Raises:
        ValueError: for a model without styles, a number out of range, or a folder that exists.

    Example:
        >>> truncate_styles("runs/styled", 0.3, "runs/calm")  # doctest: +SKIP
    """
    number = isinstance(truncation, Real) and not isinstance(truncation, bool)
    if not number or not 0 <= truncation <= MOST:
        raise ValueError(f"truncation is a number from 0 to {MOST:g}. Received: {truncation!r}.")
    check_new(out, "A truncated model", "out")
    generator = loaded(run)
    if not style_sizes(generator.model):
        raise ValueError(
            f"Styles are truncated where there are some. Received: {generator.name!r}, which has "
            "none. Truncate latents: --truncation of `tfanime generate`."
        )
    model = truncated_styles(generator.model, float(truncation))
    with atomic_folder(out) as folder:
        save_copy(folder, model, generator, Path(out).name)
        if generator.folder is not None:
            save_start(generator.folder, folder)
    return load_generator(out)
