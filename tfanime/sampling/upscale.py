"""Enlarge images with a trained upscaler: files, folders, arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tfanime import zoo
from tfanime.core.decode import read_image
from tfanime.core.images import check_pictures, save_image, to_float, to_uint8

if TYPE_CHECKING:
    from tfanime.zoo.saved import Generator, Upscaler

TILE = 256
SMALLEST_TILE = 16
NONE = "none"  # in place of an upscaler: images stay as they are
NAMED = 3  # files that an error names


@dataclass(frozen=True)
class _Job:
    """An image to enlarge: what it is called, where it goes, and how to get it."""

    name: str
    target: Path | None
    read: Callable[[], np.ndarray]


def upscale(
    pictures: np.ndarray | str | os.PathLike | Sequence[str | os.PathLike],
    run: object = zoo.UPSCALER,
    *,
    out: str | os.PathLike | None = None,
    tile: int = TILE,
    overwrite: bool = False,
    progress: bool = False,
) -> np.ndarray | list[np.ndarray] | list[Path]:
    """Enlarges images by the factor that the upscaler was trained for.

    Args:
        pictures: `(n, H, W, 3)` uint8; or a file, a folder (its images, and those of the folders
            in it), or a list of files. Transparency is kept, and enlarged with the colours.
        run: a run folder of an upscaler, the name of one that ships with tfanime (the default), or
            what `tfanime.zoo.saved.load_upscaler` returns.
        out: a folder for one PNG per image: of the same name, in the same folders. Images of an
            array are numbered.
        tile: larger images are worked through in squares of so many of their pixels, which
            bounds memory; the result is the same.
        overwrite: replace images that are in `out` already.
        progress: show a progress bar.

    Returns:
        The paths of the files written; without `out` the images, uint8: `(n, factor H,
        factor W, 3)` of an array, else a list of `(factor H, factor W, 3)`, with 4 channels where
        the file has transparent pixels.

    Raises:
        ValueError: when there are no images, when files would be overwritten, or when files
            cannot be read; the others are written first.

    Example:
        >>> upscale("faces/", out="faces2x/")  # doctest: +SKIP
    """
    if tile < SMALLEST_TILE:
        raise ValueError(f"tile is at least {SMALLEST_TILE} pixels. Received: {tile}.")
    out = None if out is None else Path(out)
    jobs = _jobs(pictures, out)
    if out is not None:
        _check_targets(jobs, out, overwrite)
    upscaler = loaded(run)
    results: list = []
    failed: dict[str, str] = {}
    for job, tick in _with_progress(jobs, progress):
        try:
            picture = job.read()
        except ValueError as error:
            failed[job.name] = str(error)
            continue
        larger = enlarge(upscaler, picture, tile, tick)
        if job.target is None:
            results.append(larger)
        else:
            save_image(job.target, larger)
            results.append(job.target)
    if failed:
        raise ValueError(_complaint(failed, len(jobs), out))
    return np.stack(results) if out is None and isinstance(pictures, np.ndarray) else results


def loaded(run: Any) -> Upscaler:
    """`run` itself if it is a loaded upscaler, else the upscaler of that run."""
    if hasattr(run, "factor"):
        return run
    from tfanime.zoo.saved import load_upscaler

    return load_upscaler(run)


def chosen(generator: Generator, upscale: Any) -> Upscaler | None:
    """The loaded upscaler for a generator's images, or None.

    Args:
        generator: a loaded one.
        upscale: an upscaler, its run, or `"none"`; None: the one that the generator names.

    Raises:
        ValueError: when it names one that is not here.
    """
    if isinstance(upscale, str) and upscale == NONE:
        return None
    if upscale is not None:
        return loaded(upscale)
    name = getattr(generator, "upscaler", None)
    if name is None:
        return None
    try:
        return loaded(zoo.path(name))
    except ValueError as error:
        raise ValueError(
            f"{generator.name} shows its images through the upscaler {name!r}, which cannot be "
            f"used ({str(error).rstrip('.')}). Leave it out: upscale='none', --no-upscale."
        ) from error


def enlarge(
    upscaler: Upscaler,
    picture: np.ndarray,
    tile: int = TILE,
    tick: Callable[[float], object] | None = None,
) -> np.ndarray:
    """`(H, W, 3)` uint8 to `(factor H, factor W, 3)` uint8, in memory bounded by the tile.

    One image or tile a call, always: the bits of an image then depend on nothing else.

    Args:
        upscaler: a loaded one.
        picture: `(H, W, 3)` uint8, or `(H, W, 4)` with alpha. The network has never seen alpha and
            would grain it, so Lanczos enlarges that.
        tile: see `upscale`.
        tick: called with the share of the image that each tile is.
    """
    height, width, channels = picture.shape
    factor = upscaler.factor
    result = np.empty((factor * height, factor * width, channels), np.uint8)
    colours = picture
    if channels == 4:
        size, image = (factor * width, factor * height), Image.fromarray(picture)
        result[..., 3] = image.getchannel("A").resize(size, Image.Resampling.LANCZOS)
        colours = np.asarray(_without_hidden(image))
    for rows, columns, part in tiles(upscaler, colours, tile):
        result[rows, columns, :3] = to_uint8(part)
        if tick:
            tick(part.size / (factor * height * factor * width * 3))
    return result


def _without_hidden(picture: Image.Image) -> Image.Image:
    """RGBA to RGB. Pixels that cannot be seen take the colours of those that can be around them:
    whatever colour they had would come out at the edges."""
    colours, alpha = picture.convert("RGB"), picture.getchannel("A")
    if picture.size == (1, 1) or np.asarray(alpha).min() > 0:
        return colours
    half = [(side + 1) // 2 for side in picture.size]
    # Pillow weighs the colours of RGBA by their alpha.
    around = _without_hidden(picture.resize(half, Image.Resampling.BOX))
    around = around.resize(picture.size, Image.Resampling.BILINEAR)
    return Image.composite(colours, around, alpha.point([0] + [255] * 255))


def tiles(
    upscaler: Upscaler, picture: np.ndarray, tile: int
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Yields the enlarged image in parts: rows and columns of the result, and float32 in [-1, 1].

    Each tile is given as much of its surroundings as a pixel can depend on, so that parts fit
    together without seams.
    """
    factor = upscaler.factor
    for rows, given_rows in _spans(picture.shape[0], tile, upscaler.margin):
        for columns, given_columns in _spans(picture.shape[1], tile, upscaler.margin):
            part = upscaler(to_float(picture[None, given_rows, given_columns]))[0]
            inner = [
                slice(factor * (inside.start - around.start), factor * (inside.stop - around.start))
                for inside, around in ((rows, given_rows), (columns, given_columns))
            ]
            outer = [slice(factor * s.start, factor * s.stop) for s in (rows, columns)]
            yield *outer, part[inner[0], inner[1]]


