"""One anime face from words and a `Style`: shapes, colours and the order they are painted in.

Lengths are in units of half a face's width. The face's coordinates have x to the right and y
down, the eyes at y = 0.15 and the chin at y = 1.1. Every shape is painted in three or four flat
tones (base, shade, dark line, light), as in cel animation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfanime.drawn.palette import (
    ACCENTS,
    BACKGROUNDS,
    CLOTHES,
    EYES,
    FRAMES,
    HAIR,
    SKINS,
    WHITE,
    Colour,
    Tones,
    choose,
    mix,
    unlike,
)
from tfanime.drawn.strokes import (
    MIRROR,
    Canvas,
    blade,
    both,
    ellipse,
    quadratics,
    smooth,
    symmetric,
)


@dataclass(frozen=True)
class Style:
    """Everything about a picture that its labels do not say; each number is in [0, 1)."""

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


FACE = smooth(
    [(0, -1.0), (0.62, -0.86), (0.95, -0.35), (0.97, 0.1), (0.89, 0.46), (0.64, 0.78)]
    + [(0.25, 1.03), (0, 1.1), (-0.25, 1.03), (-0.64, 0.78), (-0.89, 0.46), (-0.97, 0.1)]
    + [(-0.95, -0.35), (-0.62, -0.86)]
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
# One turn of a ringlet, in units of half its width across.
RINGLET = smooth([(-1, -0.08), (0, -0.24), (1, -0.2), (1, 0.06), (0, 0.2), (-0.9, 0.22)])
RINGLET_SHADE = blade((-0.9, 0.08), (0, 0.12), (0.95, -0.06), (0, 0.24), (-0.85, 0.2))
RINGLET_GLINT = ellipse(0, -0.06, 0.4, 0.05)
# Lower edges of the bangs: valleys and tips in turn, temple to temple.
FRINGES = (
    # parted into spikes
    ((-1.02, 0.1), (-0.8, -0.32), (-0.66, -0.1), (-0.5, -0.4), (-0.3, -0.12), (-0.14, -0.42))
    + ((0.02, -0.02), (0.16, -0.42), (0.36, -0.13), (0.52, -0.4), (0.7, -0.1), (0.82, -0.32))
    + ((1.02, 0.1),),
    # straight cut
    ((-1.02, 0.05), (-0.84, -0.2), (-0.68, -0.17), (-0.56, -0.26), (-0.38, -0.16), (-0.26, -0.26))
    + ((-0.06, -0.15), (0.06, -0.26), (0.26, -0.16), (0.38, -0.26), (0.56, -0.16), (0.68, -0.26))
    + ((0.84, -0.18), (0.9, -0.2), (1.02, 0.05)),
    # parted in the middle
    ((-1.02, 0.35), (-0.86, -0.15), (-0.8, 0.0), (-0.62, -0.4), (-0.5, -0.22), (-0.06, -0.95))
    + ((0.0, -0.88), (0.06, -0.95), (0.5, -0.22), (0.62, -0.4), (0.8, 0.0), (0.86, -0.15))
    + ((1.02, 0.35),),
    # swept to one side
    ((-1.02, 0.3), (-0.86, -0.25), (-0.74, -0.08), (-0.52, -0.9), (-0.18, -0.28), (-0.08, -0.5))
    + ((0.22, -0.14), (0.26, -0.4), (0.56, -0.08), (0.6, -0.3), (0.86, 0.06), (0.86, -0.2))
    + ((1.02, 0.3),),
    # one long strand between the eyes
    ((-1.02, 0.2), (-0.8, -0.28), (-0.62, -0.12), (-0.42, -0.5), (-0.3, -0.24), (-0.16, -0.5))
    + ((-0.02, 0.24), (0.08, -0.5), (0.3, -0.2), (0.42, -0.46), (0.64, -0.12), (0.8, -0.28))
    + ((1.02, 0.2),),
)


class Face:
    """Paints one face.

    Args:
        tags: words of `labels.MAKEGIRLSMOE`, all of them.
        style: the rest.
        size: side of the picture in pixels.
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

    def paint(self) -> np.ndarray:
        """The picture, `(size, size, 3)` uint8."""
        tags, canvas = self.tags, self.canvas
        self.paint_background()
        canvas.tilt(self.angle, (0, 1.0))
        if tags["ponytail"]:
            self.paint_ponytail()
        self.paint_back_hair()
        canvas.tilt(0.0, (0, 0))
        self.paint_body()
        canvas.tilt(self.angle, (0, 1.0))
        if tags["twintails"]:
            self.paint_twintails()
        if tags["long_hair"]:
            self.paint_shoulder_strands()
            if tags["short_hair"]:
                self.paint_nape()
        self.paint_face()
        fringe = self.fringe()
        self.paint_fringe_shadow(fringe)
        self.paint_mouth()
        self.paint_eye(-1.0)
        self.paint_eye(1.0)
        self.paint_side_locks()
        self.paint_bangs(fringe)
        self.paint_brows()
        if tags["drill_hair"]:
            self.paint_drills()
        if tags["glasses"]:
            self.paint_glasses()
        if tags["hat"]:
            self.paint_hat()
        if tags["ribbon"]:
            self.paint_ribbon()
        return canvas.finish()

    # ---- behind the face ---------------------------------------------------------------------

    def paint_background(self) -> None:
        """Plain, or fading into a second colour towards the bottom."""
        if self.style.backdrop < 0.5:
            tone = choose(CLOTHES, self.style.backdrop * 2)
            self.canvas.fade(mix(self.background, tone, 0.22))

    def paint_back_hair(self) -> None:
        tags, hair = self.tags, self.hair
        v, wave = self.volume, 0.12 * self.style.wave
        if tags["long_hair"]:
            side = [(v + 0.02, 0.5), (v + 0.16, 1.1 + wave), (v + 0.12, 1.7), (v + 0.34, 2.7)]
            ends = [(0.9, 2.9), (0.3, 3.0)]
        elif tags["short_hair"]:
            side = [(v - 0.02, 0.35), (v - 0.1, 0.62), (v + 0.02, 0.86)]
            ends = [(v - 0.26, 0.78), (v - 0.3, 0.98), (0.55, 0.84), (0.5, 1.02), (0.2, 0.9)]
        else:
            side = [(v + 0.02, 0.45), (v, 0.8 + wave), (v - 0.04, 1.12), (v + 0.06, 1.34)]
            ends = [(v - 0.28, 1.24), (v - 0.36, 1.46), (0.6, 1.28), (0.5, 1.44), (0.2, 1.3)]
        crown = [(0, -1.5), (0.62, -1.34), (v - 0.1, -0.78), (v + 0.04, -0.1)]
        self.canvas.shape(symmetric(crown + side + ends), hair.base, hair.dark)
        # The inside, behind the neck, lies in shadow.
        foot = side[-1][1]
        inner = [(0, 0), (0.8, 0.2), (v - 0.28, 0.75), (v - 0.42, foot - 0.12), (0.3, foot - 0.02)]
        self.canvas.fill(symmetric(inner), mix(hair.shade, hair.dark, 0.4))

    def paint_ponytail(self) -> None:
        hair, canvas = self.hair, self.canvas
        swing = 0.25 * self.style.tail
        outline = quadratics(
            [(0.1, -1.3), (0.5, -2.15), (1.2, -1.7), (1.95 + swing, -1.1), (1.75, 0.0)]
            + [(1.65, 0.7), (1.8 + swing, 1.5), (1.3, 1.05), (1.3, 0.5), (1.2, 0.7), (1.05, 0.9)]
            + [(1.0, 0.2), (1.1, -0.5), (1.0, -1.1), (0.7, -1.2)]
        )
        canvas.shape(outline * self.flip, hair.base, hair.dark)
        inner = blade((0.75, -1.35), (1.6, -1.3), (1.42, 1.0), (1.1, -0.6), (0.7, -1.1))
        canvas.fill(inner * self.flip, hair.shade)
        glint = blade((1.05, -1.55), (1.6, -1.35), (1.66, -0.3), (1.5, -1.1), (1.0, -1.4))
        canvas.fill(glint * self.flip, hair.light)

    def paint_twintails(self) -> None:
        hair, canvas = self.hair, self.canvas
        swing = 0.2 * self.style.tail
        tail = quadratics(
            [(0.95, -0.95), (1.5, -1.35), (1.8, -0.6), (2.15 + swing, 0.2), (1.8, 1.0)]
            + [(1.7, 1.4), (1.85, 1.95), (1.5, 1.7), (1.42, 1.3), (1.36, 1.5), (1.2, 1.7)]
            + [(1.25, 1.0), (1.28, 0.4), (1.3, -0.3), (0.95, -0.6)]
        )
        shade = blade((1.05, -0.7), (1.75, 0.1), (1.45, 1.5), (1.4, 0.2), (1.0, -0.6))
        glint = blade((1.45, -0.85), (1.9, -0.3), (1.82, 0.4), (1.7, -0.3), (1.35, -0.75))
        tie = smooth([(0.95, -1.05), (1.2, -0.9), (1.12, -0.55), (0.88, -0.6)])
        band = unlike(ACCENTS, self.style.trim, self.hair.base)
        for side in (np.ones(2), MIRROR):
            canvas.shape(tail * side, hair.base, hair.dark)
            canvas.fill(shade * side, hair.shade)
            canvas.fill(glint * side, hair.light)
            canvas.shape(tie * side, band, mix(band, (20, 10, 30), 0.5))

    def paint_body(self) -> None:
        style, canvas = self.style, self.canvas
        canvas.shape(NECK, self.skin.base, self.skin_line, 0.04)
        canvas.fill(NECK_SHADOW, self.skin_shade)
        cloth = Tones.of(choose(CLOTHES, style.clothes))
        trim = Tones.of(unlike(ACCENTS, style.trim, cloth.base))
        cut = int(style.cut * 4)
        line = mix(cloth.dark, (30, 20, 40), 0.4)
        if cut == 0:  # sailor collar
            self.paint_torso(mix(cloth.base, WHITE, 0.88), line)
            for flap in both([(0.3, 1.36), (1.05, 1.62), (0.95, 2.1), (0.0, 2.5), (0.36, 1.7)]):
                canvas.shape(flap, cloth.base, line)
            for stripe in both([(0.92, 1.75), (0.86, 2.02), (0.1, 2.36)]):
                canvas.line(stripe, WHITE, 0.06)
            canvas.shape(np.array([(0, 2.1), (0.34, 2.7), (-0.34, 2.7)]), trim.base, trim.dark)
        elif cut == 1:  # blazer, shirt and tie
            self.paint_torso(cloth.base, line)
            canvas.fill(np.array([(-0.42, 1.42), (0.42, 1.42), (0, 2.7)]), (250, 250, 252))
            for flap in both([(0.28, 1.3), (0.62, 1.5), (0.4, 1.86), (0.0, 1.62)]):
                canvas.shape(flap, WHITE, (150, 150, 170), 0.04)
            tie = np.array([(-0.13, 1.62), (0.13, 1.62), (0.2, 2.6), (-0.2, 2.6)])
            canvas.shape(tie, trim.base, trim.dark)
            for lapel in both([(0.5, 1.46), (0.78, 1.56), (0.62, 2.05), (0.1, 2.8)]):
                canvas.shape(lapel, cloth.shade, line)
        elif cut == 2:  # high-necked sweater
            self.paint_torso(cloth.base, line)
            roll = smooth(
                [(-0.42, 1.28), (0, 1.42), (0.42, 1.28), (0.5, 1.6), (0, 1.8), (-0.5, 1.6)]
            )
            canvas.shape(roll, cloth.light, line)
        else:  # dress with a round white collar
            self.paint_torso(cloth.base, line)
            for flap in both(smooth([(0.34, 1.34), (0.8, 1.56), (0.66, 1.95), (0.02, 1.8)])):
                canvas.shape(flap, (252, 252, 254), line)
            canvas.fill(ellipse(0, 1.98, 0.11, 0.11), trim.base)

    def paint_torso(self, colour: Colour, line: Colour) -> None:
        canvas = self.canvas
        canvas.shape(SHOULDERS, colour, line)
        shadow = mix(colour, (40, 20, 60), 0.2)
        for sleeve in both([(1.2, 2.1), (1.34, 2.0), (1.5, 3.2), (1.1, 3.2)]):
            canvas.fill(sleeve, shadow)
        opening = smooth([(-0.36, 1.3), (0.36, 1.3), (0.3, 1.6), (0, 1.92), (-0.3, 1.6)])
        canvas.fill(opening, self.skin.base)
        canvas.fill(NECK_SHADOW, self.skin_shade)

    # ---- the face ----------------------------------------------------------------------------

    def paint_face(self) -> None:
        canvas = self.canvas
        for ear in EARS:
            canvas.shape(ear, self.skin.base, self.skin_line, 0.04)
        canvas.shape(FACE, self.skin.base, self.skin_line, 0.045)
        x = self.turn
        if self.tags["blush"]:
            pink = mix(self.skin.base, (250, 70, 96), 0.36)
            deep = mix(self.skin.base, (246, 60, 90), 0.58)
            for side in (-1, 1):
                canvas.fill(ellipse(side * 0.6 + x, 0.58, 0.27, 0.15), pink)
                canvas.fill(ellipse(side * 0.6 + x, 0.58, 0.18, 0.09), deep)
        nose = np.array([(0.0, 0.46), (0.05, 0.52), (-0.03, 0.54)]) * self.flip + (x * 1.4, 0)
        canvas.fill(nose, mix(self.skin_shade, self.skin_line, 0.4))

    def paint_mouth(self) -> None:
        canvas, x = self.canvas, self.turn * 1.2
        wide = 0.02 * self.style.mouth
        red, line = (190, 52, 66), mix(self.skin_line, (150, 40, 50), 0.5)
        if self.tags["open_mouth"] and self.tags["smile"]:
            w = 0.27 + wide
            mouth = quadratics(
                [(-w, 0.67), (0, 0.72), (w, 0.67), (w - 0.02, 0.97), (0, 0.97)]
                + [(-w + 0.02, 0.97), (-w, 0.67)]
            )
            canvas.shape(mouth + (x, 0), red, line, 0.045)
            canvas.fill(ellipse(x, 0.91, 0.13, 0.05), (246, 140, 140))
            teeth = np.array([(-0.19, 0.695), (0.19, 0.695), (0.14, 0.75), (-0.14, 0.75)])
            canvas.fill(teeth + (x, 0), WHITE)
        elif self.tags["open_mouth"]:
            canvas.shape(ellipse(x, 0.8, 0.12 + wide, 0.13), red, line, 0.045)
            canvas.fill(ellipse(x, 0.86, 0.07, 0.05), (246, 140, 140))
        elif self.tags["smile"]:
            w = 0.27 + wide
            curve = quadratics([(-w, 0.7), (0, 0.93), (w, 0.7)])
            canvas.line(curve + (x, 0), line, 0.065)
        else:
            canvas.line(np.array([(-0.1, 0.78), (0.1, 0.78)]) + (x, 0), line, 0.055)

    def paint_eye(self, side: float) -> None:
        canvas, style = self.canvas, self.style
        # The eye on the side the face turns to looks a little narrower.
        wide, tall = 0.31 - 0.2 * side * self.turn, 0.34 + 0.05 * style.eye_height
        x, y = side * (0.47 + 0.03 * style.eye_gap) + self.turn, 0.15
        scale, place = np.array([side * wide, tall]), np.array([x, y])
        canvas.fill(EYE_WHITE * scale + place, (252, 252, 255))
        canvas.fill(LID_SHADOW * scale + place, (204, 202, 222))

        base = EYES[self.tags["eyes"]]
        dark, light = mix(base, (16, 8, 30), 0.6), mix(base, WHITE, 0.5)
        x, y, rx, ry = x + self.turn * 0.2 - side * 0.012, y + 0.015, wide * 0.7, tall * 0.97
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

        lash = mix(self.hair.dark, (30, 16, 28), 0.75)
        canvas.fill(UPPER_LASH * scale + place, lash)
        canvas.line(LID_CREASE * scale + place, mix(self.skin_line, self.skin.base, 0.3), 0.03)
        canvas.line(LOWER_LASH * scale + place, mix(lash, self.skin_line, 0.5), 0.035)

    def paint_brows(self) -> None:
        colour = mix(self.hair.dark, (40, 24, 30), 0.3)
        lift = 0.1 * self.style.brow + (0.04 if self.tags["smile"] else 0.0)
        arch = quadratics([(0.24, -0.36 - lift), (0.52, -0.5 - lift), (0.82, -0.33)])
        for brow in both(arch):
            self.canvas.line(brow + (self.turn, 0), colour, 0.045)

    # ---- in front of the face ----------------------------------------------------------------

    def fringe(self) -> np.ndarray:
        """Valleys and tips of the bangs in turn, from x = -1 to x = 1, `(odd, 2)`."""
        edge = np.array(choose(FRINGES, self.style.bangs))
        shake = np.reshape(self.style.jitter[: edge.size], edge.shape) - 0.5
        edge[1:-1] += shake[1:-1] * (0.08, 0.06)
        edge[1:-1, 0] += self.turn
        return edge if self.side > 0 else (edge * MIRROR)[::-1]

    def paint_fringe_shadow(self, fringe: np.ndarray) -> None:
        """What the bangs cast on the forehead."""
        shadow = self.fringe_curve(fringe) * (0.92, 1.0) + (0.02, 0.1)
        top = np.array([(0.85, -0.7), (-0.85, -0.7)])
        self.canvas.fill(np.concatenate([shadow, top]), self.skin_shade)

    def fringe_curve(self, fringe: np.ndarray) -> np.ndarray:
        """The edge of the bangs with its locks bent."""
        path = np.empty((2 * len(fringe) - 1, 2))
        path[::2] = fringe
        path[1::2] = (fringe[1:] + fringe[:-1]) / 2 + (0.16 * (self.style.sweep - 0.5), -0.05)
        return quadratics(path)

    def paint_bangs(self, fringe: np.ndarray) -> None:
        hair, canvas, v = self.hair, self.canvas, self.volume
        edge = self.fringe_curve(fringe)
        half = [(1.0, 0.12), (v, -0.2), (v - 0.08, -0.75), (0.66, -1.3), (0.0, -1.5)]
        crown = smooth(np.concatenate([half, half[-2::-1] * MIRROR]), closed=False)
        canvas.fill(np.concatenate([edge, crown]), hair.base)
        # One side of each lock lies in shade, up towards the parting.
        part = np.array([self.side * -0.15, -1.4])
        for tip, valley in zip(fringe[2:-2:2], fringe[3:-1:2], strict=True):
            head = valley + (part - valley) * 0.62
            swell = np.array([(valley[0] - part[0]) * 0.16, -0.02])
            middle = (head + valley) / 2 + swell
            inner = tip + (valley - tip) * 0.2
            wedge = blade(inner, middle - (0.1, -0.05), head, middle, valley)
            canvas.fill(wedge, hair.shade)
            canvas.line(quadratics([valley, middle, head]), mix(hair.shade, hair.dark, 0.6), 0.03)
        rims = both(blade((v, 0), (v + 0.02, -0.8), (0.4, -1.42), (0.98, -0.8), (0.92, -0.1)))
        for rim in rims:
            canvas.fill(rim, hair.shade)
        self.paint_gloss()
        if self.style.volume < 0.4 and not self.tags["hat"]:
            curl = blade((-0.12, -1.42), (-0.1, -1.85), (0.42, -1.78), (0.1, -1.74), (0.1, -1.46))
            canvas.fill(curl * self.flip, hair.base)
            canvas.line(curl * self.flip, hair.dark, 0.045)
        canvas.line(edge, hair.dark, 0.05)
        canvas.line(crown, hair.dark, 0.05)

    def paint_gloss(self) -> None:
        """The broken ring of light around the crown."""
        height = -0.92 + 0.12 * (self.style.gloss - 0.5)
        zigzag = np.array([0.0, 0.13, -0.02, 0.16, 0.0, 0.11, -0.02])
        for left, right in ((-0.8, -0.16), (-0.06, 0.5), (0.62, 0.84)):
            xs = np.linspace(left, right, 7)
            ring = height + 0.34 * xs**2
            upper = np.stack([xs, ring - 0.06 + 0.5 * zigzag], axis=1)
            lower = np.stack([xs, ring + 0.04 + zigzag], axis=1)
            lower[[0, -1]] = upper[[0, -1]]
            band = np.concatenate([upper, lower[::-1]]) * self.flip
            self.canvas.fill(band, self.hair.light)

    def paint_shoulder_strands(self) -> None:
        """Long hair over the shoulders; below the ears only where the hair is also short."""
        hair, canvas, v = self.hair, self.canvas, self.volume
        wave, short = 0.14 * (self.style.locks - 0.5), self.tags["short_hair"]
        top, outside = (0.55, 1.12) if short else (0.0, v + 0.06)
        strand = quadratics(
            [(0.8 if short else 0.9, top), (0.98, 1.2), (0.82 + wave, 2.2), (1.0, 2.6), (0.95, 3.0)]
            + [(1.3, 2.8), (1.5, 3.0), (1.36, 1.6), (outside, top)]
        )
        shade = blade((1.0, top + 0.2), (1.04, 1.4), (0.94, 2.8), (1.18, 1.4), (1.12, top + 0.2))
        light = blade((1.14, top + 0.5), (1.2, 1.4), (1.3, 2.3), (1.27, 1.4), (1.19, top + 0.5))
        for mirror in (np.ones(2), MIRROR):
            canvas.shape(strand * mirror, hair.base, hair.dark)
            canvas.fill(shade * mirror, hair.shade)
            canvas.fill(light * mirror, hair.light)

    def paint_nape(self) -> None:
        """The flicked-out tips of short hair, seen against long hair."""
        hair, canvas, v = self.hair, self.canvas, self.volume
        low = blade((0.6, 0.3), (0.7, 0.7), (1.0, 1.06), (1.06, 0.6), (1.0, 0.3))
        high = blade((0.8, 0.1), (0.96, 0.5), (v + 0.16, 0.84), (1.14, 0.4), (v, 0.1))
        for mirror in (np.ones(2), MIRROR):
            canvas.shape(low * mirror, hair.shade, hair.dark)
            canvas.shape(high * mirror, hair.base, hair.dark)

    def paint_side_locks(self) -> None:
        """Locks that frame the face: to the cheeks for short hair, else past the chin."""
        hair, canvas, v = self.hair, self.canvas, self.volume
        short = self.tags["short_hair"]
        low = (0.42 if short else 1.12) + 0.14 * (self.style.locks - 0.5)
        x = 0.86 if short else 0.76
        lock = blade((0.78, -0.5), (0.86, 0.1), (x, low), (1.22, low - 0.5), (v - 0.02, -0.5))
        shade = blade((0.9, -0.4), (1.0, 0.1), (x, low - 0.08), (1.08, low - 0.5), (1.02, -0.4))
        outer = blade((0.95, -0.4), (1.12, 0.1), (1.06, low + 0.16), (1.3, low - 0.4), (v, -0.4))
        for mirror in (np.ones(2), MIRROR):
            if not short:
                canvas.shape(outer * mirror, hair.shade, hair.dark)
            canvas.shape(lock * mirror, hair.base, hair.dark)
            canvas.fill(shade * mirror, hair.shade)

    def paint_drills(self) -> None:
        hair, canvas = self.hair, self.canvas
        for mirror in (np.ones(2), MIRROR):
            for ring in range(6):
                wide = np.array([0.28 if ring == 0 else 0.39 - 0.055 * ring, 1.0])
                place = np.array([1.26 + 0.03 * ring, 0.22 + 0.3 * ring])
                canvas.shape((RINGLET * wide + place) * mirror, hair.base, hair.dark)
                canvas.fill((RINGLET_SHADE * wide + place) * mirror, hair.shade)
                canvas.fill((RINGLET_GLINT * wide + place) * mirror, hair.light)

    def paint_glasses(self) -> None:
        canvas, x = self.canvas, self.turn
        colour = choose(FRAMES, self.style.frames)
        rim = choose((ROUND_RIM, SQUARE_RIM), self.style.rims)
        rim = np.concatenate([rim, rim[:1]])
        for side in (1.0, -1.0):
            canvas.line(rim + (side * 0.48 + x, 0.2), colour, 0.075)
            canvas.line(np.array([(side * 0.88 + x, 0.08), (side * 1.02, 0.02)]), colour, 0.075)
        canvas.line(quadratics([(-0.1 + x, 0.16), (x, 0.1), (0.1 + x, 0.16)]), colour, 0.075)

    def hat_tones(self) -> tuple[Tones, Tones]:
        """Of the hat and of its band."""
        cloth = unlike(CLOTHES + ACCENTS, self.style.hat_colour, self.hair.base)
        return Tones.of(cloth), Tones.of(unlike(ACCENTS, self.style.band_colour, cloth))

    def paint_hat(self) -> None:
        canvas, kind = self.canvas, int(self.style.hat * 3)
        cloth, band = self.hat_tones()
        if kind == 0:
            canvas.shape(BERET * self.flip, cloth.base, cloth.dark)
            canvas.fill(BERET_SHADE * self.flip, cloth.shade)
            canvas.fill(ellipse(-0.1 * self.side, -1.72, 0.09, 0.12), cloth.dark)
        elif kind == 1:
            canvas.shape(HAT, cloth.base, cloth.dark)
            canvas.shape(HAT_BAND, band.base, band.dark)
            canvas.shape(HAT_BRIM, cloth.base, cloth.dark)
        else:
            canvas.shape(CAP, cloth.base, cloth.dark)
            canvas.shape(CAP_ROLL, band.base, band.dark)
            canvas.shape(ellipse(0, -1.84, 0.2, 0.18), band.base, band.dark)

    def paint_ribbon(self) -> None:
        canvas = self.canvas
        behind = [self.hair.base]
        if self.tags["hat"]:
            behind += [tones.base for tones in self.hat_tones()]
        cloth = Tones.of(unlike(ACCENTS, self.style.bow_colour, *behind))
        angle = 0.3 + 0.4 * self.style.bow
        cos, sin = np.cos(angle), np.sin(angle)
        turn, place = np.array([[cos, sin], [-sin, cos]]), np.array([0.86, -1.02])

        def at(points):
            return (points @ turn + place) * self.flip

        for tail in both(BOW_TAIL):
            canvas.shape(at(tail), cloth.shade, cloth.dark)
        for loop in both(BOW_LOOP):
            canvas.shape(at(loop), cloth.base, cloth.dark)
        for fold in both(BOW_FOLD):
            canvas.fill(at(fold), cloth.shade)
        canvas.shape(at(ellipse(0, 0, 0.14, 0.16)), cloth.base, cloth.dark)
