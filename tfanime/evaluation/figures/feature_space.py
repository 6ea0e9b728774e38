"""Images as thumbnails where their features lie."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from tfanime.core.choices import EMBEDDINGS
from tfanime.core.files import atomic_path
from tfanime.core.printing import caption
from tfanime.data import PackedDataset
from tfanime.data.writer import is_packed
from tfanime.evaluation.figures.drawing import BLUE, DPI, GREY, new_canvas
from tfanime.evaluation.subject import name_of, open_subject
from tfanime.prepare.load import load_data
from tfanime.zoo.saved import load_generator


def embedding(
    subject,
    out: str | os.PathLike,
    data=None,
    n: int = 500,
    extractor: str = "tagger",
    method: str = "tsne",
    seed: int = 0,
    anonymous: bool = False,
    progress: bool = False,
) -> None:
    """Images as thumbnails where their features lie, in two dimensions.

    Args:
        subject: a run, a folder or a packed set.
        data: real images to be shown with it, in grey frames; those of `subject` get blue ones.
        n: images of each.
        extractor: see `tfanime.metrics.features`.
        method: `"tsne"` (van der Maaten and Hinton 2008; needs scikit-learn) or `"pca"`.
        anonymous: show each of the real images as a square of its mean colour, for a figure of
            images that may not be passed on.
    """
    from tfanime.metrics.features import extract, load_extractor

    if method not in EMBEDDINGS:
        raise ValueError(f"method is 'tsne' or 'pca'. Received: {method!r}.")
    size = _size_of(subject) if data is None else None
    data = load_data(data) if isinstance(data, (str, os.PathLike)) else data
    opened = open_subject(subject, *(size or (data.height, data.width)))
    n = min(n, opened.most or n)
    pictures = np.concatenate([part for part, _ in opened.chunks(n, seed)])
    frames = [BLUE] * len(pictures)
    if data is not None:
        rows = np.random.default_rng(seed).permutation(len(data))[:n]
        pictures = np.concatenate([pictures, data.images(np.sort(rows))])
        frames += [GREY] * len(rows)
    legend = {BLUE: str(opened.described["name"])}
    if data is not None:
        legend[GREY] = f"{name_of(data)}, real"
    features = extract(pictures, load_extractor(extractor), progress=progress)
    places = _two_dimensions(features, method, seed)
    if anonymous and data is not None:
        real = pictures[-len(rows) :]
        real[:] = np.rint(real.mean(axis=(1, 2), keepdims=True)).astype(np.uint8)
        # Squares first, so that they hide nothing.
        order = np.roll(np.arange(len(pictures)), len(rows))
        places, pictures, frames = places[order], pictures[order], [frames[i] for i in order]
    with atomic_path(out) as temporary:
        _thumbnails(places, pictures, frames, legend).savefig(temporary, dpi=DPI)


def _thumbnails(
    places: np.ndarray, pictures: np.ndarray, frames: Sequence[str], legend: Mapping[str, str]
):
    """Images in frames of colours, which the legend names."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage
    from matplotlib.patches import Patch

    canvas = new_canvas((12, 12))
    axes = canvas.subplots()
    axes.axis("off")
    axes.set_xlim(places[:, 0].min(), places[:, 0].max())
    axes.set_ylim(places[:, 1].min(), places[:, 1].max())
    zoom = 22 / pictures.shape[2]
    for place, picture, colour in zip(places, pictures, frames, strict=True):
        box = AnnotationBbox(
            OffsetImage(picture, zoom=zoom),
            place,
            pad=0.08,
            bboxprops={"edgecolor": colour, "facecolor": colour},
        )
        axes.add_artist(box)
    patches = [Patch(color=colour, label=caption(name)) for colour, name in legend.items()]
    canvas.legend(handles=patches, loc="lower center", ncols=len(patches), frameon=False)
    return canvas


def _two_dimensions(features: np.ndarray, method: str, seed: int) -> np.ndarray:
    """`(n, 2)`."""
    centred = features - features.mean(axis=0)
    vectors = np.linalg.svd(centred, full_matrices=False)[2]
    if method == "pca":
        return centred @ vectors[:2].T
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ImportError(
            't-SNE needs scikit-learn: pip install ".[data]" in a checkout; or take method "pca".'
        ) from error
    reduced = centred @ vectors[:50].T
    perplexity = min(30.0, (len(reduced) - 1) / 3)
    return TSNE(random_state=seed, init="pca", perplexity=perplexity).fit_transform(reduced)


def _size_of(subject) -> tuple[int, int]:
    """Height and width of a run's or a packed set's images."""
    if hasattr(subject, "height"):
        return subject.height, subject.width
    if is_packed(subject):
        packed = PackedDataset.open(subject)
        return packed.height, packed.width
    generator = load_generator(subject)
    return generator.height, generator.width
