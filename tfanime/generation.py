"""Draw pictures from a trained model: single ones, sheets and transitions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import numpy as np

from tfanime import images as pictures
from tfanime import latent, upscaling, video
from tfanime.files import read_json, remove_left_over, write_json
from tfanime.labels import LabelSchema, check_tags, to_signed, to_unsigned
from tfanime.notebook import MOST, Pictures

CHUNK = 8  # pictures a network call: always, see _draw
MOST_PICTURES = 1_000_000
MOST_FRAMES = 10_000
MOST_SCALE = 16
MOST_MILLISECONDS = 60_000
METHODS = {"slerp": latent.slerp, "lerp": latent.lerp}
SHEETS = pictures.SHEETS
INDEX = "generated.json"
DEFAULT_SEEDS = (0, 1, 2, 3)

Tags = Mapping[str, object]


@dataclass(frozen=True, eq=False, repr=False)
class Generated(Pictures):
    """Pictures and what they were drawn from. In a notebook they show themselves.

    Args:
        images: `(n, H, W, 3)` uint8.
        latents: `(n, dim)` float32, truncation applied.
        labels: `(n, L)` float32, 0/1 coding; None for a model without labels. Between two key
            pictures of a transition they lie between 0 and 1.
        schema: what the columns of `labels` mean, or None.
        seed, first: the seed and the index of the first picture; None and 0 for a transition.
    """

    images: np.ndarray
    latents: np.ndarray
    labels: np.ndarray | None
    schema: LabelSchema | None
    seed: int | None = None
    first: int = 0

    @property
    def tags(self) -> list[dict[str, object]]:
        """The labels in words, one dictionary a picture."""
        if self.labels is None:
            return [{} for _ in self.images]
        return [self.schema.decode(row) for row in self.labels]

    def __repr__(self) -> str:
        count, height, width = self.images.shape[:3]
        seed = "a transition" if self.seed is None else f"seed {self.seed}, from {self.first}"
        return f"<Generated: {count} pictures of {width}x{height}, {seed}>"

    def __len__(self) -> int:
        return len(self.images)

    def _few(self) -> np.ndarray:
        return self.images[:MOST]

    def save(self, path: str | os.PathLike, columns: int | None = None) -> None:
        """Writes them: a sheet (.png, .jpg, .webp), an animation (.gif, .mp4), or, without an
        ending, a folder with a PNG each.

        Args:
            path: the file or folder.
            columns: of a sheet, pictures a row.
        """
        ending = Path(path).suffix.lower()
        if ending in SHEETS:
            pictures.save_grid(path, self.images, columns)
        elif ending:
            pictures.save_animation(path, self.images)
        else:
            for i, image in enumerate(self.images, self.first):
                seed = "" if self.seed is None else f"seed{self.seed}_"
                pictures.save_image(Path(path) / f"{seed}{i:06d}.png", image)


def generate(
    run: object,
    n: int = 16,
    seed: int = 0,
    tags: Tags | None = None,
    truncation: float = 1.0,
    first: int = 0,
    out: str | os.PathLike | None = None,
    grid: str | os.PathLike | None = None,
    upscale: object = None,
    labels: np.ndarray | None = None,
    progress: bool = False,
    scale: int = 1,
    typical: bool = False,
    vary: float = 0.0,
    vary_seed: int = 0,
    sliders: Mapping[str, float] | None = None,
) -> Generated:
    """Draws pictures.

    Picture i of a seed is the same on every run, whatever `n` and `first` are
    (`docs/seeds.md` specifies the map from seed and index to latents and labels). Do not `fork` the
    process afterwards, TensorFlow's threads are not in the child: use `multiprocessing`'s "spawn".

    Args:
        run: a run folder, the name of a model that ships, `hf://owner/name`, what `tfanime.load`
            returns, or a `tfanime.gans.GAN`, whose averaged generator draws.
        n: how many, 1 to 1,000,000.
        seed: 0 <= seed < 2**53.
        tags: attributes to hold fixed, `{"hair": "blue", "smile": True}`. The others are drawn
            for each picture from the frequencies of the training set.
        truncation: 0 to 2; scales the latents: below 1 typical pictures, above 1 unusual ones. A
            note says when it is below what was found good for the model.
        first: index of the first picture; `first=16` goes on where `n=16` stopped.
        out: a folder for one PNG a picture and `generated.json`, which says the seed, index and
            tags of each.
        grid: a file (.png, .jpg or .webp) for all of them on one sheet.
        upscale: a run folder of an upscaler, or what `tfanime.saved.load_upscaler` returns, to
            enlarge each picture with.
        labels: `(n, L)` float, 0/1 coding: label rows, one a picture, such as those of real
            pictures; NaN where a label is drawn. `tags` go before them.
        progress: show a progress bar.
        scale: 1 to 16; makes pictures so many times as large, after `upscale`, without new detail.
        typical: a truncation below 1 leads to the model's typical latent instead of to zero, where
            many models draw smears (`latent.truncate`).
        vary: 0 to 1; goes this part of the way along the arc from each picture's latents to those
            that the same index of `vary_seed` has.
        vary_seed: 0 <= vary_seed < 2**53.
        sliders: what the network is fed for single label columns, -1 (no) to 1 (yes), whatever
            tags and chance say: `{"blue_hair": 0.3}`.

    Returns:
        `Generated`.

    Raises:
        ValueError: for a number out of range, tags or sliders that the model does not know, or
            `typical` with a model whose typical latent was not measured.

    Example:
        >>> faces = generate("runs/girls", n=4, seed=7, tags={"hair": "blue"})  # doctest: +SKIP
        >>> faces.images.shape  # doctest: +SKIP
        (4, 64, 64, 3)
    """
    seed = latent.check_seed(seed)
    n, first = latent.check_pictures(n, first)
    if n > MOST_PICTURES:
        raise ValueError(
            f"n is at most {MOST_PICTURES:,}. Received: {n:,}. "
            "Draw more in several calls: first= continues the sequence."
        )
    _check_ending(grid, SHEETS, "grid, a sheet of pictures,")
    folder = None if out is None else _PictureFolder(out)
    truncation = latent.check_truncation(truncation)
    _check_scale(scale)
    vary, vary_seed = _check_vary(vary), latent.check_seed(vary_seed)
    generator = _loaded(run)
    columns = _columns(generator.schema, sliders)
    upscaler = None if upscale is None else upscaling.loaded(upscale)
    factor = scale if upscaler is None else scale * upscaler.factor
    centre = _centre(generator, truncation, typical)
    z = latent.truncate(latent.latents(seed, n, generator.latent_dim, first), truncation, centre)
    if vary:
        others = latent.latents(vary_seed, n, generator.latent_dim, first)
        others = latent.truncate(others, truncation, centre)
        z = np.concatenate([latent.slerp(a, b, [vary]) for a, b in zip(z, others, strict=True)])
    labels = _sample_labels(generator, seed, n, tags, first, labels)
    shots = np.empty((n, factor * generator.height, factor * generator.width, 3), np.uint8)
    signed = None if labels is None else to_signed(labels)
    if columns:
        signed[:, list(columns)] = list(columns.values())
        labels = to_unsigned(signed)
    if folder:
        folder.tuned = {"vary": vary, "vary_seed": vary_seed} if vary else {}
        folder.tuned |= {"sliders": dict(sliders)} if columns else {}
    result = Generated(shots, z, labels, generator.schema, seed, first)
    try:
        for start, part in _draw(generator, z, signed, first, progress):
            part = _enlarged(part, upscaler, scale)
            shots[start : start + len(part)] = part
            if folder:
                for i, shot in enumerate(part, start):
                    known = {} if labels is None else generator.schema.decode(labels[i])
                    folder.add(shot, seed, first + i, truncation, known, typical)
    finally:
        if folder:
            folder.write_index()
    if grid is not None:
        pictures.save_grid(grid, shots)
    return result


def interpolate(
    run: object,
    seeds: Sequence[int] | None = None,
    tags: Sequence[Tags] | Tags | None = None,
    frames: int = 24,
    method: str = "slerp",
    truncation: float = 1.0,
    milliseconds: int = 50,
    out: str | os.PathLike | None = None,
    grid: str | os.PathLike | None = None,
    progress: bool = False,
    upscale: object = None,
    scale: int = 1,
    typical: bool = False,
) -> Generated:
    """Draws transitions through key pictures and back to the first, a loop without an end.

    Key picture k is picture 0 of `seeds[k]` with `tags[k]`; an attribute that its tags leave open
    keeps what the seed draws for it. Between keys the latents go along `method` and the labels in
    a straight line in -1/+1 coding.

    Args:
        run: a run folder or a saved model, or what `tfanime.saved.load_generator` returns.
        seeds: one seed a key picture. One seed serves for all tags. Default: 0, 1, 2, 3, or with a
            list of tags: 0.
        tags: one dictionary a key picture, or one for all of them.
        frames: pictures from one key to the next, the next one not counted.
        method: `"slerp"` (the arc between latents; see `latent.slerp`) or `"lerp"`.
        truncation: 0 to 2; scales the latents of the key pictures, as in `generate`.
        milliseconds: how long a frame of the animation stays.
        out: a file for the looping animation: .gif, .png (an animated PNG), .webp or, where ffmpeg
            is, .mp4.
        grid: a file (.png, .jpg or .webp) for a still sheet: a row for each transition, from a
            key picture to the next; the way back to the first is left out.
        progress: show a progress bar.
        upscale, scale: enlarge each picture, as for `generate`.
        typical: as in `generate`.

    Returns:
        `Generated` with `keys * frames` pictures; key k is picture `k * frames`.

    Raises:
        ValueError: for a number out of range, fewer than two key pictures, seeds and tags of
            different counts, or tags that the model does not know.

    Example:
        >>> interpolate("runs/girls", seeds=[1, 2, 3], out="loop.gif")  # doctest: +SKIP
        >>> interpolate("runs/girls", seeds=[5],  # doctest: +SKIP
        ...             tags=[{"hair": "blue"}, {"hair": "red"}], grid="dye.png")
    """
    seeds, tags = key_pictures(seeds, tags)
    if not isinstance(frames, (int, np.integer)) or not 1 <= frames * len(seeds) <= MOST_FRAMES:
        raise ValueError(
            f"frames is a whole number, at least 1, and {MOST_FRAMES:,} at most in all. "
            f"Received: {frames!r} for each of {len(seeds)} transitions."
        )
    if method not in METHODS:
        raise ValueError(f"method is one of: {', '.join(METHODS)}. Received: {method!r}.")
    if not 1 <= milliseconds <= MOST_MILLISECONDS:
        raise ValueError(
            f"milliseconds is a number from 1 to {MOST_MILLISECONDS:,}. Received: {milliseconds!r}."
        )
    _check_ending(out, pictures.ANIMATIONS, "out, an animation,")
    _check_ending(grid, SHEETS, "grid, a sheet of pictures,")
    if out is not None and Path(out).suffix.lower() == video.ENDING:
        video.ffmpeg()
    truncation = latent.check_truncation(truncation)
    _check_scale(scale)
    generator = _loaded(run)
    upscaler = None if upscale is None else upscaling.loaded(upscale)
    centre = _centre(generator, truncation, typical)
    keys = [latent.latents(seed, 1, generator.latent_dim) for seed in seeds]
    keys = [latent.truncate(key, truncation, centre)[0] for key in keys]
    z = _path(keys, METHODS[method], frames)
    signed = None
    ends = [_sample_labels(generator, seed, 1, t, 0) for seed, t in zip(seeds, tags, strict=True)]
    if generator.schema is not None:
        signed = _path([to_signed(row[0]) for row in ends], latent.lerp, frames)
    drawn = (part for _, part in _draw(generator, z, signed, 0, progress))
    shots = np.concatenate([_enlarged(part, upscaler, scale) for part in drawn])
    if out is not None:
        pictures.save_animation(out, shots, int(milliseconds))
    if grid is not None:
        rows = np.arange(len(seeds) - 1)[:, None] * frames + np.arange(frames + 1)
        pictures.save_grid(grid, shots[rows.ravel()], columns=frames + 1)
    labels = None if signed is None else to_unsigned(signed)
    return Generated(shots, z, labels, generator.schema)


# ---- fine tuning ---------------------------------------------------------------------------------


def _check_vary(vary: float) -> float:
    if not isinstance(vary, Real) or not 0 <= vary <= 1:
        raise ValueError(f"vary is a number from 0 to 1. Received: {vary!r}.")
    return float(vary)


def _columns(schema: LabelSchema | None, sliders: Mapping[str, float] | None) -> dict[int, float]:
    """Number of a label column to what it is set to."""
    if not sliders:
        return {}
    known = () if schema is None else schema.columns[: schema.size - schema.vector_size]
    for name, x in sliders.items():
        if name not in known:
            listed = ", ".join(known) or "it has none"
            raise ValueError(
                f"A slider is one of the model's label columns: {listed}. Received: {name!r}."
            )
        if not isinstance(x, Real) or not -1 <= x <= 1:
            raise ValueError(f"The slider {name!r} is a number from -1 to 1. Received: {x!r}.")
    return {known.index(name): float(x) for name, x in sliders.items()}


# ---- drawing -----------------------------------------------------------------------------------


def _loaded(run: object):
    """`run` itself if it is a loaded generator, a GAN's averaged generator, or that of a run."""
    if hasattr(run, "ema_generator"):
        return _drawing(run)
    if hasattr(run, "latent_dim"):
        return run
    if not isinstance(run, (str, os.PathLike)):
        raise ValueError(
            "What draws is a run folder, the name of a model, what tfanime.load returns, or a GAN. "
            f"Received: {type(run).__name__}."
        )
    from tfanime.saved import load_generator

    return load_generator(run)


