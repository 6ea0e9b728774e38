"""What is known about a picture: a `LabelSchema` and arrays of labels that follow it.

A label array is `(n, schema.size)` float32 in the *0/1 coding*: a group is one-hot over its
values, a flag is 0 or 1, a continuous value is its position between `low` and `high` (0 to 1),
and NaN stands for "not known". The *-1/+1 coding*, which the networks are fed
(MakeGirlsMoe, Jin et al. 2017, section 3.4), is `2 x - 1` with 0 for "not known".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

KINDS = ("group", "flag", "value")
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
MIDDLE = 1e-6  # what stands for 0 in -1/+1 coding
QUANTILES = 17  # knots of the stored distribution of a continuous value


@dataclass(frozen=True)
class Field:
    """One thing that can be known about a picture.

    Args:
        name: what users type, for example `"hair"` or `"smile"`.
        kind: `"group"` (exactly one of `values`), `"flag"` (yes or no) or `"value"`
            (a number between `low` and `high`).
        values: the names of a group's values, in column order.
        frequencies: empirical distribution: of a group, one probability a value; of a flag, a
            single probability; of a value, its 17 equally spaced quantiles in 0/1 coding.
            Empty when unknown.
        low, high: the range of a `"value"` field, in its own unit.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    frequencies: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"A label field's kind is one of {KINDS}. Received: {self.kind!r}.")
        if self.kind == "group" and len(set(self.values)) < 2:
            raise ValueError(
                f"The group {self.name!r} needs at least two different values. "
                f"Received: {list(self.values)}."
            )
        if self.kind == "value" and not self.low < self.high:
            raise ValueError(
                f"The value {self.name!r} needs low < high. Received: {self.low} and {self.high}."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names: `blue_hair` for the value `blue` of the group `hair`, else the name."""
        if self.kind == "group":
            return tuple(f"{value}_{self.name}" for value in self.values)
        return (self.name,)

    @property
    def size(self) -> int:
        return len(self.values) if self.kind == "group" else 1

    def default_frequencies(self) -> tuple[float, ...]:
        """Seed B's training prior: groups uniform, flags 0.25; values uniform."""
        if self.kind == "group":
            return (1.0 / self.size,) * self.size
        if self.kind == "flag":
            return (0.25,)
        return tuple(np.linspace(0.0, 1.0, QUANTILES))


@dataclass(frozen=True)
class LabelSchema:
    """The ordered fields of a label array.

    Example:
        >>> hair = Field("hair", "group", ("blonde", "blue"))
        >>> schema = LabelSchema((hair, Field("smile", "flag")))
        >>> schema.columns
        ('blonde_hair', 'blue_hair', 'smile')
        >>> schema.encode({"hair": "blue"})
        array([ 0.,  1., nan], dtype=float32)
    """

    fields: tuple[Field, ...]

    def __post_init__(self):
        columns = self.columns
        repeated = sorted({name for name in columns if columns.count(name) > 1})
        if repeated:
            raise ValueError(f"Label columns must have different names. Repeated: {repeated}.")

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for field in self.fields for column in field.columns)

    @property
    def size(self) -> int:
        """Number of columns of a label array."""
        return sum(field.size for field in self.fields)

    def slices(self) -> dict[str, slice]:
        """Where each field's columns are."""
        found, start = {}, 0
        for field in self.fields:
            found[field.name] = slice(start, start + field.size)
            start += field.size
        return found

    def field(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise ValueError(
            f"{name!r} is not a known attribute. Known: {', '.join(f.name for f in self.fields)}."
        )

    # ---- from and to words -------------------------------------------------------------------

    def encode(self, tags: Mapping[str, object]) -> np.ndarray:
        """Words to one label row.

        Args:
            tags: field name to value: `{"hair": "blue", "smile": True, "year": 2010}`.

        Returns:
            `(size,)` float32, 0/1 coding, NaN for the fields that `tags` leaves open.

        Raises:
            ValueError: for an unknown field or value; the message lists the known ones.
        """
        row = np.full(self.size, np.nan, np.float32)
        where = self.slices()
        for name, given in tags.items():
            row[where[self.field(name).name]] = self._encode_one(self.field(name), given)
        return row

    def _encode_one(self, field: Field, given: object) -> np.ndarray | float:
        if field.kind == "group":
            if str(given) not in field.values:
                raise ValueError(
                    f"{field.name!r} is one of: {', '.join(field.values)}. Received: {given!r}."
                )
            return np.eye(field.size, dtype=np.float32)[field.values.index(str(given))]
        if field.kind == "flag":
            word = str(given).strip().lower()
            if word in TRUE_WORDS or word in FALSE_WORDS:
                return float(word in TRUE_WORDS)
            raise ValueError(f"{field.name!r} is true or false. Received: {given!r}.")
        try:
            number = float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = np.nan
        if not field.low <= number <= field.high:
            raise ValueError(
                f"{field.name!r} is a number from {field.low:g} to {field.high:g}. "
                f"Received: {given!r}."
            )
        return (number - field.low) / (field.high - field.low)

    def decode(self, row: np.ndarray) -> dict[str, object]:
        """One label row back to words; unknown fields are left out."""
        tags: dict[str, object] = {}
        for field in self.fields:
            part = np.asarray(row)[self.slices()[field.name]]
            if np.isnan(part).any():
                continue
            if field.kind == "group":
                tags[field.name] = field.values[int(part.argmax())]
            elif field.kind == "flag":
                tags[field.name] = bool(part[0] >= 0.5)
            else:
                tags[field.name] = float(field.low + part[0] * (field.high - field.low))
        return tags

    # ---- priors ------------------------------------------------------------------------------

    def with_frequencies(self, labels: np.ndarray) -> LabelSchema:
        """The same schema carrying the empirical frequencies of `labels` `(n, size)`."""
        fields = []
        for field in self.fields:
            part = np.asarray(labels, np.float64)[:, self.slices()[field.name]]
            part = part[~np.isnan(part).any(axis=1)]
            if not len(part):
                found = ()
            elif field.kind == "value":
                found = np.quantile(part[:, 0], np.linspace(0, 1, QUANTILES))
            else:
                found = part.mean(axis=0)
            fields.append(replace(field, frequencies=tuple(float(x) for x in found)))
        return LabelSchema(tuple(fields))

    def sample(
        self, uniforms: np.ndarray, prior: str = "empirical", given: np.ndarray | None = None
    ) -> np.ndarray:
        """Draw labels from a prior.

        Args:
            uniforms: `(n, len(fields))` in [0, 1), one number a field.
            prior: `"empirical"` (the stored frequencies; a field without them falls back to the
                training prior) or `"training"` (seed B: groups uniform, flags 0.25).
            given: `(n, size)` or `(size,)`, 0/1 coding; fields that are not NaN are kept.

        Returns:
            `(n, size)` float32, 0/1 coding, no NaN.
        """
        if prior not in ("empirical", "training"):
            raise ValueError(f"prior is 'empirical' or 'training'. Received: {prior!r}.")
        uniforms = np.asarray(uniforms)
        labels = np.empty((len(uniforms), self.size), np.float32)
        for i, field in enumerate(self.fields):
            u, place = uniforms[:, i], self.slices()[field.name]
            known = field.frequencies if prior == "empirical" else ()
            table = np.asarray(known or field.default_frequencies(), np.float64)
            if field.kind == "group":
                # The total is added left to right, as the twins of docs/seeds.md do. The last edge
                # is left out, so rounding cannot fall off the end.
                edges = np.cumsum(table / np.cumsum(table)[-1])[:-1]
                chosen = (u[:, None] >= edges[None, :]).sum(axis=1)
                labels[:, place] = np.eye(field.size, dtype=np.float32)[chosen]
            elif field.kind == "flag":
                labels[:, place] = (u < table[0])[:, None]
            else:
                labels[:, place] = np.interp(u, np.linspace(0, 1, len(table)), table)[:, None]
        if given is not None:
            given = np.broadcast_to(given, labels.shape)
            labels = np.where(np.isnan(given), labels, given).astype(np.float32)
        return labels

    # ---- storage -----------------------------------------------------------------------------

    def to_json(self) -> dict:
        """A JSON-ready description, read back by `from_json`."""
        return {
            "fields": [
                {
                    "name": f.name,
                    "kind": f.kind,
                    "values": list(f.values),
                    "frequencies": list(f.frequencies),
                    "low": f.low,
                    "high": f.high,
                }
                for f in self.fields
            ]
        }

    @classmethod
    def from_json(cls, stored: Mapping) -> LabelSchema:
        return cls(
            tuple(
                Field(
                    name=f["name"],
                    kind=f["kind"],
                    values=tuple(f.get("values", ())),
                    frequencies=tuple(f.get("frequencies", ())),
                    low=f.get("low", 0.0),
                    high=f.get("high", 1.0),
                )
                for f in stored["fields"]
            )
        )


def to_signed(labels: np.ndarray) -> np.ndarray:
    """0/1 coding to -1/+1 coding; NaN becomes 0. Any shape, float32."""
    signed = np.asarray(labels, np.float32) * 2.0 - 1.0
    # A value right in the middle of its range is known: only "not known" is exactly 0.
    signed = np.where(signed == 0, np.float32(MIDDLE), signed)
    return np.nan_to_num(signed, nan=0.0)


def to_unsigned(labels: np.ndarray) -> np.ndarray:
    """-1/+1 coding to 0/1 coding. Any shape, float32; an unknown (0) becomes 0.5."""
    return (np.asarray(labels, np.float32) + 1.0) / 2.0


def _flags(names: str, frequencies: Sequence[float]) -> tuple[Field, ...]:
    both = zip(names.split(), frequencies, strict=True)
    return tuple(Field(name, "flag", (), (p,)) for name, p in both)


def _group(name: str, values: str, frequencies: Sequence[float]) -> Field:
    total = sum(frequencies)
    return Field(name, "group", tuple(values.split()), tuple(p / total for p in frequencies))


# The 34 attributes of MakeGirlsMoe, in the order its released generator takes them, with the
# frequencies that the original site sampled from.
MAKEGIRLSMOE = LabelSchema(
    (
        _group(
            "hair",
            "blonde brown black blue pink purple green red silver white orange aqua gray",
            (0.160, 0.213, 0.155, 0.105, 0.080, 0.095, 0.036)
            + (0.077, 0.032, 0.018, 0.022, 0.005, 0.002),
        ),
        *_flags("long_hair short_hair twintails drill_hair ponytail", (0.25,) * 5),
        *_flags(
            "blush smile open_mouth hat ribbon glasses",
            (0.6, 0.6, 0.25, 0.045, 0.3, 0.054),
        ),
        _group(
            "eyes",
            "blue red brown green purple yellow pink aqua black orange",
            (0.284, 0.158, 0.179, 0.134, 0.142, 0.054, 0.010, 0.006, 0.032, 0.002),
        ),
    )
)
