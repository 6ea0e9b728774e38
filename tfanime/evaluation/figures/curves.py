"""Measures of a model as curves: over the steps of a run, and over truncations."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfanime.core import seeds
from tfanime.core.files import atomic_path
from tfanime.core.printing import caption
from tfanime.evaluation.figures.drawing import DPI, new_canvas, opened_data
from tfanime.sampling.generate import loaded
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.saved import Truncation, store_truncation

TRUNCATIONS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
TOLERANCE = 0.1  # of precision, that a truncated set may lose
SHORTLIST, LABEL_ROWS = 8, 32


def training(
    run: str | os.PathLike,
    out: str | os.PathLike,
    data=None,
    n: int = 1000,
    progress: bool = False,
) -> list[dict[str, float]]:
    """FID and KID over the steps of a run.

    Args:
        run: a run folder. What `--evaluate-every` wrote is drawn; without it, the checkpoints that
            are still there are measured against `data`.
        data: real images, needed for the latter.
        n: generated images at each checkpoint.

    Returns:
        `[{"step", "fid", "kid"}, ...]`.
    """
    from tfanime.training.quality_curve import chart, read

    rows, floor, count = read(Path(run)), None, None
    if data is not None or not rows:
        rows, floor, count = _measure_checkpoints(Path(run), data, n, progress)
    with atomic_path(out) as temporary:
        chart(rows, floor, count).savefig(temporary, dpi=DPI)
    return rows


def truncation(
    run,
    out: str | os.PathLike,
    data,
    n: int = 500,
    at: Sequence[float] = TRUNCATIONS,
    extractor: str = "tagger",
    store: bool = False,
    progress: bool = False,
    least: float | None = None,
) -> tuple[Truncation, list[dict[str, float]]]:
    """Precision and KID over truncations, towards zero and towards a most typical latent.

    Latents, labels and real images are the same at every truncation, so that rows differ by it
    only. Labels are those of the real images. Truncation gives variety for likeness, so that KID,
    which counts both, rises in any case; precision (`metrics.prdc`), the share of images that are
    among the real ones, falls only where images are none. `Truncation.least` is the truncation
    down to which it stays within a tenth of that without truncation. The typical latent is that of
    the drawn images whose features are nearest the mean of the real ones, chosen among the
    nearest by how near they are with other labels too.

    Args:
        run: a run or saved model, or a loaded generator.
        data: real images.
        n: images of each kind, at most half of `data`.
        at: truncations, 0 to 1; 1 is always measured.
        extractor: see `tfanime.metrics.features`.
        store: keep `Truncation` with the model, whose folder `run` is.
        least: `Truncation.least` as judged by eye; None: as precision has it.

    Returns:
        What was found, and a row for each truncation, from 1 downwards: `"truncation"`, how many
        `"images"`, `"precision"` and `"kid"` towards zero, `"typical precision"` and
        `"typical kid"`.
    """
    from tqdm import tqdm

    from tfanime.metrics import kid_from_features, prdc_from_features, quality

    at = sorted({seeds.check_truncation(t) for t in at} | {1.0}, reverse=True)
    if at[0] > 1:
        raise ValueError(f"Truncations to measure lie between 0 and 1. Received: {at[0]:g}.")
    data, generator = opened_data(data), loaded(run)
    if store and generator is run:
        raise ValueError("store needs the folder of the model. Received: a loaded generator.")
    meter = quality.quality_meter(data, n, extractor)
    z = seeds.latents(0, meter.count, generator.latent_dim)
    labels = _labels(meter, generator.schema, data.schema)
    typical = _most_typical(generator, meter, z, labels)
    rows = []
    for scale in tqdm(at, unit="truncation", disable=not progress):
        rows.append({"truncation": scale, "images": meter.count})
        for way, end in (("", None), ("typical ", z[typical])):
            truncated = seeds.truncate(z, scale, end)
            features = meter.features(Sampler(generator).decode(truncated, labels=labels))
            rows[-1][f"{way}precision"] = prdc_from_features(meter.real, features).precision
            rows[-1][f"{way}kid"] = kid_from_features(meter.real, features).mean
    limit = (1 - TOLERANCE) * rows[0]["precision"]
    good = itertools.takewhile(lambda row: row["precision"] >= limit, rows)
    least = list(good)[-1]["truncation"] if least is None else least
    result = Truncation(least, (0, int(typical)))
    _save_truncation(out, rows, result, meter)
    if store:
        store_truncation(run, result)
    return result, rows


def _labels(meter, schema, real_schema) -> np.ndarray | None:
    """Rows to draw as many images with as the meter counts: the real ones' labels, and what these
    do not say from the model's prior. None for a model without labels."""
    if schema is None:
        return None
    real_rows = schema.convert(meter.labels, real_schema) if real_schema else None
    return seeds.sample_labels(0, meter.count, schema, rows=real_rows)


