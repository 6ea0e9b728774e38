"""Labels for images that have none: the attributes of `labels.FACES`, estimated by a tagger.

The result is a packed set whose labels are estimates, and beside it

    scores.npy          (count, 37) float32: what the tagger was how sure of, 0 to 1
    frequencies.csv     how many images have each attribute: MakeGirlsMoe's Table 1
    tsne.png            images arranged so that alike scores lie together
    manifest.json       source, tagger, counts

Of hair colours and of eye colours the most probable one is taken, as by MakeGirlsMoe (Jin et al.
2017, section 2.2), every other attribute from a score that the tagger has chosen for it; with
Illustration2Vec from MakeGirlsMoe's 0.25.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tfanime.core import images
from tfanime.core.files import read_json, save_array, write_csv, write_json
from tfanime.core.labels import LabelSchema
from tfanime.core.manifest import UNKNOWN_LICENCE, Manifest, Step
from tfanime.data.writer import Writer, is_packed
from tfanime.prepare.pack import already_packed, made_from, pack, replacing

if TYPE_CHECKING:
    from tfanime.data import PackedDataset
    from tfanime.tagging import Tagger

BATCH = 512
TSNE_COUNT, TSNE_SIDE, TSNE_SEED = 900, 48, 0
VERSION = 1


def estimate_tags(
    source: str | os.PathLike,
    out: str | os.PathLike,
    tagger: str | os.PathLike | Tagger | None = None,
    size: int | str | tuple[int, int] | None = None,
    threshold: float | None = None,
    smallest: int = 0,
    near_duplicates: bool = False,
    tsne: bool = True,
    licence: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> PackedDataset:
    """Estimates labels, and packs images and labels. The CLI's `tfanime prepare tags`.

    Args:
        source: a packed set; a folder of faces that `crop_faces` wrote; or images as for `pack`.
            Labels that it has are replaced.
        out: folder to create. If it already holds this very set, it is returned as it is.
        tagger: as in `tagging.load_tagger`: None for the one that ships, a folder, or
            `illustration2vec:FILE`; or a `Tagger`.
        size: of the images, as in `pack`, 64 by default; a packed set has its own.
        threshold: score from which every yes-or-no attribute counts; by default the tagger's own,
            one for each.
        smallest, near_duplicates: as in `pack`, for images that are not packed yet.
        tsne: draw `tsne.png`, which needs scikit-learn.
        licence: note for the manifest; by default that of the source's own manifest.
        overwrite: replace another packed set at `out`.
        progress: show progress bars.

    Raises:
        ValueError: for wrong arguments, or an `out` that holds something else.
        ImportError: for `tsne` without scikit-learn.
    """
    from tfanime.data import PackedDataset
    from tfanime.tagging import Tagger, load_tagger

    source, out = Path(source), Path(out)
    packed = is_packed(source)
    if packed and (size is not None or smallest or near_duplicates):
        raise ValueError(
            "size, smallest and near_duplicates are for images that are not packed yet. "
            f"Received: the packed set {str(source)!r}. Leave them out, or give the images."
        )
    if threshold is not None and not 0 < threshold < 1:
        raise ValueError(f"threshold is a score between 0 and 1. Received: {threshold!r}.")
    if tsne:
        _scikit_learn()  # before the work, not after it
    if not isinstance(tagger, Tagger):
        tagger = load_tagger(tagger)
    least = tagger.threshold if threshold is None else threshold
    thresholds = least.tolist() if isinstance(least, np.ndarray) else least
    options: dict[str, Any] = {
        "size": 64 if size is None else size,
        "smallest": smallest,
        "near_duplicates": near_duplicates,
    }
    content = PackedDataset.open(source).sha256 if packed else made_from(source, **options)
    origin = {
        "pictures": content,
        "tagger": tagger.identity,
        "threshold": thresholds,
        "version": VERSION,
    }
    if already_packed(out, origin, overwrite):
        return PackedDataset.open(out)

    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=_parent(out)) as scratch:
        if packed:
            data = PackedDataset.open(source)
        else:
            data = pack(source, Path(scratch) / out.name, progress=progress, **options)
        with replacing(out) as folder:
            _write(folder, data, tagger, thresholds, origin, source, licence, tsne, progress)
    return PackedDataset.open(out)


def count_labels(labels: np.ndarray, schema: LabelSchema) -> list[tuple[str, int]]:
    """How many images have each column's attribute, in the schema's order.

    Args:
        labels: `(n, schema.size)`, 0/1 coding.
    """
    counts = np.nansum(labels, axis=0).astype(int)
    return list(zip(schema.columns, counts.tolist(), strict=True))


def tsne_sheet(pictures: np.ndarray, scores: np.ndarray, side: int = TSNE_SIDE) -> np.ndarray:
    """Pictures on a square grid, each near those with similar scores.

    t-SNE (van der Maaten and Hinton 2008) places them in the plane; the grid's cells are then
    given out so that the sum of squared ways from there is the smallest.

    Args:
        pictures: `(n, H, W, 3)` uint8, n >= 4; those beyond the largest square are left out.
        scores: `(n, L)`.
        side: pixels of the longer side of one image on the sheet.

    Returns:
        `(h, w, 3)` uint8.
    """
    manifold = _scikit_learn()
    from scipy.optimize import linear_sum_assignment  # these three come with scikit-learn
    from scipy.spatial.distance import cdist
    from threadpoolctl import threadpool_limits

    columns = math.isqrt(len(pictures))
    if columns < 2:
        raise ValueError(f"A t-SNE sheet needs at least 4 images. Received: {len(pictures)}.")
    count = columns**2
    method = manifold.TSNE(
        perplexity=min(30.0, (count - 1) / 3), init="random", random_state=TSNE_SEED
    )
    # On a busy machine its threads wait for one another: 88 s instead of 2 for 289 images.
    with threadpool_limits(1):
        places = method.fit_transform(np.asarray(scores[:count], np.float64))
    low, high = places.min(axis=0), places.max(axis=0)
    places = (places - low) / np.maximum(high - low, 1e-12)
    line = np.linspace(0, 1, columns)
    cells = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    _, order = linear_sum_assignment(cdist(cells, places, "sqeuclidean"))
    height, width = pictures.shape[1:3]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = [
        np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
        for picture in pictures[order]
    ]
    return images.grid(np.stack(small), columns, padding=1)


# ---- steps of estimate_tags ----------------------------------------------------------------------


def _parent(out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.parent


def _write(
    folder: Path,
    data: PackedDataset,
    tagger: Tagger,
    threshold: float | list[float],
    origin: dict,
    source: Path,
    licence: str | None,
    tsne: bool,
    progress: bool,
) -> None:
    from tfanime.core.bars import progress_bar
    from tfanime.tagging import decide

    writer = Writer(folder, data.height, data.width)
    scores = np.empty((len(data), tagger.schema.size), np.float32)
    with progress_bar(total=len(data), desc="tagging", unit=" images", disable=not progress) as bar:
        for start in range(0, len(data), BATCH):
            batch = data.images(slice(start, start + BATCH))
            scores[start : start + BATCH] = tagger.probabilities(batch)
            for picture in batch:
                writer.add(picture)
            bar.update(len(batch))
    if not np.isfinite(scores).all() or scores.min() < 0 or scores.max() > 1:
        raise RuntimeError(
            f"Scores are numbers from 0 to 1. Received others from the tagger {tagger.name}."
        )
    labels = decide(scores, tagger.schema, threshold)
    save_array(folder / "scores.npy", scores)
    counts = count_labels(labels, tagger.schema)
    _write_frequencies(folder / "frequencies.csv", counts, scores)
    if tsne and len(data) >= 4:
        some = np.linspace(0, len(data) - 1, min(len(data), TSNE_COUNT)).astype(int)
        images.save_image(folder / "tsne.png", tsne_sheet(data.images(some), scores[some]))
    before = Manifest.find(source)
    packed = data.path or source
    rejected = read_json(packed / "dataset.json").get("rejected", [])
    if (packed / "files.json").is_file():
        write_json(folder / "files.json", read_json(packed / "files.json"))
    writer.finish(
        labels,
        tagger.schema,
        made_from=origin,
        source=source.name,
        labels_from=f"estimated by {tagger.name}",
        ignored_columns={},
        rejected=rejected,
    )
    reasons = dict(Counter(one["reason"] for one in rejected))
    manifest = Manifest(
        name=f"tagged {source.resolve().name}",
        source=source.resolve().name,
        licence=licence or (before.licence if before else UNKNOWN_LICENCE),
        steps=(Step("pictures", len(data), reasons),),
        settings={"tagger": tagger.name, "identity": tagger.identity, "threshold": threshold},
        earlier=before,
    )
    manifest.write(folder)


def _write_frequencies(path: Path, counts: list[tuple[str, int]], scores: np.ndarray) -> None:
    rows = [
        (name, count, f"{count / len(scores):.4f}", f"{mean:.4f}")
        for (name, count), mean in zip(counts, scores.mean(axis=0), strict=True)
    ]
    write_csv(path, [("attribute", "pictures", "share", "mean score"), *rows])


def _scikit_learn() -> ModuleType:
    try:
        from sklearn import manifold
    except ImportError as error:
        raise ImportError(
            "A t-SNE sheet needs scikit-learn. Install it with: pip install "
            '".[data]" in a checkout, or leave the sheet out (--no-tsne).'
        ) from error
    return manifold
