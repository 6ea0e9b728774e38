"""`evaluate`: a run, a folder or a set of images against real ones, in one report."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tfanime.core.bars import overall
from tfanime.data import PackedDataset
from tfanime.evaluation.independence import judged, parts_of
from tfanime.evaluation.report import Figure, Report
from tfanime.evaluation.subject import Subject, name_of, open_subject
from tfanime.evaluation.workbench import NotApplicable, Settings, Workbench, common_field
from tfanime.metrics.resize import RESIZES
from tfanime.prepare.load import load_data
from tfanime.registries import METRICS

# What a figure takes, roughly, of the usual 1: the first ones draw and look at all images.
TIME = {"fid": 6, "gan-train-test": 2, "attributes": 8}
USUAL = 2000  # images of each set, unless the real set has fewer
FEWEST = 4
# Everything but figures that need classes; those are added where there are some.
WITHOUT_LABELS = ("fid", "kid", "prdc", "is", "1nn", "diversity", "neighbours")
FROM_FEATURES = ("kid", "prdc", "diversity", "neighbours", "gan-train-test", "fid-between-labels")


@dataclass(frozen=True)
class Protocol:
    """A named way to measure; what the caller gives goes first.

    Args:
        even: as many real as generated images, however few are left for the floor.
        networks: which network measures what; see `Settings`.
    """

    metrics: tuple[str, ...]
    n: int | None = None
    draws: int = 1
    per_attribute: int = 100
    even: bool = False
    networks: Mapping[str, str] = field(default_factory=dict)


NETWORKS = {"extractor": "tagger", "classifier": "tagger:hair", "gan_extractor": None}
# Of a protocol: classifiers of ImageNet that a package brings, for those that are downloaded.
STAND_INS = {"inception": "lite0", "mobilenetv2": "lite0"}
PROTOCOLS = {
    "seed-a": Protocol(
        ("fid", "fid-between-labels", "is", "1nn", "gan-train-test"),
        networks={
            "extractor": "inception",
            "classifier": "inception",
            "gan_extractor": "mobilenetv2",
        },
    ),
    "seed-b": Protocol(("fid", "attributes"), n=12_800, draws=5, even=True),
}


def evaluate(
    subject: object,
    data: str | os.PathLike | PackedDataset,
    metrics: Sequence[str] | None = None,
    *,
    protocol: str | None = None,
    extractor: str | os.PathLike | None = None,
    classifier: str | None = None,
    gan_extractor: str | os.PathLike | None = None,
    tagger: str | None = None,
    label: str | None = None,
    n: int | None = None,
    draws: int | None = None,
    per_attribute: int | None = None,
    seed: int = 0,
    resize: str = "clean",
    weights: str = "ema",
    out: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = None,
    progress: bool = False,
) -> Report:
    """Measures how good generated images are.

    Args:
        subject: a run folder or saved model, a folder of images, or a packed set.
        data: real images: what `load_data` takes or returns, of the subject's size.
        metrics: of `fid`, `kid`, `prdc`, `is`, `1nn`, `diversity`, `neighbours`, and with labels
            `gan-train-test`, `fid-between-labels`, `attributes`. Default: all that apply. Others
            of `registries.METRICS` are measured when they are named.
        protocol: `"seed-a"` or `"seed-b"`: metrics and counts of the projects that tfanime
            reproduces; the documentation (Evaluation) lists them.
        extractor: see `tfanime.metrics.features`. Figures of different extractors cannot be
            compared. Default: `tagger`, which needs no file, or the protocol's.
        classifier: for the Inception Score: `tagger:FIELD`, or what `metrics.load_classifier`
            takes. Default: `tagger:hair`, or the protocol's.
        gan_extractor: an extractor for `gan-train-test` alone. Default: `extractor`, or the
            protocol's.
        tagger: see `tfanime.tagging.load_tagger`; default: the one that ships.
        label: the field whose values are classes; default: the first that both sides have.
        n: images of each set; default: 2,000, or half of the real set.
        draws: how often to draw `n` images; figures are then means, with max - min.
        per_attribute: images for each attribute; default 100.
        seed: of the images drawn and of the real ones chosen.
        resize: `"clean"` or `"legacy"`.
        weights: of a run: `"ema"`, the averaged generator, or `"raw"`, as the newest checkpoint
            has it.
        out: a folder for `metrics.json`, `report.html` and `report.png`.
        cache: where features of real sets are kept; default `$TFANIME_CACHE` or
            `~/.cache/tfanime`.
        progress: show progress bars.

    Raises:
        ValueError: for unknown names, too few images, or metrics that were asked for and cannot
            be had.

    Example:
        >>> report = evaluate("runs/girls", "packed/", ["fid"])  # doctest: +SKIP
        >>> report["fid"].value, report["fid"].floor  # doctest: +SKIP
    """
    started = time.monotonic()
    if not isinstance(data, PackedDataset):
        data = load_data(data, progress=progress)
    subject = open_subject(subject, data.height, data.width, weights)
    named = _protocol(protocol)
    selection = _metrics(metrics or named.metrics)
    if resize not in RESIZES:
        raise ValueError(f"resize must be one of {', '.join(RESIZES)}. Received: {resize!r}.")
    label = label or common_field(subject.schema, data.schema)
    counts = _counts(n or named.n, data, subject, named.even)
    networks = _networks(
        named, extractor=extractor, classifier=classifier, gan_extractor=gan_extractor
    )
    settings = Settings(
        n=counts[0],
        real_n=counts[1],
        draws=draws or named.draws,
        seed=seed,
        **networks,
        tagger=tagger,
        resize=resize,
        label=label,
        per_attribute=per_attribute or named.per_attribute,
        stream=bool(selection) and not set(selection) & set(FROM_FEATURES),
        cache=None if cache is None else os.fspath(cache),
        progress=progress,
        stand_ins=STAND_INS if named.networks else None,
    )
    bench = Workbench(subject, data, settings)
    names = selection or _applicable(subject, label)
    figures, skipped = [], {}
    with overall({name: TIME.get(name, 1) for name in names}, disable=not progress) as bar:
        for name in names:
            with bar.step(name):
                try:
                    figures += METRICS.get(name)(bench)
                except NotApplicable as error:
                    if metrics is not None:
                        raise ValueError(f"{name} cannot be measured here: {error}.") from error
                    skipped[name] = str(error)
    parts = parts_of(subject.run, data)
    figures = [
        judged(figure, _judge(figure, bench), parts).with_caution(min(*counts, bench.other_n))
        for figure in figures
    ]
    # Those that flatter nobody lead.
    figures.sort(key=lambda figure: (True, None, False).index(figure.independent))
    against = {
        "name": name_of(data),
        "pictures": len(data),
        "size": f"{data.width}x{data.height}",
        "sha256": data.sha256,
    }
    report = Report(
        dict(subject.described),
        against,
        tuple(figures),
        skipped,
        _versions(),
        time.monotonic() - started,
    )
    if out is not None:
        from tfanime.evaluation.page import write

        report = replace(report, files=write(Path(out), report, bench))
    return report


def _protocol(name: str | None) -> Protocol:
    if name is None:
        return Protocol(())
    if name not in PROTOCOLS:
        raise ValueError(f"protocol is one of: {', '.join(PROTOCOLS)}. Received: {name!r}.")
    return PROTOCOLS[name]


def _networks(named: Protocol, **texts: str | os.PathLike | None) -> dict[str, Any]:
    """Texts that name networks: those that are given, the protocol's, or the usual ones."""
    return {
        name: default if text is None else os.fspath(text)
        for name, text in texts.items()
        for default in [named.networks.get(name, NETWORKS[name])]
    }


