"""Colours of a poster: taken from its draft, and readable by WCAG's measure.

Colours are sRGB, 0 to 255. Lightness and hue are those of OKLab (Ottosson 2020), in which equal
steps look equal.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from PIL import Image

LEAST = 4.5  # contrast that WCAG 2.2 asks of text (AA)
CLUSTERS = 5
DAY = 0.66  # mean lightness of a draft from which its poster is dark on light
Colour = tuple[int, int, int]

# Hue, in degrees, and chroma of what a phrase may name.
NAMED = {
    "red": (27, 0.21), "crimson": (20, 0.2), "scarlet": (30, 0.21), "blood": (24, 0.2),
    "orange": (58, 0.18), "amber": (75, 0.16), "gold": (88, 0.15), "golden": (88, 0.15),
    "yellow": (98, 0.17), "green": (145, 0.17), "emerald": (158, 0.14), "teal": (192, 0.11),
    "turquoise": (190, 0.12), "cyan": (205, 0.13), "blue": (258, 0.18), "azure": (245, 0.15),
    "indigo": (280, 0.18), "violet": (300, 0.19), "purple": (308, 0.19), "pink": (355, 0.17),
    "rose": (8, 0.17), "silver": (250, 0.02), "white": (90, 0.01), "grey": (250, 0.01),
    "gray": (250, 0.01),
}  # fmt: skip


@dataclass(frozen=True)
class Palette:
    """Four colours, from the darkest to the lightest; `accent` is the vivid one.

    Args:
        day: whether the poster is dark on light, as its draft is.
    """

    dark: Colour
    mid: Colour
    accent: Colour
    light: Colour
    day: bool = False

    @property
    def paper(self) -> Colour:
        """What type stands on."""
        return self.light if self.day else self.dark

    @property
    def ink(self) -> Colour:
        """What type is set in."""
        return self.dark if self.day else self.light

    @property
    def ramp(self) -> np.ndarray:
        """The colours of a ground, from dark to light: `(k, 3)` float32, 0 to 255."""
        if not self.day:
            return np.float32([self.dark, self.mid, self.accent, self.light])
        pale = mix(self.accent, self.light, 0.6)
        return np.float32([mix(self.mid, self.accent, 0.5), self.accent, pale, self.light])

    @property
    def full(self) -> np.ndarray:
        """The colours of a figure, from dark to light, as `ramp`."""
        return np.float32([self.dark, self.mid, self.accent, self.light])


# ---- contrast ------------------------------------------------------------------------------------


def luminance(colours: np.ndarray | Colour) -> np.ndarray:
    """WCAG's relative luminance, 0 (black) to 1 (white).

    Args:
        colours: `(..., 3)`, 0 to 255.
    """
    return linear(colours) @ np.float64([0.2126, 0.7152, 0.0722])


def contrast(one: np.ndarray | Colour, other: np.ndarray | Colour) -> np.ndarray:
    """WCAG's contrast ratio, 1 (equal) to 21 (black and white)."""
    a, b = luminance(one), luminance(other)
    return (np.maximum(a, b) + 0.05) / (np.minimum(a, b) + 0.05)


