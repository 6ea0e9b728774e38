"""From a seed and an image's index to its latent vector and its sampled labels.

Random numbers come from Threefry-2x32-20, a counter-based generator: number j of image i is a
pure function of (seed, i, j), so an image never depends on how many others are drawn, and the
map can be written again in a few lines of JavaScript or TensorFlow. The documentation (Seeds)
specifies it and lists known values; every constant below is part of that specification and must
not change.

Reference: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np

from tfanime.core.labels import LabelSchema

SEEDS = 2**53  # every seed is also an exact JavaScript number
PICTURES = 2**32  # images of one seed: the index is one counter word
LATENTS, LABELS = 0, 0x80000000  # first block of each stream of an image
DIMENSIONS = 2**31  # far from the labels' blocks
MAX_TRUNCATION = 2.0

ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
PARITY = 0x1BD11BDA
WORD = 0xFFFFFFFF


# ---- random numbers ----------------------------------------------------------------------------


def threefry(key: tuple[int, int], x0: np.ndarray, x1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Threefry-2x32 with 20 rounds.

    Args:
        key: two 32-bit words.
        x0, x1: the counter's two words, uint32 arrays of one shape.

    Returns:
        Two uint32 arrays of that shape, at least one-dimensional.
    """
    words = (key[0], key[1], PARITY ^ key[0] ^ key[1])
    # Arrays wrap around silently, as wanted; NumPy scalars would warn.
    x0 = np.atleast_1d(np.asarray(x0, np.uint32)) + np.uint32(words[0])
    x1 = np.atleast_1d(np.asarray(x1, np.uint32)) + np.uint32(words[1])
    for turn in range(20):
        rotation = ROTATIONS[turn % 8]
        x0 = x0 + x1
        x1 = (x1 << np.uint32(rotation) | x1 >> np.uint32(32 - rotation)) ^ x0
        if turn % 4 == 3:
            s = turn // 4 + 1
            x0 = x0 + np.uint32(words[s % 3])
            x1 = x1 + np.uint32((words[(s + 1) % 3] + s) & WORD)
    return x0, x1


def uniforms(seed: int, n: int, k: int, first: int = 0, stream: int = LATENTS) -> np.ndarray:
    """`k` uniform numbers for each of `n` images.

    Args:
        seed: 0 <= seed < 2**53.
        n: number of images, >= 1.
        k: numbers an image, >= 1.
        first: index of the first image.
        stream: `LATENTS` or `LABELS`.

    Returns:
        `(n, k)` float64, odd multiples of 2**-25 strictly between 0 and 1. They need 25 bits, so
        float32 cannot hold them.

    Raises:
        ValueError: for numbers outside these ranges.
    """
    seed = check_seed(seed)
    n, first = check_pictures(n, first)
    k = _whole("the number of random numbers per image", k, 1, DIMENSIONS)
    blocks = np.arange((k + 1) // 2, dtype=np.uint32) + np.uint32(stream)
    pictures = np.arange(first, first + n, dtype=np.int64).astype(np.uint32)
    x0, x1 = np.broadcast_arrays(blocks[None, :], pictures[:, None])
    pairs = np.stack(threefry((seed & WORD, seed >> 32), x0, x1), axis=-1)
    return ((pairs >> np.uint32(8)) + 0.5).reshape(n, -1)[:, :k] * 2.0**-24


def latents(seed: int, n: int, dim: int, first: int = 0) -> np.ndarray:
    """Latent vectors: independent standard normal numbers by Box and Muller's transform.

    Args:
        seed: 0 <= seed < 2**53.
        n: number of images, >= 1.
        dim: length of a latent vector, >= 1.
        first: index of the first image; image i is the same whatever `n` and `first` are.

    Returns:
        `(n, dim)` float32, |z| < 5.9.

    Example:
        >>> latents(seed=7, n=2, dim=3)[1].tolist() == latents(7, 1, 3, first=1)[0].tolist()
        True
    """
    dim = _whole("the length of a latent vector", dim, 1, DIMENSIONS)
    pairs = uniforms(seed, n, dim + dim % 2, first).reshape(n, -1, 2)
    radius = np.sqrt(-2.0 * np.log(pairs[..., 0]))
    angle = 2.0 * np.pi * pairs[..., 1]
    normals = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1)
    return normals.reshape(n, -1)[:, :dim].astype(np.float32)