def _metrics(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        METRICS.check(name)
    return tuple(name for name in METRICS if name in names)


def _judge(figure: Figure, bench: Workbench) -> str | None:
    """The network that a figure rests on; None where only pixels count."""
    settings = bench.settings
    tagger = settings.tagger or "tagger"
    if "extractor" in figure.protocol:
        of_gan = figure.name in ("gan-train", "gan-test") and settings.gan_extractor
        return bench.used(of_gan or settings.extractor)
    if "classifier" in figure.protocol and settings.classifier.partition(":")[0] != "tagger":
        return bench.used(settings.classifier).removesuffix(":output")
    return tagger if {"classifier", "tagger"} & set(figure.protocol) else None


def _applicable(subject: Subject, label: str | None) -> tuple[str, ...]:
    names = set(WITHOUT_LABELS)
    names |= {"gan-train-test"} if label is not None else set()
    names |= {"attributes"} if subject.conditional else set()
    return tuple(name for name in METRICS if name in names)


def _counts(
    n: int | None, data: PackedDataset, subject: Subject, even: bool = False
) -> tuple[int, int]:
    """Generated images, and real ones that they are compared with.

    Args:
        even: as many as generated ones; else at most half, so that as many are left for the floor.
    """
    half = len(data) // 2
    if half < FEWEST or (subject.most is not None and subject.most < FEWEST):
        raise ValueError(
            f"An evaluation needs {2 * FEWEST} real and {FEWEST} generated images at least. "
            f"Received: {len(data)} real and {subject.most or 'enough'} generated."
        )
    if n is not None and n < FEWEST:
        raise ValueError(f"n is at least {FEWEST}. Received: {n}.")
    if n is not None and subject.most is not None and n > subject.most:
        raise ValueError(f"n is at most the {subject.most} images that there are. Received: {n}.")
    if even and n is not None:
        if len(data) < n + FEWEST:
            raise ValueError(
                f"This protocol compares {n:,} generated images with as many real ones, and other "
                f"real ones for the floor. Received: {len(data):,} real images. Give --n for fewer."
            )
        return n, n
    generated = n or min(USUAL, half, subject.most or USUAL)
    return generated, min(generated, half)


def _versions() -> dict[str, str]:
    packages = ("tfanime", "tensorflow", "keras", "numpy", "pillow")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


__all__ = ["METRICS", "PROTOCOLS", "Figure", "Report", "evaluate"]