def readable(colour: Colour, behind: np.ndarray, least: float = LEAST) -> Colour | None:
    """The colour closest to `colour`, lighter or darker, that all colours behind it set off.

    Args:
        colour: what is wanted.
        behind: `(n, 3)`, 0 to 255.
        least: the contrast ratio that it must have to each.

    Returns:
        The colour, or None if neither white nor black would do.
    """
    for step in range(0, 21):
        for end in (255, 0):
            mixed = mix(colour, (end, end, end), step / 20)
            if float(np.min(contrast(np.float64(mixed), behind))) >= least:
                return mixed
    return None


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` at 0, `other` at 1."""
    mixed = np.rint((1 - share) * np.float64(one) + share * np.float64(other))
    return tuple(int(x) for x in mixed)  # type: ignore[return-value]


# ---- OKLab ---------------------------------------------------------------------------------------

_LMS = np.float64(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.float64(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colours: np.ndarray | Colour) -> np.ndarray:
    """sRGB, 0 to 255, as linear light, 0 to 1."""
    c = np.asarray(colours, np.float64) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def to_lab(colours: np.ndarray | Colour) -> np.ndarray:
    """sRGB, 0 to 255, as OKLab: lightness 0 to 1, a and b."""
    return np.cbrt(linear(colours) @ _LMS.T) @ _LAB.T


def of_lab(lightness: float, chroma: float, hue: float) -> Colour:
    """The sRGB colour of a lightness and hue (radians); chroma is lowered until it is one."""
    while True:
        lab = np.float64([lightness, chroma * math.cos(hue), chroma * math.sin(hue)])
        light = np.linalg.inv(_LMS) @ (np.linalg.inv(_LAB) @ lab) ** 3
        if chroma < 1e-3 or (light.min() > -1e-4 and light.max() < 1 + 1e-4):
            break
        chroma *= 0.95
    light = np.clip(light, 0, 1)
    c = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return tuple(int(x) for x in np.rint(255 * c))  # type: ignore[return-value]


# ---- of an image ---------------------------------------------------------------------------------


def palette_of(image: np.ndarray, phrase: str = "") -> Palette:
    """The palette of an image; a colour that a phrase names becomes the accent.

    Args:
        image: `(h, w, 3)` uint8.
        phrase: "under a red moon".
    """
    small = Image.fromarray(image).resize((32, 48), Image.Resampling.BOX)
    lab = to_lab(np.asarray(small).reshape(-1, 3))
    centres, shares = clusters(lab, CLUSTERS)
    chroma = np.hypot(centres[:, 1], centres[:, 2])
    hue = np.arctan2(centres[:, 2], centres[:, 1])
    # Dark colours look less vivid than their chroma.
    vivid = int(np.argmax(chroma * centres[:, 0] * np.sqrt(shares)))
    darkest, lightest = int(np.argmin(centres[:, 0])), int(np.argmax(centres[:, 0]))
    accent = named(phrase) or of_lab(0.66, max(0.15, float(chroma[vivid])), float(hue[vivid]))
    most = int(np.argmax(np.where(np.arange(len(shares)) == vivid, 0, shares)))
    return Palette(
        dark=of_lab(0.17, min(0.05, float(chroma[darkest]) + 0.02), float(hue[darkest])),
        mid=of_lab(0.38, min(0.1, max(0.05, float(chroma[most]))), float(hue[most])),
        accent=accent,
        light=of_lab(0.95, min(0.035, float(chroma[lightest]) + 0.01), float(hue[lightest])),
        day=float(lab[:, 0].mean()) > DAY,
    )


def named(phrase: str) -> Colour | None:
    """The first colour that a phrase names."""
    for word in re.findall(r"[a-z]+", phrase.lower()):
        if word in NAMED:
            degrees, chroma = NAMED[word]
            lightness = 0.8 if chroma < 0.05 or 70 < degrees < 110 else 0.63
            return of_lab(lightness, chroma, math.radians(degrees))
    return None


def clusters(points: np.ndarray, count: int, rounds: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """k-means from quantiles of the first coordinate, so that the same points give the same.

    Args:
        points: `(n, 3)`.

    Returns:
        Centres `(count, 3)` and the share of points of each.
    """
    order = np.argsort(points[:, 0], kind="stable")
    at = (np.arange(count) + 0.5) * len(points) / count
    centres = points[order[at.astype(int)]].copy()
    for _ in range(rounds):
        distances = ((points[:, None] - centres[None]) ** 2).sum(-1)
        nearest = distances.argmin(1)
        for i in range(count):
            if np.any(nearest == i):
                centres[i] = points[nearest == i].mean(0)
    return centres, np.bincount(nearest, minlength=count) / len(points)
