"""Curves and a small antialiased canvas: what faces are drawn with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from tfanime.drawn.palette import Colour

_T = np.linspace(0.0, 1.0, 8)[:-1, None]
_QUADRATIC = np.hstack([(1 - _T) ** 2, 2 * _T * (1 - _T), _T**2])  # (7, 3)
# Catmull-Rom is the cubic Bezier through the points whose tangents are (next - previous) / 2.
_CATMULL = 0.5 * np.hstack(
    [
        -(_T**3) + 2 * _T**2 - _T,
        3 * _T**3 - 5 * _T**2 + 2,
        -3 * _T**3 + 4 * _T**2 + _T,
        _T**3 - _T**2,
    ]
)  # (7, 4)
_ANGLES = np.linspace(0.0, 2 * np.pi, 28, endpoint=False)
CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
MIRROR = np.array([-1.0, 1.0])


def quadratics(points) -> np.ndarray:
    """A chain of quadratic Bezier curves.

    Args:
        points: `(2 m + 1, 2)`: on the curve, control, on, control, ..., on. Corners are sharp.

    Returns:
        `(7 m + 1, 2)` float64 points along the chain, both ends included.
    """
    points = np.asarray(points, np.float64)
    segments = np.stack([points[:-1:2], points[1::2], points[2::2]], axis=1)  # (m, 3, 2)
    return np.concatenate([(_QUADRATIC @ segments).reshape(-1, 2), points[-1:]])


def smooth(points, closed: bool = True) -> np.ndarray:
    """A smooth curve through `points` `(n, 2)`, seven points a segment; float64."""
    points = np.asarray(points, np.float64)
    if closed:
        padded = np.concatenate([points[-1:], points, points[:2]])
    else:
        padded = np.concatenate([points[:1], points, points[-1:]])
    segments = np.stack([padded[:-3], padded[1:-2], padded[2:-1], padded[3:]], axis=1)
    curve = (_CATMULL @ segments).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, points[-1:]])


def ellipse(x: float, y: float, half_width: float, half_height: float) -> np.ndarray:
    """`(28, 2)` points around an ellipse."""
    return CIRCLE * (half_width, half_height) + (x, y)


def both(points) -> tuple[np.ndarray, np.ndarray]:
    """A shape and its mirror image."""
    points = np.asarray(points, np.float64)
    return points, points * MIRROR


def symmetric(half) -> np.ndarray:
    """The smooth closed curve through `half` `(n, 2)`, which starts at x = 0, and its mirror."""
    half = np.asarray(half, np.float64)
    return smooth(np.concatenate([half, half[:0:-1] * MIRROR]))


def blade(root_a, bend_a, tip, bend_b, root_b) -> np.ndarray:
    """A lock of hair: two curves from the roots that meet at the tip."""
    return quadratics([root_a, bend_a, tip, bend_b, root_b])


class Canvas:
    """A square image drawn several times too large, then averaged down.

    Args:
        size: side of the finished image, in pixels.
        background: its colour.
        scale: pixels of the finished image a unit of length.
        origin: pixel position of the point (0, 0).
    """

    def __init__(self, size: int, background: Colour, scale: float, origin: Sequence[float]):
        # Small images need more of it: their eyes are a few pixels wide.
        self.factor = 4 if size <= 64 else 3 if size <= 96 else 2
        self.image = Image.new("RGB", (size * self.factor,) * 2, background)
        self.draw = ImageDraw.Draw(self.image)
        self.scale = scale * self.factor
        self.origin = np.asarray(origin, np.float64) * self.factor
        self.matrix = np.eye(2) * self.scale
        self.shift = self.origin

    def tilt(self, radians: float, pivot: Sequence[float]) -> None:
        """Turn what is drawn from now on around `pivot`."""
        cos, sin = np.cos(radians), np.sin(radians)
        self.matrix = np.array([[cos, sin], [-sin, cos]]) * self.scale
        pivot = np.asarray(pivot, np.float64)
        self.shift = self.origin + pivot * self.scale - pivot @ self.matrix

    def _pixels(self, points: np.ndarray) -> list[float]:
        return np.rint(points @ self.matrix + self.shift).ravel().tolist()

    def fade(self, colour: Colour) -> None:
        """Let the background fade into `colour` towards the bottom edge."""
        strip = Image.new("RGB", (1, 2), self.image.getpixel((0, 0)))
        strip.putpixel((0, 1), colour)
        self.image.paste(strip.resize(self.image.size, Image.Resampling.BILINEAR))

    def fill(self, points: np.ndarray, colour: Colour) -> None:
        """Fill the polygon `points` `(n, 2)`."""
        self.draw.polygon(self._pixels(points), fill=colour)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        """Draw an open line of `width` units through `points` `(n, 2)`."""
        width = max(1, round(width * self.scale))
        self.draw.line(self._pixels(points), fill=colour, width=width)

    def shape(self, points: np.ndarray, colour: Colour, edge: Colour, width: float = 0.05) -> None:
        """Fill a polygon and draw its outline."""
        self.fill(points, colour)
        self.line(np.concatenate([points, points[:1]]), edge, width)

    def finish(self) -> np.ndarray:
        """The finished image, `(size, size, 3)` uint8."""
        return np.asarray(self.image.reduce(self.factor))