def _drawing(gan):
    from tfanime.saved import Generator

    model = gan.ema_generator
    if len(model.inputs[0].shape) != 2:
        raise ValueError("A GAN that enlarges draws nothing from noise: call it with pictures.")
    if len(model.inputs) == 2 and gan.schema is None:
        raise ValueError(
            "Labels need names to be drawn with. Received: a GAN made without a schema. Give it "
            "schema=data.schema."
        )
    return Generator(model, gan.schema if len(model.inputs) == 2 else None, "GAN")


def _centre(generator, truncation: float, typical: bool) -> np.ndarray | None:
    """The latent that truncation leads to, None for zero; with a note where that goes too far."""
    measured = getattr(generator, "truncation", None)
    if typical:
        if measured is None or measured.typical is None:
            raise ValueError(
                f"typical needs a model whose typical latent was measured. Received: "
                f"{generator.name!r}. Measure it: tfanime figure truncation RUN --against DATA "
                "--store --out FILE"
            )
        seed, index = measured.typical
        return latent.latents(seed, 1, generator.latent_dim, index)[0]
    if measured is not None and truncation < measured.least:
        print(
            f"Note: {generator.name} draws worse below a truncation of {measured.least:g}, and "
            f"{truncation:g} is asked for: raise it.",
            file=sys.stderr,
        )
    return None


