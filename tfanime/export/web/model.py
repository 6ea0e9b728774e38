"""One model of an exported folder: from a run folder to converted, checked, described files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime.core.files import read_json
from tfanime.core.images import to_uint8
from tfanime.export import card
from tfanime.export.graph import parity, precision
from tfanime.export.graph.graph import Graph
from tfanime.export.graph.precision import Measured, Plan
from tfanime.export.graph.rewrite import multiply_adds, rewrite
from tfanime.export.graph.subject import (
    MEASURED_SEED,
    Subject,
)
from tfanime.export.web import beside, bundle, directions, styles, tfjs
from tfanime.export.web.check import check_artifact
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.chooser import chooser_of
from tfanime.zoo.encoder import encoder_of
from tfanime.zoo.saved import (
    DESCRIPTION,
    Generator,
)

if TYPE_CHECKING:
    import keras

REFERENCE = 7  # seed of the image by which a browser checks itself
JUDGED = 256  # images that an extractor looks at
# What other hardware may add to the error of the weights, as a mean of values in [-1, 1]. A
# backend that fails draws something else altogether, 0.3 away and more.
TOLERANCE = 0.02
# What 16 bits may change: of scores, about 0 to 1, and of latents, about -3 to 3.
OF_SCORES, OF_LATENTS = 0.005, 0.05

Judge = Callable[[Generator, Graph, Plan], tuple[float, float]]


@dataclass(frozen=True)
class Exported:
    """One model of a site.

    Args:
        name: its folder below `models/` (an upscaler's: `upscalers/`).
        kind: `"generator"` or `"upscaler"`.
        precision: of the weights.
        weight_bytes: of the weights, the chooser's among them, as downloaded without compression.
        psnr: of the converted files' images against the trained model's, in dB.
        table: what every precision would have cost.
        steps: of the graph (see `tfanime.export.graph.graph`), as trained and as exported.
        multiply_adds: for one image, as trained and as exported.
        kid: kernel inception distance of float32 images and of those that are exported, both
            against float32 images of other seeds; None without an extractor.
    """

    name: str
    kind: str
    precision: str
    weight_bytes: int
    psnr: float
    table: tuple[Measured, ...]
    steps: tuple[int, int]
    multiply_adds: tuple[int, int]
    kid: tuple[float, float] | None


@dataclass(frozen=True)
class Work:
    """Exports one model into `folder / place`."""

    subject: Subject
    folder: Path
    place: str
    wanted: str
    convert: Callable
    judge: Judge | None
    progress: bool

    def export(self, name: str, run: Path) -> tuple[dict, Exported]:
        """Writes everything, and returns the model's entry in the manifest and its summary."""
        from tfanime.core.bars import progress_bar

        subject, trained = self.subject, self.subject.graph
        graph = rewrite(trained)
        few = [x[: precision.CHUNK] for x in subject.inputs]
        difference = parity.check_rewrite(graph, few, subject.pictures[: precision.CHUNK])
        with progress_bar(
            desc=f"measuring {name}", unit=" images", disable=not self.progress
        ) as bar:
            plans, table = self._measured(graph, bar)
        choice = _smallest(table) if self.wanted == "auto" else self.wanted
        plan = plans[choice]
        self.convert(plan.graph, self.home, plan.dtypes)
        artifact = tfjs.read(self.home)
        check_artifact(artifact, plan.graph, plan.weights(), few)
        pictures = _in_chunks(artifact, graph.inputs, subject.inputs)
        entry = {"name": name, "kind": subject.kind, "precision": choice}
        entry |= self._described(artifact, pictures)
        choosing, encoding = self._chooser(), self._encoder()
        entry |= {"chooser": choosing} if choosing else {}
        entry |= {"encoder": encoding} if encoding else {}
        judged = self.judge and subject.generator
        exported = Exported(
            name=name,
            kind=subject.kind,
            precision=choice,
            weight_bytes=entry["weightBytes"] + choosing.get("weightBytes", 0),
            psnr=precision.decibel(precision.errors(pictures, subject.pictures).mean()),
            table=tuple(table),
            steps=(len(trained.nodes), len(plan.graph.nodes)),
            multiply_adds=(multiply_adds(trained), multiply_adds(graph)),
            kid=self.judge(subject.generator, graph, plan) if judged else None,
        )
        description = read_json(run / DESCRIPTION)
        facts = _facts(exported, difference, choosing, encoding)
        text = card.card(run, name, description, facts, table, choice)
        (self.home / card.CARD).write_text(text, encoding="utf-8")
        (self.home / card.LICENCE).write_text(card.licence(run), encoding="utf-8")
        return entry, exported

    @property
    def home(self) -> Path:
        return self.folder / self.place

    def _described(self, artifact: tfjs.Artifact, pictures: np.ndarray) -> dict:
        """The files, named by their content, and what a browser must know to use them."""
        graph = bundle.finish(self.home)
        shards = bundle.shards(graph)
        files, entry = [graph, *shards], {"factor": self.subject.factor}
        inputs = dict(artifact.inputs)
        if self.subject.generator is not None:
            entry, reference = self._references()
            files.append(reference)
            off = float(np.abs(pictures - self.subject.pictures).mean())
            entry["tolerance"] = round(TOLERANCE + 2 * off, 4)
            if groups := styles.described(self.subject.generator, artifact):
                entry["styles"] = groups
            inputs.setdefault("labels", None)
        return entry | {
            "graph": graph.relative_to(self.folder).as_posix(),
            "weightBytes": sum(shard.stat().st_size for shard in shards),
            "files": bundle.described(files, self.folder),
            "inputs": inputs,
            "output": artifact.output,
            "card": f"{self.place}/{card.CARD}",
        }

    def _chooser(self) -> dict:
        """The entry of the chooser, written beside the generator's graph; empty without one."""
        found = self.subject.generator and chooser_of(self.subject.generator)
        if not found:
            return {}
        return self._beside("chooser", found.model, OF_SCORES) | {"border": found.border}

    def _encoder(self) -> dict:
        """The entry of the encoder; empty without one."""
        found = encoder_of(self.subject.generator, "pages read no pictures of visitors")
        return self._beside("encoder", found.model, OF_LATENTS) if found else {}

    def _beside(self, name: str, model: keras.Model, change: float) -> dict:
        place, images = f"{self.place}/{name}", self.subject.pictures
        given = (model, images, change, self.wanted, self.convert)
        return beside.write(self.folder, place, name, *given)

    def _measured(self, graph: Graph, bar) -> tuple[dict[str, Plan], list[Measured]]:
        """The plans that come into question, and what they cost."""
        inputs, pictures = self.subject.inputs, self.subject.pictures
        names = precision.PRECISIONS if self.wanted == "auto" else (self.wanted,)
        bar.reset(
            len(names) * len(pictures)
            + ("mixed" in names) * precision.PROBES * len(precision.kernels(graph))
        )
        plans, table = {}, []
        for name in names:
            eight = ()
            if name == "mixed":
                eight = precision.choose_eight(graph, inputs, pictures, bar.update)
            plan = precision.plan(graph, name, eight)
            row = precision.measure(plan, inputs, pictures, bar.update)
            while name == "mixed" and eight and not row.invisible:
                # The errors of tensors added up to more than expected.
                eight = eight[:-1]
                plan = precision.plan(graph, name, eight)
                bar.total += len(pictures)
                row = precision.measure(plan, inputs, pictures, bar.update)
            plans[name] = plan
            table.append(row)
        return plans, table

    def _references(self) -> tuple[dict, Path]:
        """What is known of a generator, with an image that a browser can check itself by."""
        generator = self.subject.generator
        sampler = Sampler(generator)
        inputs = sampler.inputs(REFERENCE, 1)
        picture = sampler.decode(*inputs).tobytes()
        file = bundle.write_hashed(self.home, "reference", ".bin", picture)
        reference = {
            "seed": REFERENCE,
            "latent": bundle.encoded(inputs[0][0]),
            "labels": [float(x) for x in inputs[1][0]] if len(inputs) > 1 else None,
            "picture": file.relative_to(self.folder).as_posix(),
            "offset": 0,
        }
        described = {
            "latentDim": generator.latent_dim,
            "height": generator.height,
            "width": generator.width,
            "schema": generator.schema.to_json() if generator.schema else None,
            "references": [reference],
            "directions": directions.described(generator),
            "leastTruncation": generator.truncation and generator.truncation.least,
        }
        return described, file


def _in_chunks(
    artifact: tfjs.Artifact, names: Sequence[str], inputs: list[np.ndarray]
) -> np.ndarray:
    draw, step = artifact.function(), precision.CHUNK
    order = [inputs[names.index(name)] for name in artifact.inputs]
    starts = range(0, len(inputs[0]), step)
    return np.concatenate([draw(*(x[i : i + step] for x in order)) for i in starts])


def _smallest(table: Sequence[Measured]) -> str:
    """The smallest download whose images show no difference."""
    return min((row for row in table if row.invisible), key=lambda row: row.gzip_bytes).precision


def _facts(model: Exported, difference: float, choosing: Mapping, encoding: Mapping) -> list[str]:
    before, after = model.steps
    work = [f"{count / 1e6:,.0f}" for count in model.multiply_adds]
    facts = [
        f"weights: {model.precision}, {model.weight_bytes / 1e6:.2f} MB",
        f"images of the converted files: {model.psnr:.1f} dB from the trained model's",
        f"rewritten from {before} steps and {work[0]} million multiply-adds to {after} and "
        f"{work[1]}; that changed images by {difference:.1e} at most",
    ]
    if choosing:
        facts.append(
            f"of these {choosing['weightBytes'] / 1e6:.2f} MB, in {choosing['precision']}, are the "
            "chooser's, by which the site passes over broken images"
        )
    if encoding:
        facts.append(
            f"beside them {encoding['weightBytes'] / 1e6:.2f} MB, in {encoding['precision']}, of "
            "the encoder, which is fetched when a visitor opens a picture of their own"
        )
    if model.kid is not None:
        facts.append(
            f"KID against float32 images of other seeds ({JUDGED} each): float32 "
            f"{model.kid[0]:.5f}, these weights {model.kid[1]:.5f}"
        )
    return facts


def kid_judge(extractor: str | None) -> Judge | None:
    """KID of float32 and of exported weights, or None without an extractor."""
    if extractor is None:
        return None
    from tfanime.metrics import extract, kid_from_features, load_extractor

    network = load_extractor(extractor)

    def judged(generator: Generator, graph: Graph, plan: Plan) -> tuple[float, float]:
        def features(seed: int, how: Graph, weights: Mapping | None):
            inputs = Sampler(generator).inputs(seed, JUDGED)
            return extract(to_uint8(precision.draw(how, inputs, weights)), network)

        other = features(MEASURED_SEED + 1, graph, None)
        exact = features(MEASURED_SEED, graph, None)
        drawn = features(MEASURED_SEED, plan.graph, plan.weights())
        return tuple(float(kid_from_features(other, these).mean) for these in (exact, drawn))

    return judged
