"""What the metrics of one evaluation share: sets, features and labels, made when first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tfanime.core.labels import LabelSchema
from tfanime.data import PackedDataset
from tfanime.evaluation.subject import Subject
from tfanime.metrics.extractor import Extractor
from tfanime.metrics.features import extract, features_in_chunks, load_extractor
from tfanime.metrics.statistics import (
    Statistics,
    dataset_features,
    dataset_statistics,
    statistics_of,
)

if TYPE_CHECKING:
    from tfanime.tagging import Tagger


CHUNK = 4096  # real images in memory at once, where all of them are looked through


class NotApplicable(ValueError):
    """Raised by a metric that this subject or these data cannot have; the message says why."""


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Args:
        n: generated images of each draw.
        real_n: real images they are compared with, and as many others for the floor, or as are
            left.
        draws: how often images are drawn, each time from another seed.
        seed: of the first draw, and of the choice of real images.
        extractor, classifier, tagger: texts that name networks.
        resize: `"clean"` or `"legacy"`.
        label: field whose values are the classes; None: no figures by class.
        per_attribute: images for each attribute.
        stream: keep no features: only FID is measured.
        cache: folder for what is known of real sets.
        progress: show progress bars.
        gan_extractor: whose features GAN-train and GAN-test learn from; None: `extractor`'s.
        stand_ins: name of a network to that of another, which takes its place where it cannot be
            had; None: nothing does.
    """

    n: int
    real_n: int
    draws: int
    seed: int
    extractor: str
    classifier: str
    tagger: str | None
    resize: str
    label: str | None
    per_attribute: int
    stream: bool
    cache: str | None
    progress: bool
    gan_extractor: str | None = None
    stand_ins: Mapping[str, str] | None = None