def _spans(side: int, tile: int, margin: int) -> Iterator[tuple[slice, slice]]:
    """Parts of a side, and what has to be looked at for each."""
    for start in range(0, side, tile):
        stop = min(start + tile, side)
        yield slice(start, stop), slice(max(0, start - margin), min(side, stop + margin))


def reduced(
    pictures: np.ndarray, factor: int, share: float = 0.0, seed: int = 0, **faults: float
) -> np.ndarray:
    """Small versions of images, as an upscaler is trained on: to judge one by.

    Args:
        pictures: `(n, H, W, 3)` uint8.
        factor: how many times smaller.
        share: of those that are made worse than that (`gans.degrade`), 0 to 1.
        seed: of how.
        **faults: `wobble` and `sharpened` of `gans.degrade.degrade`.

    Returns:
        `(n, H / factor, W / factor, 3)` uint8.
    """
    from keras import ops

    from tfanime.gans.degrade import degrade
    from tfanime.gans.noise import StepNoise

    real = ops.convert_to_tensor(to_float(check_pictures(pictures)))
    return to_uint8(degrade(real, StepNoise(seed, 0, len(pictures)), factor, share, **faults))


# ---- what is to be done ------------------------------------------------------------------------


def _jobs(
    pictures: np.ndarray | str | os.PathLike | Sequence[str | os.PathLike], out: Path | None
) -> list[_Job]:
    def job(name: str, read: Callable[[], np.ndarray]) -> _Job:
        return _Job(name, None if out is None else (out / name).with_suffix(".png"), read)

    if isinstance(pictures, np.ndarray):
        shots = check_pictures(pictures)
        return [job(f"{i:06d}.png", partial(np.asarray, shot)) for i, shot in enumerate(shots)]
    if isinstance(pictures, (str, os.PathLike)):
        root = Path(pictures)
        files = files_of(root)
        names = [str(file.relative_to(root)) if root.is_dir() else file.name for file in files]
    else:
        files = [Path(file) for file in pictures]
        names = [file.name for file in files]
    if not files:
        raise ValueError(
            "There must be at least one image to enlarge. "
            f"Received: {os.fspath(pictures) if isinstance(pictures, (str, os.PathLike)) else []!r}"
            ", which holds none."
        )
    if out is not None:
        _refuse_sources(files, [(out / name).with_suffix(".png") for name in names])
    return [job(name, partial(_pixels, file)) for name, file in zip(names, files, strict=True)]


