"""A map of texts: near each other on it, near each other in meaning; coloured by genre."""

from __future__ import annotations

import html
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfanime.core.files import atomic_path, write_text
from tfanime.core.printing import caption
from tfanime.text.genres import split_genres
from tfanime.text.probe import nearest, unit

OTHER, OTHER_COLOUR = "other", "#b9b9b9"
# Ten hues that stay apart for most people with a colour deficiency (after Okabe & Ito, Tol).
COLOURS = (
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee",
    "#aa3377", "#e69f00", "#009e73", "#cc79a7", "#664433",
)  # fmt: skip
NEIGHBOURS = 5
SHOWN_TEXT = 400  # characters of a text in the page


def explore(
    rows: Sequence[dict],
    vectors: np.ndarray,
    out: str | os.PathLike,
    genres: str = "genres",
    title: str = "title",
    seed: int = 0,
) -> dict[str, str]:
    """Writes `map.png`, and `map.html`, an interactive page that needs nothing else.

    Args:
        rows: a dictionary a text (`Embedded.rows`), with `text`.
        vectors: `(n, width)`.
        out: folder for the two files.
        genres, title: columns of `rows`. The first genre gives the colour, the ten most frequent
            ones have one of their own.
        seed: of t-SNE.

    Returns:
        Genre to colour, the most frequent first.

    Raises:
        ValueError: for fewer than three texts, or a column that no row has.
        ImportError: without scikit-learn.
    """
    if len(rows) < 3:
        raise ValueError(f"A map needs three texts or more. Received: {len(rows)}.")
    for column in (genres, title):
        if not any(column in row for row in rows):
            raise ValueError(
                f"The map takes genres and titles from columns of the texts. Received: {column!r}; "
                f"they have {', '.join(rows[0])}."
            )
    out = Path(out)
    places = flat(vectors, seed)
    tags = [split_genres(row.get(genres)) for row in rows]
    firsts = [(tag[0] if tag else OTHER) for tag in tags]
    frequent = [name for name, _ in Counter(f for f in firsts if f != OTHER).most_common()]
    colours = dict(zip(frequent, COLOURS, strict=False))
    kinds = [first if first in colours else OTHER for first in firsts]
    legend = {**colours, OTHER: OTHER_COLOUR} if OTHER in kinds else colours
    _picture(out / "map.png", places, kinds, legend)
    close = nearest(vectors, k=min(NEIGHBOURS, len(rows) - 1))
    points = [
        {
            "x": round(float(x), 4),
            "y": round(float(y), 4),
            "g": list(legend).index(name),
            "title": str(row.get(title) or ""),
            "tags": ", ".join(tag),
            "text": str(row.get("text") or "")[:SHOWN_TEXT],
            "near": [int(i) for i in others],
        }
        for (x, y), name, row, tag, others in zip(places, kinds, rows, tags, close, strict=True)
    ]
    page = (Path(__file__).parent / "explorer.html").read_text(encoding="utf-8")
    page = page.replace("TITLE", html.escape(f"{len(rows):,} texts"))
    data = script_json({"points": points, "legend": legend})
    write_text(out / "map.html", page.replace("/*DATA*/null", data))
    return legend


def script_json(value: object) -> str:
    """JSON for the inside of a `<script>`: in ASCII and without `<`, since `</script>` would end
    it and `<!--<script>` begin another one."""
    return json.dumps(value).replace("<", "\\u003c")


def flat(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """t-SNE of vectors by cosine: `(n, 2)`, each axis from 0 to 1.

    Reference:
        [van der Maaten & Hinton, 2008](https://jmlr.org/papers/v9/vandermaaten08a.html)
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ImportError(
            f"A map needs scikit-learn ({error}). Install it: pip install '.[text]' in a checkout"
        ) from error
    vectors = unit(vectors)
    centred = vectors - vectors.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    reduced = (centred @ directions[:50].T).astype(np.float32)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    init = "pca" if reduced.shape[1] >= 2 else "random"
    places = TSNE(random_state=seed, init=init, perplexity=perplexity).fit_transform(reduced)
    low, high = places.min(0), places.max(0)
    return (places - low) / np.maximum(high - low, 1e-12)


def _picture(path: Path, places: np.ndarray, kinds: Sequence[str], legend: dict[str, str]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    names = np.array(kinds)
    for name, colour in reversed(legend.items()):
        x, y = places[names == name].T
        label = caption(f"{name} ({len(x):,})")
        axes.scatter(x, y, s=9, c=colour, label=label, linewidths=0, alpha=0.85)
    handles, labels = axes.get_legend_handles_labels()
    outside = {"loc": "center left", "bbox_to_anchor": (1, 0.5), "frameon": False}
    axes.legend(handles[::-1], labels[::-1], markerscale=2.5, **outside)
    axes.set_axis_off()
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
