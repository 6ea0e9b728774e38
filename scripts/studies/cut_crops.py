"""Cuts square windows out of images, to train an upscaler with: steps on whole ones are dear.

    python scripts/studies/cut_crops.py PICTURES --size 128 --each 5 --hold-out 300 \\
        --out crops/

PICTURES is a folder. Each image gives --each windows at random places, written without loss to
OUT/train; windows of almost one colour, such as white paper, are drawn anew. Of --hold-out images
no window is cut: OUT/held_out has links to them, to judge by. Images that are as small as a
window are taken whole, once.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime.core.decode import read_image
from tfanime.core.images import save_image
from tfanime.sampling.upscale import files_of

PLAIN = 0.15  # of a window's range of colours: the least standard deviation that shows something
TRIES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--size", type=int, default=128, help="side of a window, in pixels")
    parser.add_argument("--each", type=int, default=5, help="windows of an image")
    parser.add_argument("--hold-out", type=int, default=0, help="images")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    files = files_of(options.pictures)
    random = np.random.default_rng(options.seed)
    held_out = set(random.permutation(len(files))[: options.hold_out].tolist())
    for i, file in enumerate(files):
        picture = read_image(file).convert("RGB")
        if i in held_out:
            save_image(options.out / "held_out" / f"{file.stem}.png", np.asarray(picture))
            continue
        for k, window in enumerate(
            windows(np.asarray(picture), options.size, options.each, random)
        ):
            save_image(options.out / "train" / f"{file.stem}_{k}.png", window)


def windows(picture: np.ndarray, size: int, count: int, random) -> list[np.ndarray]:
    """Squares out of `(H, W, 3)` uint8, `(size, size, 3)` each; one of an image that is no larger.

    Args:
        random: a `numpy.random.Generator`.
    """
    height, width = picture.shape[:2]
    if min(height, width) <= size:
        small = Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS)
        return [np.asarray(small)]
    found = []
    for _ in range(count):
        for _ in range(TRIES):
            top, left = random.integers(0, height - size + 1), random.integers(0, width - size + 1)
            window = picture[top : top + size, left : left + size]
            if window.std() > PLAIN * 127.5:
                break
        found.append(window)
    return found


if __name__ == "__main__":
    main()
