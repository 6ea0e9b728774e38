"""One anime face from a `Portrait`: the order in which its parts are painted.

Every shape is painted in three or four flat tones (base, shade, dark line, light), as in cel
animation.
"""

from __future__ import annotations

import numpy as np

from tfanime.drawn.accessories import paint_glasses, paint_hat, paint_ribbon
from tfanime.drawn.body import paint_body
from tfanime.drawn.features import paint_brows, paint_eye, paint_face, paint_mouth
from tfanime.drawn.hair import (
    fringe,
    paint_back_hair,
    paint_bangs,
    paint_drills,
    paint_fringe_shadow,
    paint_nape,
    paint_ponytail,
    paint_shoulder_strands,
    paint_side_locks,
    paint_twintails,
)
from tfanime.drawn.palette import CLOTHES, choose, mix
from tfanime.drawn.portrait import Portrait


def paint(portrait: Portrait) -> np.ndarray:
    """The image, `(size, size, 3)` uint8."""
    tags, canvas = portrait.tags, portrait.canvas
    paint_background(portrait)
    canvas.tilt(portrait.angle, (0, 1.0))
    if tags["ponytail"]:
        paint_ponytail(portrait)
    paint_back_hair(portrait)
    canvas.tilt(0.0, (0, 0))
    paint_body(portrait)
    canvas.tilt(portrait.angle, (0, 1.0))
    if tags["twintails"]:
        paint_twintails(portrait)
    if tags["long_hair"]:
        paint_shoulder_strands(portrait)
        if tags["short_hair"]:
            paint_nape(portrait)
    paint_face(portrait)
    edge = fringe(portrait)
    paint_fringe_shadow(portrait, edge)
    paint_mouth(portrait)
    paint_eye(portrait, -1.0)
    paint_eye(portrait, 1.0)
    paint_side_locks(portrait)
    paint_bangs(portrait, edge)
    paint_brows(portrait)
    if tags["drill_hair"]:
        paint_drills(portrait)
    if tags["glasses"]:
        paint_glasses(portrait)
    if tags["hat"]:
        paint_hat(portrait)
    if tags["ribbon"]:
        paint_ribbon(portrait)
    return canvas.finish()


def paint_background(portrait: Portrait) -> None:
    """Plain, or fading into a second colour towards the bottom."""
    if portrait.style.backdrop < 0.5:
        tone = choose(CLOTHES, portrait.style.backdrop * 2)
        portrait.canvas.fade(mix(portrait.background, tone, 0.22))
