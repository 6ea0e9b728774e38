"""Neck, shoulders and what is worn on them."""

from __future__ import annotations

import numpy as np

from tfanime.drawn.palette import (
    ACCENTS,
    CLOTHES,
    WHITE,
    Colour,
    Tones,
    choose,
    mix,
    unlike,
)
from tfanime.drawn.portrait import Portrait
from tfanime.drawn.strokes import (
    both,
    ellipse,
    smooth,
)

NECK = smooth(
    [(-0.3, 0.7), (0.3, 0.7), (0.3, 1.2), (0.42, 1.42), (0.95, 1.6), (0.9, 2.0)]
    + [(-0.9, 2.0), (-0.95, 1.6), (-0.42, 1.42), (-0.3, 1.2)]
)
NECK_SHADOW = smooth([(-0.33, 0.8), (0.33, 0.8), (0.32, 1.16), (0.0, 1.36), (-0.32, 1.16)])
SHOULDERS = smooth(
    [(-0.5, 1.45), (-1.05, 1.6), (-1.55, 1.85), (-1.85, 2.4), (-2.0, 3.2)]
    + [(2.0, 3.2), (1.85, 2.4), (1.55, 1.85), (1.05, 1.6), (0.5, 1.45), (0, 1.6)]
)


def paint_body(portrait: Portrait) -> None:
    style, canvas = portrait.style, portrait.canvas
    canvas.shape(NECK, portrait.skin.base, portrait.skin_line, 0.04)
    canvas.fill(NECK_SHADOW, portrait.skin_shade)
    cloth = Tones.of(choose(CLOTHES, style.clothes))
    trim = Tones.of(unlike(ACCENTS, style.trim, cloth.base))
    cut = int(style.cut * 4)
    line = mix(cloth.dark, (30, 20, 40), 0.4)
    if cut == 0:  # sailor collar
        paint_torso(portrait, mix(cloth.base, WHITE, 0.88), line)
        for flap in both([(0.3, 1.36), (1.05, 1.62), (0.95, 2.1), (0.0, 2.5), (0.36, 1.7)]):
            canvas.shape(flap, cloth.base, line)
        for stripe in both([(0.92, 1.75), (0.86, 2.02), (0.1, 2.36)]):
            canvas.line(stripe, WHITE, 0.06)
        canvas.shape(np.array([(0, 2.1), (0.34, 2.7), (-0.34, 2.7)]), trim.base, trim.dark)
    elif cut == 1:  # blazer, shirt and tie
        paint_torso(portrait, cloth.base, line)
        canvas.fill(np.array([(-0.42, 1.42), (0.42, 1.42), (0, 2.7)]), (250, 250, 252))
        for flap in both([(0.28, 1.3), (0.62, 1.5), (0.4, 1.86), (0.0, 1.62)]):
            canvas.shape(flap, WHITE, (150, 150, 170), 0.04)
        tie = np.array([(-0.13, 1.62), (0.13, 1.62), (0.2, 2.6), (-0.2, 2.6)])
        canvas.shape(tie, trim.base, trim.dark)
        for lapel in both([(0.5, 1.46), (0.78, 1.56), (0.62, 2.05), (0.1, 2.8)]):
            canvas.shape(lapel, cloth.shade, line)
    elif cut == 2:  # high-necked sweater
        paint_torso(portrait, cloth.base, line)
        roll = smooth([(-0.42, 1.28), (0, 1.42), (0.42, 1.28), (0.5, 1.6), (0, 1.8), (-0.5, 1.6)])
        canvas.shape(roll, cloth.light, line)
    else:  # dress with a round white collar
        paint_torso(portrait, cloth.base, line)
        for flap in both(smooth([(0.34, 1.34), (0.8, 1.56), (0.66, 1.95), (0.02, 1.8)])):
            canvas.shape(flap, (252, 252, 254), line)
        canvas.fill(ellipse(0, 1.98, 0.11, 0.11), trim.base)


def paint_torso(portrait: Portrait, colour: Colour, line: Colour) -> None:
    canvas = portrait.canvas
    canvas.shape(SHOULDERS, colour, line)
    shadow = mix(colour, (40, 20, 60), 0.2)
    for sleeve in both([(1.2, 2.1), (1.34, 2.0), (1.5, 3.2), (1.1, 3.2)]):
        canvas.fill(sleeve, shadow)
    opening = smooth([(-0.36, 1.3), (0.36, 1.3), (0.3, 1.6), (0, 1.92), (-0.3, 1.6)])
    canvas.fill(opening, portrait.skin.base)
    canvas.fill(NECK_SHADOW, portrait.skin_shade)
