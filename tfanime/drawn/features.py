"""The face itself: its outline, ears and nose, the mouth, the eyes and the brows."""

from __future__ import annotations

import numpy as np

from tfanime.drawn.palette import (
    EYES,
    WHITE,
    mix,
)
from tfanime.drawn.portrait import Portrait
from tfanime.drawn.strokes import (
    both,
    ellipse,
    quadratics,
    smooth,
)

FACE = smooth(
    [(0, -1.0), (0.62, -0.86), (0.95, -0.35), (0.97, 0.1), (0.89, 0.46), (0.64, 0.78)]
    + [(0.25, 1.03), (0, 1.1), (-0.25, 1.03), (-0.64, 0.78), (-0.89, 0.46), (-0.97, 0.1)]
    + [(-0.95, -0.35), (-0.62, -0.86)]
)
EARS = both(smooth([(0.9, -0.05), (1.06, -0.08), (1.14, 0.1), (1.04, 0.38), (0.88, 0.42)]))
# The right eye, in units of half its width and half its height.
EYE_WHITE = smooth(
    [(-0.98, 0.1), (-0.6, -0.72), (0.1, -0.96), (0.78, -0.62), (1.0, 0.05)]
    + [(0.74, 0.76), (0.0, 1.0), (-0.7, 0.74)]
)
LID_SHADOW = quadratics(
    [(-0.95, 0.0), (-0.5, -0.9), (0.1, -0.98), (0.8, -0.9), (1, 0), (0, -0.7), (-0.95, 0.0)]
)
UPPER_LASH = quadratics(
    [(-1.06, 0.12), (-0.6, -0.82), (0.06, -0.94), (0.8, -0.9), (1.08, 0.2), (1.1, -0.1)]
    + [(1.34, -0.26), (1.18, -0.42), (1.04, -0.62), (0.6, -1.32), (0.0, -1.26)]
    + [(-0.75, -1.16), (-1.06, 0.12)]
)
LID_CREASE = quadratics([(-0.55, -1.4), (0.15, -1.68), (0.95, -1.12)])
LOWER_LASH = quadratics([(0.94, 0.42), (0.7, 0.98), (-0.1, 1.05)])


def paint_face(portrait: Portrait) -> None:
    canvas = portrait.canvas
    for ear in EARS:
        canvas.shape(ear, portrait.skin.base, portrait.skin_line, 0.04)
    canvas.shape(FACE, portrait.skin.base, portrait.skin_line, 0.045)
    x = portrait.turn
    if portrait.tags["blush"]:
        pink = mix(portrait.skin.base, (250, 70, 96), 0.36)
        deep = mix(portrait.skin.base, (246, 60, 90), 0.58)
        for side in (-1, 1):
            canvas.fill(ellipse(side * 0.6 + x, 0.58, 0.27, 0.15), pink)
            canvas.fill(ellipse(side * 0.6 + x, 0.58, 0.18, 0.09), deep)
    nose = np.array([(0.0, 0.46), (0.05, 0.52), (-0.03, 0.54)]) * portrait.flip + (x * 1.4, 0)
    canvas.fill(nose, mix(portrait.skin_shade, portrait.skin_line, 0.4))


def paint_mouth(portrait: Portrait) -> None:
    canvas, x = portrait.canvas, portrait.turn * 1.2
    wide = 0.02 * portrait.style.mouth
    red, line = (190, 52, 66), mix(portrait.skin_line, (150, 40, 50), 0.5)
    if portrait.tags["open_mouth"] and portrait.tags["smile"]:
        w = 0.27 + wide
        mouth = quadratics(
            [(-w, 0.67), (0, 0.72), (w, 0.67), (w - 0.02, 0.97), (0, 0.97)]
            + [(-w + 0.02, 0.97), (-w, 0.67)]
        )
        canvas.shape(mouth + (x, 0), red, line, 0.045)
        canvas.fill(ellipse(x, 0.91, 0.13, 0.05), (246, 140, 140))
        teeth = np.array([(-0.19, 0.695), (0.19, 0.695), (0.14, 0.75), (-0.14, 0.75)])
        canvas.fill(teeth + (x, 0), WHITE)
    elif portrait.tags["open_mouth"]:
        canvas.shape(ellipse(x, 0.8, 0.12 + wide, 0.13), red, line, 0.045)
        canvas.fill(ellipse(x, 0.86, 0.07, 0.05), (246, 140, 140))
    elif portrait.tags["smile"]:
        w = 0.27 + wide
        curve = quadratics([(-w, 0.7), (0, 0.93), (w, 0.7)])
        canvas.line(curve + (x, 0), line, 0.065)
    else:
        canvas.line(np.array([(-0.1, 0.78), (0.1, 0.78)]) + (x, 0), line, 0.055)


def paint_eye(portrait: Portrait, side: float) -> None:
    canvas, style = portrait.canvas, portrait.style
    # The eye on the side the face turns to looks a little narrower.
    wide, tall = 0.31 - 0.2 * side * portrait.turn, 0.34 + 0.05 * style.eye_height
    x, y = side * (0.47 + 0.03 * style.eye_gap) + portrait.turn, 0.15
    scale, place = np.array([side * wide, tall]), np.array([x, y])
    canvas.fill(EYE_WHITE * scale + place, (252, 252, 255))
    canvas.fill(LID_SHADOW * scale + place, (204, 202, 222))

    base = EYES[portrait.tags["eyes"]]
    dark, light = mix(base, (16, 8, 30), 0.6), mix(base, WHITE, 0.5)
    x, y, rx, ry = x + portrait.turn * 0.2 - side * 0.012, y + 0.015, wide * 0.7, tall * 0.97
    canvas.fill(ellipse(x, y, rx, ry), dark)
    # From dark above to light below: ever smaller ellipses, each lower than the last.
    for step, tone in enumerate((mix(dark, base, 0.6), base, base, mix(base, light, 0.4))):
        shrink = 0.9 - 0.11 * step
        disc = ellipse(x, y + ry * (0.04 + 0.1 * step), rx * shrink, ry * (shrink - 0.02))
        canvas.fill(disc, tone)
    canvas.fill(ellipse(x, y + ry * 0.68, rx * 0.4, ry * 0.15), light)
    canvas.fill(ellipse(x, y - ry * 0.04, rx * 0.34, ry * 0.34), mix(dark, (10, 5, 20), 0.5))
    canvas.fill(ellipse(x - 0.1, y - ry * 0.42, rx * 0.38, ry * 0.27), WHITE)
    canvas.fill(ellipse(x + 0.1, y + ry * 0.42, rx * 0.2, ry * 0.13), WHITE)

    lash = mix(portrait.hair.dark, (30, 16, 28), 0.75)
    canvas.fill(UPPER_LASH * scale + place, lash)
    canvas.line(LID_CREASE * scale + place, mix(portrait.skin_line, portrait.skin.base, 0.3), 0.03)
    canvas.line(LOWER_LASH * scale + place, mix(lash, portrait.skin_line, 0.5), 0.035)


def paint_brows(portrait: Portrait) -> None:
    colour = mix(portrait.hair.dark, (40, 24, 30), 0.3)
    lift = 0.1 * portrait.style.brow + (0.04 if portrait.tags["smile"] else 0.0)
    arch = quadratics([(0.24, -0.36 - lift), (0.52, -0.5 - lift), (0.82, -0.33)])
    for brow in both(arch):
        portrait.canvas.line(brow + (portrait.turn, 0), colour, 0.045)