class Workbench:
    """Real and generated images and what networks see in them.

    The real set falls into random parts, since the order of its files may mean something (years,
    artists): `real`, which everything is compared with, and `other`, for the floor. A generator
    with labels is asked for those of `real` (Jin et al. 2017, section 5.3.2): asked for attributes
    that never go together, it would be blamed for drawing them. As there, each draw samples real
    images of its own; figures of one draw, and the floor, are of the first.
    """

    def __init__(self, subject: Subject, data: PackedDataset, settings: Settings):
        self.subject, self.data, self.settings = subject, data, settings
        self._parts: dict[int, tuple[PackedDataset, PackedDataset, PackedDataset | None]] = {}
        self._drawn: dict[int, tuple[np.ndarray, np.ndarray | None]] = {}
        self._real_features: dict[int, np.ndarray] = {}
        self._features: dict[int, np.ndarray] = {}
        self._stood_in: dict[str, str] = {}

    # ---- real images -----------------------------------------------------------------------

    def parts(self, draw: int = 0) -> tuple[PackedDataset, PackedDataset, PackedDataset | None]:
        """`real`, `other`, and what is left, of a draw."""
        if draw not in self._parts:
            seed, count = self.settings.seed + draw, self.other_n
            rest, real = self.data.split(self.settings.real_n / len(self.data), seed)
            if len(rest) == count:
                self._parts[draw] = real, rest, None
            else:
                remainder, other = rest.split(count / len(rest), seed)
                self._parts[draw] = real, other, remainder
        return self._parts[draw]

    @property
    def other_n(self) -> int:
        """Real images of the floor: as many as are compared with, where so many are left."""
        return min(self.settings.real_n, len(self.data) - self.settings.real_n)

    @property
    def real(self) -> PackedDataset:
        return self.parts()[0]

    @property
    def other(self) -> PackedDataset:
        return self.parts()[1]

    def training_chunks(self) -> Iterator[np.ndarray]:
        """Images of all the real set but `other`, some thousands at a time."""
        for part in (self.real, self.parts()[2]):
            for start in range(0, len(part or ()), CHUNK):
                yield part.images(slice(start, start + CHUNK))

    @cached_property
    def real_pictures(self) -> np.ndarray:
        return self.real.images()

    @cached_property
    def other_pictures(self) -> np.ndarray:
        return self.other.images()

    @property
    def real_features(self) -> np.ndarray:
        return self.real_features_of(0)

    def real_features_of(self, draw: int) -> np.ndarray:
        if draw not in self._real_features:
            self._real_features[draw] = self._known(dataset_features, self.parts(draw)[0])
        return self._real_features[draw]

    @cached_property
    def other_features(self) -> np.ndarray:
        return self._known(dataset_features, self.other)

    def real_statistics_of(self, draw: int) -> Statistics:
        if self.settings.stream:
            return self._known(dataset_statistics, self.parts(draw)[0])
        return statistics_of(self.real_features_of(draw))

    @cached_property
    def other_statistics(self) -> Statistics:
        if self.settings.stream:
            return self._known(dataset_statistics, self.other)
        return statistics_of(self.other_features)

    def _known(self, function, part: PackedDataset):
        settings = self.settings
        return function(
            part, self.extractor, settings.resize, settings.cache, progress=settings.progress
        )

    # ---- generated images ------------------------------------------------------------------

    def drawn(self, draw: int = 0) -> tuple[np.ndarray, np.ndarray | None]:
        """Images of a draw, and their labels or None. Those of the first are kept."""
        if draw in self._drawn:
            return self._drawn[draw]
        parts = list(self._chunks(draw))
        labels = None if parts[0][1] is None else np.concatenate([part[1] for part in parts])
        arrays = np.concatenate([part[0] for part in parts]), labels
        if draw == 0:
            self._drawn[draw] = arrays
        return arrays

    def features(self, draw: int = 0) -> np.ndarray:
        if draw not in self._features:
            self._features[draw] = self.extract(self.drawn(draw)[0])
        return self._features[draw]

    def statistics(self, draw: int = 0) -> Statistics:
        if not self.settings.stream:
            return statistics_of(self.features(draw))
        pictures = (part for part, _ in self._chunks(draw))
        return statistics_of(features_in_chunks(pictures, self.extractor, self.settings.resize))

    def extract(self, pictures: np.ndarray) -> np.ndarray:
        settings = self.settings
        return extract(pictures, self.extractor, settings.resize, settings.progress)

    def _chunks(self, draw: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        from tfanime.core.bars import progress_bar

        settings = self.settings
        with progress_bar(
            total=settings.n, desc="drawing", unit=" images", disable=not settings.progress
        ) as bar:
            rows = self._label_rows(draw)
            for part in self.subject.chunks(settings.n, settings.seed + draw, rows):
                bar.update(len(part[0]))
                yield part

    @property
    def labels_from(self) -> str | None:
        """Where the labels of generated images come from, in words; None: they have none."""
        if not self.subject.conditional:
            return None
        rows = self._real_rows(0)
        if rows is None:
            return "drawn from the model's prior: the real images have none that it knows"
        unknown = [
            name
            for name, columns in self.schema.slices().items()
            if np.isnan(rows[:, columns]).all()
        ]
        rest = f"; {', '.join(unknown)} from the model's prior" if unknown else ""
        return f"rows of the real images, which each draw samples anew{rest}"

    def _real_rows(self, draw: int) -> np.ndarray | None:
        """`(real_n, L)`: labels of a draw's real images, as the generator has them, or None."""
        if not self.subject.conditional or self.data.schema is None:
            return None
        rows = self.schema.convert(self.parts(draw)[0].labels(), self.data.schema)
        return None if np.isnan(rows).all() else rows

    def _label_rows(self, draw: int) -> np.ndarray | None:
        """`(n, L)`: what a draw is asked to show. Each real image's labels come as often as any
        other's, so that only what is drawn differs, not how often it is asked for."""
        rows = self._real_rows(draw)
        if rows is None:
            return None
        random = np.random.default_rng((self.settings.seed, draw))
        rounds = -(-self.settings.n // len(rows))
        order = [random.permutation(len(rows)) for _ in range(rounds)]
        return rows[np.concatenate(order)[: self.settings.n]]

    # ---- networks ----------------------------------------------------------------------------

    @cached_property
    def extractor(self) -> Extractor:
        return self.loaded(self.settings.extractor, load_extractor)

    @cached_property
    def for_gan_train_test(self) -> Workbench:
        """The same images, and the features of `gan_extractor`."""
        name = self.settings.gan_extractor
        if name in (None, self.settings.extractor):
            return self
        other = Workbench(self.subject, self.data, replace(self.settings, extractor=name))
        other._drawn, other._stood_in = self._drawn, self._stood_in
        return other

    def loaded(self, spec: str, load: Callable[[str], Extractor]) -> Extractor:
        """The network that `spec` names, or its stand-in.

        Raises:
            ValueError: if neither can be had.
        """
        try:
            return load(spec)
        except (ValueError, ImportError) as error:
            other = (self.settings.stand_ins or {}).get(spec)
            if other is None:
                raise
            first = str(error)
        try:
            network = load(other)
        except (ValueError, ImportError) as error:
            raise ValueError(f"{first} Its stand-in cannot be had either: {error}") from error
        self._stood_in[spec] = other
        return network

    def used(self, spec: str) -> str:
        """The name of the network that stands for `spec`: itself, or its stand-in."""
        return self._stood_in.get(spec, spec)

    def stand_in(self, spec: str) -> dict[str, str]:
        """For a protocol: what took the place of a network, if something did."""
        if spec not in self._stood_in:
            return {}
        return {"stand-in": f"{self._stood_in[spec]} for {spec}, whose weights could not be had"}

    @cached_property
    def tagger(self) -> Tagger:
        from tfanime.tagging import load_tagger

        return load_tagger(self.settings.tagger)

    # ---- classes -----------------------------------------------------------------------------

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that real and generated images have in common.

        Raises:
            NotApplicable: if there are none.
        """
        name = self.settings.label
        if name is None:
            raise NotApplicable("it needs labels that both the images and the real set have")
        of_real, of_fake = (_values(schema, name) for schema in (self.data.schema, self.schema))
        common = tuple(value for value in of_real if value in of_fake)
        if len(common) < 2:
            raise NotApplicable(f"real and generated images share fewer than two of {name!r}")
        return common

    @property
    def schema(self) -> LabelSchema | None:
        return self.subject.schema

    def real_classes(self, part: PackedDataset) -> np.ndarray:
        """`(n,)`: index into `classes`, -1 where not known or not common."""
        return self._indices(part.labels(), self.data.schema)

    def fake_classes(self, draw: int = 0) -> np.ndarray:
        return self._indices(self.drawn(draw)[1], self.schema)

    def _indices(self, labels: np.ndarray, schema: LabelSchema) -> np.ndarray:
        name, classes = self.settings.label, self.classes
        part = labels[:, schema.slices()[name]]
        labelled = ~np.isnan(part).any(axis=1)
        values = _values(schema, name)
        if schema.field(name).kind == "flag":
            indices = (np.nan_to_num(part[:, 0]) >= 0.5).astype(int)
        else:
            indices = np.nan_to_num(part).argmax(axis=1)
        place = np.array([classes.index(v) if v in classes else -1 for v in values])
        return np.where(labelled, place[indices], -1)


def common_field(one: LabelSchema | None, other: LabelSchema | None) -> str | None:
    """The first field with classes that both have: a group if there is one, else a flag."""
    if one is None or other is None:
        return None
    names = {field.name for field in other.fields}
    for kind in ("group", "flag"):
        for field in one.fields:
            if field.kind == kind and field.name in names:
                return field.name
    return None


def _values(schema: LabelSchema | None, name: str) -> tuple[str, ...]:
    fields = {} if schema is None else {field.name: field for field in schema.fields}
    if name not in fields or fields[name].kind == "value":
        listed = ", ".join(f for f in fields if fields[f].kind != "value") or "none"
        raise NotApplicable(f"both need classes by {name!r}; one of them has: {listed}")
    return fields[name].values if fields[name].kind == "group" else ("no", "yes")
