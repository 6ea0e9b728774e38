"""How results show themselves: as images and tables in notebooks, in a window elsewhere."""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from tfanime.core.images import grid
from tfanime.core.printing import plain

MOST = 64  # images of a sheet that is shown unasked


class Pictures:
    """What has images. A class of this kind says `_few()`, `(n, H, W, 3)` uint8, 64 at most."""

    def _few(self) -> np.ndarray:
        raise NotImplementedError

    def grid(self, columns: int | None = None) -> np.ndarray:
        """The images, 64 at most, side by side.

        Args:
            columns: images a row; by default as square a sheet as possible.

        Returns:
            `(h, w, 3)` uint8.
        """
        return grid(self._few(), columns)

    def show(self, columns: int | None = None) -> None:
        """Shows `grid` below a notebook's cell, or in a window."""
        show(self.grid(columns))

    def _repr_png_(self) -> bytes:
        return png(self.grid())


def png(sheet: np.ndarray) -> bytes:
    """An image `(h, w, 3)` uint8 as the bytes of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "PNG")
    return file.getvalue()


def show(sheet: np.ndarray) -> None:
    """Shows an image `(h, w, 3)` uint8."""
    notebook = sys.modules.get("IPython")
    if notebook is not None and notebook.get_ipython() is not None:
        from IPython.display import display

        display(Image.fromarray(sheet))
    else:
        Image.fromarray(sheet).show()


def image_tag(sheet: np.ndarray) -> str:
    """An image `(h, w, 3)` uint8 as HTML."""
    data = base64.b64encode(png(sheet)).decode("ascii")
    return f'<img alt="" src="data:image/png;base64,{data}">'


def table(rows: Iterable[Sequence[object]], header: Sequence[object] = ()) -> str:
    """A table as HTML; what is in it may come from strangers."""

    def line(row: Sequence[object], tag: str) -> str:
        return "".join(f"<{tag}>{html.escape(plain(cell))}</{tag}>" for cell in row)

    head = f"<thead><tr>{line(header, 'th')}</tr></thead>" if header else ""
    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<table>{head}<tbody>{body}</tbody></table>"