def _pixels(file: Path) -> np.ndarray:
    return np.asarray(read_image(file, alpha=True))


def files_of(root: Path) -> list[Path]:
    """The images of a folder in natural order; a file stands for itself."""
    from tfanime.prepare.sources import PICTURE_ENDINGS, natural

    if not root.is_dir():
        return [root]
    files = (file for file in root.rglob("*") if file.suffix.lower() in PICTURE_ENDINGS)
    visible = (f for f in files if f.is_file() and not f.name.startswith("."))
    return sorted(visible, key=lambda file: natural(str(file.relative_to(root))))


def _refuse_sources(files: Sequence[Path], targets: Sequence[Path]) -> None:
    """Enlarged images never take the place of those they are made of."""
    sources = {file.resolve() for file in files}
    hit = [target for target in targets if target.resolve() in sources]
    if hit:
        raise ValueError(
            "out is another folder than that of the images, which would be replaced. "
            f"Received: {str(hit[0])!r}."
        )


def _check_targets(jobs: Sequence[_Job], out: Path, overwrite: bool) -> None:
    if out.is_file() or out.suffix.lower() == ".png":
        raise ValueError(f"out is a folder, one file per image. Received: {str(out)!r}.")
    by_target: dict[Path, str] = {}
    for job in jobs:
        other = by_target.setdefault(job.target, job.name) if job.target else job.name
        if other != job.name:
            raise ValueError(
                f"Enlarged images keep their names and end in .png. Received: {other} and "
                f"{job.name}, which would be one file. Rename one of them."
            )
    if len(by_target) < len(jobs):
        raise ValueError("Each image is given once. Received: files of the same name.")
    there = [target for target in by_target if target.exists()]
    if there and not overwrite:
        raise ValueError(
            f"{len(there)} of {len(jobs)} files exist already, the first {str(there[0])!r}. "
            "Choose another folder, or replace them with overwrite (--overwrite)."
        )


def _with_progress(
    jobs: Sequence[_Job], progress: bool
) -> Iterator[tuple[_Job, Callable[[float], object]]]:
    """Yields each job and what its tiles call; the bar counts images, in parts of one."""
    from tfanime.core.bars import progress_bar

    layout = "{l_bar}{bar}| {n:.1f}/{total} images [{elapsed}<{remaining}, {rate_fmt}]"
    with progress_bar(
        total=len(jobs), unit=" images", bar_format=layout, disable=not progress
    ) as bar:
        for number, job in enumerate(jobs, start=1):
            yield job, bar.update
            bar.update(number - bar.n)


def _complaint(failed: dict[str, str], count: int, out: Path | None) -> str:
    first = "; ".join(f"{name} ({reason})" for name, reason in list(failed.items())[:NAMED])
    more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    rest = "" if out is None or count == len(failed) else f" The others are in {str(out)!r}."
    return f"{len(failed)} of {count} images cannot be read: {first}{more}.{rest}"