def _sample_labels(generator, seed: int, n: int, tags: Tags | None, first: int, rows=None):
    """`(n, L)` labels in 0/1 coding, or None for a model without labels."""
    check_tags(tags)
    if generator.schema is not None:
        return latent.sample_labels(seed, n, generator.schema, tags, first, rows)
    if tags or rows is not None:
        raise ValueError(
            "Tags and labels need a model that was trained with labels, and this one was not. "
            f"Received: {dict(tags) if tags else 'label rows'}. Leave them out."
        )
    return None


def _draw(
    generator, z: np.ndarray, signed: np.ndarray | None, first: int, progress: bool
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields `(position in z, uint8 pictures)`.

    Kernels round differently for another batch size or another place in the batch. So every call
    has `CHUNK` rows and picture i sits in row i % CHUNK, whatever n and first are: the same
    picture then comes out to the last bit. Free rows repeat a neighbour.
    """
    from tfanime.bars import progress_bar

    n = len(z)
    with progress_bar(total=n, unit="picture", disable=not progress) as bar:
        for start in range(-(first % CHUNK), n, CHUNK):
            low, high = max(start, 0), min(start + CHUNK, n)
            free = ((low - start, start + CHUNK - high), (0, 0))
            batch = [None if x is None else np.pad(x[low:high], free, "edge") for x in (z, signed)]
            drawn = generator(*batch)[low - start : high - start]
            yield low, pictures.to_uint8(drawn)
            bar.update(high - low)


def _enlarged(shots: np.ndarray, upscaler, scale: int) -> np.ndarray:
    """Pictures `(n, H, W, 3)` uint8, enlarged by an upscaler, if there is one, and by `scale`."""
    if upscaler is not None:
        shots = np.stack([upscaling.enlarge(upscaler, shot) for shot in shots])
    return pictures.enlarge(shots, scale)


def _path(keys: list[np.ndarray], step, frames: int) -> np.ndarray:
    """`(len(keys) * frames, dim)`: through all keys and back to just before the first."""
    t = np.arange(frames) / frames
    return np.concatenate([step(a, b, t) for a, b in zip(keys, keys[1:] + keys[:1], strict=True)])


def key_pictures(
    seeds: Sequence[int] | None, tags: Sequence[Tags] | Tags | None
) -> tuple[list[int], list[Tags | None]]:
    """One seed and one set of tags (or None) for each key picture."""
    listed = tags is not None and not isinstance(tags, Mapping)
    tags = list(tags) if listed else [tags]
    if seeds is None:
        seeds = DEFAULT_SEEDS[:1] if listed else DEFAULT_SEEDS
    elif isinstance(seeds, (int, np.integer)):
        seeds = (seeds,)
    seeds = [latent.check_seed(seed) for seed in seeds]
    count = max(len(seeds), len(tags))
    if count < 2 or len(seeds) not in (1, count) or len(tags) not in (1, count):
        raise ValueError(
            "A transition needs at least two seeds or two sets of tags, and as many of one as of "
            f"the other (or a single one). Received: {len(seeds)} seeds and "
            f"{len(tags) if listed else 'no list of'} tags."
        )
    return seeds * (count // len(seeds)), tags * (count // len(tags))


# ---- writing -----------------------------------------------------------------------------------


def _check_scale(scale: int) -> None:
    if not isinstance(scale, (int, np.integer)) or not 1 <= scale <= MOST_SCALE:
        raise ValueError(f"scale is a whole number from 1 to {MOST_SCALE}. Received: {scale!r}.")


def _check_ending(path: str | os.PathLike | None, endings: Sequence[str], what: str) -> None:
    """Refuses a file name before hours of drawing rather than after them."""
    if path is not None and Path(path).suffix.lower() not in endings:
        raise ValueError(f"{what} ends in {', '.join(endings)}. Received: {os.fspath(path)!r}.")


class _PictureFolder:
    """A folder of PNG files, and `generated.json` which says what each of them is.

    Pictures of other seeds that are already there stay, with their entries.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        if self.path.is_file() or self.path.suffix.lower() in SHEETS:
            raise ValueError(
                "out is a folder, one file a picture. "
                f"Received: {os.fspath(path)!r}. For one sheet use grid."
            )
        self.entries: dict[str, dict] = {}
        self.tuned: dict[str, object] = {}  # how all that is added was tuned, if it was
        remove_left_over(self.path)
        index = self.path / INDEX
        if index.exists():
            try:
                self.entries = dict(read_json(index)["pictures"])
            except (TypeError, KeyError, ValueError):
                raise ValueError(
                    f"{INDEX} in the folder out lists its pictures; this one is not readable. "
                    f"Received: {str(index)!r}. Choose another folder, or remove the file."
                ) from None

    def add(
        self,
        image: np.ndarray,
        seed: int,
        index: int,
        truncation: float,
        tags: dict,
        typical: bool = False,
    ) -> None:
        name = f"seed{seed}_{index:06d}.png"
        pictures.save_image(self.path / name, image)
        entry = {"seed": seed, "index": index, "truncation": truncation, "tags": tags}
        self.entries[name] = entry | ({"typical": True} if typical else {})
        self.entries[name] |= self.tuned

    def write_index(self) -> None:
        """Also after an interruption: what is there is then listed."""
        if self.entries:
            write_json(self.path / INDEX, {"pictures": self.entries})
