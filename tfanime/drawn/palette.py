"""The colours of the drawn faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255
WHITE = (255, 255, 255)
HAIR = {  # the base tone of each named colour
    "blonde": (248, 216, 106),
    "brown": (140, 88, 54),
    "black": (54, 50, 62),
    "blue": (62, 98, 206),
    "pink": (250, 150, 190),
    "purple": (142, 84, 190),
    "green": (74, 166, 92),
    "red": (200, 40, 52),
    "silver": (198, 206, 224),
    "white": (248, 248, 250),
    "orange": (242, 132, 44),
    "aqua": (96, 214, 216),
    "gray": (126, 126, 130),
}
EYES = {
    "blue": (44, 98, 226),
    "red": (216, 36, 44),
    "brown": (134, 80, 40),
    "green": (36, 156, 70),
    "purple": (140, 62, 196),
    "yellow": (244, 212, 50),
    "pink": (250, 116, 180),
    "aqua": (60, 208, 214),
    "black": (50, 48, 56),
    "orange": (246, 134, 30),
}
SKINS = (
    (255, 233, 216),
    (255, 226, 205),
    (254, 238, 228),
    (250, 216, 190),
    (232, 188, 154),
)
BACKGROUNDS = (
    (255, 255, 255),
    (244, 246, 252),
    (226, 238, 250),
    (252, 232, 236),
    (238, 232, 250),
    (232, 246, 234),
    (252, 246, 226),
    (214, 226, 238),
)
CLOTHES = (
    (44, 56, 104),
    (150, 40, 56),
    (70, 76, 84),
    (40, 110, 110),
    (120, 88, 140),
    (236, 196, 120),
    (244, 170, 186),
    (120, 170, 220),
    (96, 70, 56),
    (236, 236, 242),
)
ACCENTS = (  # ribbons, ties, bands
    (222, 44, 66),
    (40, 66, 160),
    (250, 206, 60),
    (246, 112, 164),
    (40, 40, 52),
    (46, 150, 116),
    (248, 248, 252),
    (126, 64, 168),
    (250, 146, 56),
)
FRAMES = ((40, 36, 48), (176, 36, 52), (70, 60, 130), (120, 76, 40))


def mix(a: Colour, b: Colour, amount: float) -> Colour:
    """`a` moved towards `b`: `amount` 0 gives `a`, 1 gives `b`."""
    return tuple(round(x + (y - x) * amount) for x, y in zip(a, b, strict=True))


def choose(options: Sequence, number: float):
    """The option at `number`, in [0, 1), of the way through `options`."""
    return options[int(number * len(options))]


def unlike(colours: Sequence[Colour], number: float, *others: Colour) -> Colour:
    """One of `colours` that cannot be taken for any of `others`."""
    for other in others:
        colours = [c for c in colours if sum(map(abs, map(int.__sub__, c, other))) > 110]
    return choose(colours, number)


@dataclass(frozen=True)
class Tones:
    """The flat tones of one material."""

    base: Colour
    shade: Colour
    dark: Colour
    light: Colour

    @classmethod
    def of(cls, base: Colour) -> Tones:
        # Shadows lean to violet, as they are painted in animation.
        return cls(
            base=base,
            shade=tuple(round(c * k) for c, k in zip(base, (0.80, 0.76, 0.85), strict=True)),
            dark=tuple(round(c * k) for c, k in zip(base, (0.47, 0.41, 0.52), strict=True)),
            light=mix(base, WHITE, 0.5),
        )