def sample_labels(
    seed: int,
    n: int,
    schema: LabelSchema,
    tags: Mapping[str, object] | None = None,
    first: int = 0,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Labels: what `tags` and `rows` say, and the rest drawn from the schema's prior.

    Field f of an image always uses number f of the image's label stream, so that choosing one
    attribute leaves the others as they were.

    Args:
        tags: attributes of all images; they go before `rows`.
        rows: `(n, schema.size)`, 0/1 coding: the labels of each image, NaN where they are drawn.

    Returns:
        `(n, schema.size)` float32, 0/1 coding, no NaN.

    Raises:
        ValueError: for an unknown attribute or value; the message lists the known ones. For rows
            of another shape.
    """
    fixed = schema.encode(tags or {})
    if rows is not None:
        rows = np.asarray(rows, np.float32)
        if rows.shape != (n, schema.size):
            raise ValueError(
                f"Label rows are one for each image, {(n, schema.size)}: {schema.size} columns. "
                f"Received: {rows.shape}."
            )
        fixed = np.where(np.isnan(fixed), rows, fixed)
    return schema.sample(uniforms(seed, n, len(schema.fields), first, LABELS), given=fixed)


def seed_of(text: str) -> int:
    """The seed of a text, such as a name: the same on every machine, and in browsers.

    Args:
        text: normalised by NFKC; spaces and line ends around it do not count, capitals do.

    Returns:
        0 <= seed < 2**53.

    Raises:
        ValueError: for what is no text, or says nothing.

    Example:
        >>> seed_of("Ada")
        2418186336946463
    """
    plain = unicodedata.normalize("NFKC", text).strip(" \t\r\n") if isinstance(text, str) else ""
    try:
        data = plain.encode()
    except UnicodeEncodeError:
        data = b""
    if not data:
        raise ValueError(f"A name is text of one sign or more. Received: {text!r}.")
    data += b"\x80"
    data += bytes(-len(data) % 8)
    low = high = 0
    for block in np.frombuffer(data, "<u4").reshape(-1, 2):
        x0, x1 = threefry((low, high), block[0], block[1])
        low, high = int(x0[0] ^ block[0]), int(x1[0] ^ block[1])
    return high % 2**21 << 32 | low


# ---- moving through latent space ---------------------------------------------------------------


def truncate(z: np.ndarray, truncation: float, typical: np.ndarray | None = None) -> np.ndarray:
    """Brings latents nearer together: below 1 typical images, above 1 unusual ones.

    Scaling brings them towards zero, their mean. No latent that a generator learnt from is that
    short: their lengths are near sqrt(dim), so what it draws there was never judged. Towards a
    latent of such a length, on the arc of `slerp`, all of the way is where it has learnt.

    Args:
        z: `(..., dim)` float32; with `typical` `(n, dim)`.
        truncation: 0 to 2.
        typical: `(dim,)` float32: a latent of a good image, where 0 leads and 1 leads from. None:
            they are scaled; they are above 1 in any case.
    """
    scale = check_truncation(truncation)
    if typical is None or scale >= 1:
        return z * np.float32(scale)
    return np.concatenate([slerp(typical, row, np.array([scale])) for row in z])


def lerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The straight line from `a` to `b`.

    Args:
        a, b: `(dim,)`.
        t: `(k,)`, 0 at `a` and 1 at `b`.

    Returns:
        `(k, dim)` float32.
    """
    a, b, t = (np.asarray(x, np.float64) for x in (a, b, t))
    return ((1 - t)[:, None] * a + t[:, None] * b).astype(np.float32)


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray | Sequence[float]) -> np.ndarray:
    """The arc from `a` to `b`: direction by Shoemake's formula, length by a straight line.

    Latents are not normalised: a normal vector of dimension d has a length near sqrt(d) and the
    generator has learnt no others, so the length goes from |a| to |b| instead of dipping in
    between as it does in `lerp`. Where no arc is defined, because the vectors are parallel,
    opposite or zero, the result is `lerp`'s.

    Args:
        a, b: `(dim,)`.
        t: `(k,)`, 0 at `a` and 1 at `b`.

    Returns:
        `(k, dim)` float32.

    Reference: Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985,
    https://doi.org/10.1145/325334.325242
    """
    a, b, t = (np.asarray(x, np.float64) for x in (a, b, t))
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if min(lengths) == 0:
        return lerp(a, b, t)
    to_a, to_b = a / lengths[0], b / lengths[1]
    # Kahan's form of the angle: arccos loses half the digits near 0 and pi.
    angle = 2 * np.arctan2(np.linalg.norm(to_a - to_b), np.linalg.norm(to_a + to_b))
    if np.sin(angle) < 1e-6:
        return lerp(a, b, t)
    arc = np.sin((1 - t) * angle)[:, None] * to_a + np.sin(t * angle)[:, None] * to_b
    length = (1 - t) * lengths[0] + t * lengths[1]
    return (length[:, None] * arc / np.sin(angle)).astype(np.float32)


# ---- checks ------------------------------------------------------------------------------------


def check_seed(seed: int) -> int:
    """The seed as an `int`, or a ValueError."""
    return _whole("seed", seed, 0, SEEDS)


def check_pictures(n: int, first: int) -> tuple[int, int]:
    """`(n, first)` as `int`s, or a ValueError."""
    first = _whole("first, the index of the first image,", first, 0, PICTURES)
    return _whole("n, the number of images,", n, 1, PICTURES - first + 1), first


def check_truncation(truncation: float) -> float:
    """The truncation as a `float`, or a ValueError."""
    if not isinstance(truncation, Real) or not 0 <= truncation <= MAX_TRUNCATION:
        raise ValueError(
            f"truncation is a number from 0 to {MAX_TRUNCATION:g}. Received: {truncation!r}. "
            "1 changes nothing; 0.7 gives more typical images."
        )
    return float(truncation)


def _whole(what: str, number: int, low: int, end: int) -> int:
    try:
        if isinstance(number, (bool, np.bool_)):
            raise TypeError
        whole = operator.index(number)
    except TypeError:
        whole = low - 1
    if not low <= whole < end:
        raise ValueError(f"{what} is a whole number from {low} to {end - 1}. Received: {number!r}.")
    return whole
