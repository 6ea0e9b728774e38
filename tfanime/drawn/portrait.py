"""Who is drawn: words, a `Style`, and the colours, proportions and canvas that follow from them.

Lengths are in units of half a face's width. The face's coordinates have x to the right and y
down, the eyes at y = 0.15 and the chin at y = 1.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfanime.drawn.palette import BACKGROUNDS, HAIR, SKINS, Tones, choose, mix
from tfanime.drawn.strokes import Canvas


@dataclass(frozen=True)
class Style:
    """Everything about an image that its labels do not say; each number is in [0, 1)."""

    tilt: float
    turn: float
    scale: float
    x: float
    y: float
    side: float
    skin: float
    background: float
    backdrop: float
    clothes: float
    cut: float
    trim: float
    bow: float
    bow_colour: float
    hat: float
    hat_colour: float
    band_colour: float
    frames: float
    rims: float
    bangs: float
    sweep: float
    volume: float
    locks: float
    gloss: float
    tail: float
    tint: float
    tint_r: float
    tint_g: float
    tint_b: float
    eye_height: float
    eye_gap: float
    brow: float
    mouth: float
    wave: float
    jitter: tuple[float, ...]

    SIZE = 64

    @classmethod
    def from_uniforms(cls, uniforms) -> Style:
        """A style from `Style.SIZE` numbers in [0, 1)."""
        named = len(cls.__dataclass_fields__) - 1
        numbers = [float(u) for u in uniforms]
        return cls(*numbers[:named], jitter=tuple(numbers[named:]))


class Portrait:
    """One face that is being painted.

    Args:
        tags: words of `labels.MAKEGIRLSMOE`, all of them.
        style: the rest.
        size: side of the image in pixels.
    """

    def __init__(self, tags: dict, style: Style, size: int):
        self.tags, self.style = tags, style
        self.side = 1.0 if style.side < 0.5 else -1.0
        self.flip = np.array([self.side, 1.0])
        # Mostly lighter or darker: a tinted gray would no longer be gray.
        tint = np.array([style.tint_r, style.tint_g, style.tint_b]) * 6 - 3 + style.tint * 16 - 8
        self.hair = Tones.of(tuple(int(c) for c in np.clip(HAIR[tags["hair"]] + tint, 0, 255)))
        skin = Tones.of(choose(SKINS, style.skin**1.4))
        self.skin = skin
        self.skin_shade = mix(skin.base, (226, 120, 110), 0.28)
        self.skin_line = mix(skin.dark, (120, 50, 40), 0.5)
        self.turn = (style.turn - 0.5) * 0.2
        self.volume = 1.14 + 0.1 * style.volume
        background = choose(BACKGROUNDS, style.background**1.5)
        unit = size * (0.242 + 0.026 * style.scale)
        origin = size * np.array([0.5 + 0.05 * (style.x - 0.5), 0.475 + 0.04 * (style.y - 0.5)])
        self.canvas = Canvas(size, background, unit, origin)
        self.angle = (style.tilt - 0.5) * 0.28
        self.background = background
