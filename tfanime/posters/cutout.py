"""A figure cut out of its white ground."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

WHITE = 0.93  # the least channel from which a pixel may be ground
LEAK = 1 / 64  # of the height: a gap of twice that in an outline lets no ground through
EDGE = 3  # pixels beside the ground that may be part ground


def cut_out(image: np.ndarray) -> np.ndarray:
    """The figure of an image with a white ground, with soft edges.

    Ground is what is white and reaches the border: white within the figure, such as an eye, stays.
    At an edge, a colour c of the figure covers the share a of a pixel whose rest is white, so that
    the pixel is `a c + (1 - a) white`: a follows from the darkest channel of the pixel and of the
    figure beside it, and c from a.

    Args:
        image: `(h, w, 3)` uint8.

    Returns:
        `(h, w, 4)` uint8 RGBA.
    """
    least = np.asarray(image, np.float64).min(-1) / 255
    ground = ~_largest(~reached(least >= WHITE))
    near = _grown(ground, EDGE) & ~ground
    inner = Image.fromarray(np.uint8(np.where(ground, 255, np.rint(255 * least))))
    full = np.asarray(inner.filter(ImageFilter.MinFilter(2 * EDGE + 1)), np.float64) / 255
    share = (1 - least) / np.maximum(1 - full, 1e-3)
    alpha = np.where(ground, 0.0, np.where(near, np.clip(share, 0, 1), 1.0))
    # Ground that is not quite white belongs, for its part, to the figure beside it.
    beside = ground & _grown(~ground, 1)
    alpha = np.where(beside, np.clip(share, 0, 1), alpha)
    solid = np.maximum(alpha, 1 / 255)[..., None]
    colour = (image - (1 - alpha[..., None]) * 255) / solid
    colour = np.where(alpha[..., None] > 0, np.clip(np.rint(colour), 0, 255), 255)
    return np.dstack([np.uint8(colour), np.uint8(np.rint(255 * alpha))])


def reached(white: np.ndarray) -> np.ndarray:
    """The white pixels that are joined to the border by a way wider than a leak.

    Args:
        white: `(h, w)` bool.
    """
    leak = max(1, round(LEAK * len(white)))
    framed = np.pad(white, leak + 1, constant_values=True)
    wide = ~_grown(~framed, leak)
    ground = np.zeros_like(framed)
    ground[0], ground[-1], ground[:, 0], ground[:, -1] = True, True, True, True
    ground = _spread(ground & wide, wide)
    # What was narrowed is given back, as far as it is white; and a little of the ways that are
    # too narrow, so that no square corners of white stay at an outline.
    ground = _spread(_grown(ground, leak) & framed, framed, steps=3 * leak)
    inside = slice(leak + 1, -leak - 1)
    return ground[inside, inside]


def _spread(start: np.ndarray, where: np.ndarray, steps: int | None = None) -> np.ndarray:
    """All of `where` that is joined to `start` by its sides, in so many steps at most."""
    while steps is None or steps > 0:
        steps = None if steps is None else steps - 1
        more = start.copy()
        more[1:] |= start[:-1]
        more[:-1] |= start[1:]
        more[:, 1:] |= start[:, :-1]
        more[:, :-1] |= start[:, 1:]
        more &= where
        if np.array_equal(more, start):
            break
        start = more
    return start


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest part of a mask that hangs together; scraps beside it are none of the figure."""
    best, rest = np.zeros_like(mask), mask.copy()
    while rest.sum() > best.sum():
        start = np.zeros_like(mask)
        start[np.unravel_index(np.argmax(rest), mask.shape)] = True
        part = _spread(start, rest)
        rest &= ~part
        if part.sum() > best.sum():
            best = part
    return best


def _grown(mask: np.ndarray, by: int) -> np.ndarray:
    """A mask and all pixels at most `by` from it, diagonals included."""
    grown = Image.fromarray(np.uint8(mask) * 255).filter(ImageFilter.MaxFilter(2 * by + 1))
    return np.asarray(grown) > 0


def faults(rgba: np.ndarray) -> float:
    """What speaks against a figure, 0 (nothing) upwards.

    Counted are the shares of the upper border and of the sides that it touches, where it is cut
    off; gaps in it, where pale hair was taken for ground; and how little the two halves of the
    face are alike, as they are of one that is drawn well and looks at us.
    """
    solid = rgba[..., 3] > 127
    head = solid[: round(0.7 * len(solid))]
    filled = np.maximum.accumulate(head, 1) & np.maximum.accumulate(head[:, ::-1], 1)[:, ::-1]
    gaps = (filled & ~head).sum() / max(1, filled.sum())
    cut = solid[0].mean() + 0.5 * solid[:, [0, -1]].mean() + 6 * gaps
    return float(0.7 * cut + 2 * (1 - likeness(rgba)))


def likeness(rgba: np.ndarray) -> float:
    """Correlation of a face with its mirror image, -1 to 1, at the place where it is highest."""
    grey = Image.fromarray(rgba[..., :3]).convert("L").resize((32, 32), Image.Resampling.BOX)
    values = np.asarray(grey, np.float64)[9:27]
    parts = [values[:, 5 + shift : 27 + shift] for shift in (-2, -1, 0, 1, 2)]
    if min(part.std() for part in parts) == 0:
        return 1.0
    return max(float(np.corrcoef(p.ravel(), p[:, ::-1].ravel())[0, 1]) for p in parts)