def _most_typical(generator, meter, z: np.ndarray, labels: np.ndarray | None) -> int:
    """The row of `z` that draws what is near the mean of the real images' features."""
    centre = meter.real.mean(axis=0)

    def away(latents, rows) -> np.ndarray:
        features = meter.features(Sampler(generator).decode(latents, labels=rows))
        return np.linalg.norm(features - centre, axis=1)

    near = np.argsort(away(z, labels), kind="stable")[:SHORTLIST]
    if labels is None:
        return int(near[0])
    others = labels[:LABEL_ROWS]
    means = [away(np.repeat(z[i : i + 1], len(others), axis=0), others).mean() for i in near]
    return int(near[np.argmin(means)])


def _save_truncation(out, rows: list[dict[str, float]], result: Truncation, meter) -> None:
    canvas = new_canvas((11, 4.5))
    at = [row["truncation"] for row in rows]
    ways = {"": "towards zero", "typical ": "towards a typical latent"}
    for axes, name in zip(canvas.subplots(1, 2), ("precision", "kid"), strict=True):
        for way, label in ways.items():
            axes.plot(at, [row[f"{way}{name}"] for row in rows], marker="o", label=label)
        axes.axvline(result.least, color="grey", label=f"useful down to {result.least:g}")
        axes.set_xlabel("truncation")
        axes.set_title(f"{caption(name)}, {meter.count:,} images each")
        axes.grid(alpha=0.3)
        axes.legend()
    with atomic_path(out) as temporary:
        canvas.savefig(temporary, dpi=DPI)


def _measure_checkpoints(run: Path, data, n: int, progress: bool):
    """Rows of the checkpoints that are still there, the floor, and how many images each has."""
    from tfanime.core.bars import progress_bar
    from tfanime.metrics.quality import quality_meter
    from tfanime.training import checkpoint
    from tfanime.training.process import unchanged
    from tfanime.training.run_config import generator_of
    from tfanime.zoo.saved import Generator

    folders = checkpoint.checkpoints(run)
    if data is None or not folders:
        raise ValueError(
            f"{str(run)!r} has no quality.csv. Train with --evaluate-every STEPS, or give real "
            f"images to measure its {len(folders)} checkpoints against."
        )
    data = opened_data(data)
    network = None
    meter = quality_meter(data, n)
    rows = []
    for folder in progress_bar(folders, unit="checkpoint", disable=not progress):
        try:
            arrays, meta = checkpoint.read(folder)
        except checkpoint.Damaged as error:
            print(f"{error} It is left out.", file=sys.stderr)
            continue
        averaged = [arrays[name] for name in sorted(arrays) if name.startswith("ema_generator/")]
        if network is None:
            with unchanged():
                network, schema = generator_of(run, averaged)
        network.set_weights(averaged)
        generator = Generator(network, schema, run.name)
        z = seeds.latents(0, meter.count, generator.latent_dim)
        images = Sampler(generator).decode(z, labels=_labels(meter, schema, data.schema))
        rows.append({"step": float(meta["step"]), **meter(images)})
    return rows, meter.floor, meter.count
