"""Glasses, hats and ribbons."""

from __future__ import annotations

import numpy as np

from tfanime.drawn.palette import (
    ACCENTS,
    CLOTHES,
    FRAMES,
    Tones,
    choose,
    unlike,
)
from tfanime.drawn.portrait import Portrait
from tfanime.drawn.strokes import (
    blade,
    both,
    ellipse,
    quadratics,
    smooth,
)

BERET = smooth(
    [(-1.15, -0.85), (-1.2, -1.3), (-0.5, -1.72), (0.4, -1.72), (1.3, -1.4), (1.5, -1.0)]
    + [(1.2, -0.78), (0.3, -1.0), (-0.5, -0.98)]
)
BERET_SHADE = blade((1.45, -1.0), (0.6, -0.9), (-0.9, -0.98), (0.4, -1.15), (1.4, -1.2))
HAT = smooth(
    [(-0.95, -0.95), (-0.9, -1.5), (-0.4, -1.85), (0.4, -1.85), (0.9, -1.5), (0.95, -0.95)]
)
HAT_BAND = quadratics(
    [(-0.97, -0.9), (0, -1.25), (0.97, -0.9), (0.98, -1.05), (0.94, -1.2), (0, -1.5)]
    + [(-0.94, -1.2), (-0.98, -1.05), (-0.97, -0.9)]
)
HAT_BRIM = quadratics(
    [(-1.75, -0.6), (-0.9, -1.2), (0, -1.16), (0.9, -1.2), (1.75, -0.6), (0.9, -0.86)]
    + [(0, -0.88), (-0.9, -0.86), (-1.75, -0.6)]
)
CAP = smooth(
    [(-1.16, -0.7), (-1.12, -1.3), (-0.6, -1.72), (0, -1.82), (0.6, -1.72), (1.12, -1.3)]
    + [(1.16, -0.7), (0, -0.98)]
)
CAP_ROLL = smooth([(-1.24, -0.62), (-1.2, -0.9), (0, -1.22), (1.2, -0.9), (1.24, -0.62), (0, -0.9)])
# Around its knot.
BOW_LOOP = smooth(
    [(0.05, 0.0), (0.3, -0.32), (0.6, -0.34), (0.62, 0.1), (0.55, 0.26), (0.25, 0.16)]
)
BOW_FOLD = blade((0.08, 0.02), (0.25, 0.0), (0.48, 0.04), (0.3, 0.12), (0.1, 0.08))
BOW_TAIL = np.array([(0.0, 0.0), (0.42, 0.55), (0.18, 0.62)])
# Around the middle of a lens.
SQUARE_RIM = smooth(
    [(-0.4, -0.22), (-0.34, -0.28), (0.34, -0.28), (0.4, -0.22), (0.36, 0.22), (0.26, 0.3)]
    + [(-0.26, 0.3), (-0.36, 0.22)]
)
ROUND_RIM = ellipse(0, 0, 0.4, 0.38)


def paint_glasses(portrait: Portrait) -> None:
    canvas, x = portrait.canvas, portrait.turn
    colour = choose(FRAMES, portrait.style.frames)
    rim = choose((ROUND_RIM, SQUARE_RIM), portrait.style.rims)
    rim = np.concatenate([rim, rim[:1]])
    for side in (1.0, -1.0):
        canvas.line(rim + (side * 0.48 + x, 0.2), colour, 0.075)
        canvas.line(np.array([(side * 0.88 + x, 0.08), (side * 1.02, 0.02)]), colour, 0.075)
    canvas.line(quadratics([(-0.1 + x, 0.16), (x, 0.1), (0.1 + x, 0.16)]), colour, 0.075)


def hat_tones(portrait: Portrait) -> tuple[Tones, Tones]:
    """Of the hat and of its band."""
    cloth = unlike(CLOTHES + ACCENTS, portrait.style.hat_colour, portrait.hair.base)
    return Tones.of(cloth), Tones.of(unlike(ACCENTS, portrait.style.band_colour, cloth))


def paint_hat(portrait: Portrait) -> None:
    canvas, kind = portrait.canvas, int(portrait.style.hat * 3)
    cloth, band = hat_tones(portrait)
    if kind == 0:
        canvas.shape(BERET * portrait.flip, cloth.base, cloth.dark)
        canvas.fill(BERET_SHADE * portrait.flip, cloth.shade)
        canvas.fill(ellipse(-0.1 * portrait.side, -1.72, 0.09, 0.12), cloth.dark)
    elif kind == 1:
        canvas.shape(HAT, cloth.base, cloth.dark)
        canvas.shape(HAT_BAND, band.base, band.dark)
        canvas.shape(HAT_BRIM, cloth.base, cloth.dark)
    else:
        canvas.shape(CAP, cloth.base, cloth.dark)
        canvas.shape(CAP_ROLL, band.base, band.dark)
        canvas.shape(ellipse(0, -1.84, 0.2, 0.18), band.base, band.dark)


def paint_ribbon(portrait: Portrait) -> None:
    canvas = portrait.canvas
    behind = [portrait.hair.base]
    if portrait.tags["hat"]:
        behind += [tones.base for tones in hat_tones(portrait)]
    cloth = Tones.of(unlike(ACCENTS, portrait.style.bow_colour, *behind))
    angle = 0.3 + 0.4 * portrait.style.bow
    cos, sin = np.cos(angle), np.sin(angle)
    turn, place = np.array([[cos, sin], [-sin, cos]]), np.array([0.86, -1.02])

    def at(points):
        return (points @ turn + place) * portrait.flip

    for tail in both(BOW_TAIL):
        canvas.shape(at(tail), cloth.shade, cloth.dark)
    for loop in both(BOW_LOOP):
        canvas.shape(at(loop), cloth.base, cloth.dark)
    for fold in both(BOW_FOLD):
        canvas.fill(at(fold), cloth.shade)
    canvas.shape(at(ellipse(0, 0, 0.14, 0.16)), cloth.base, cloth.dark)
