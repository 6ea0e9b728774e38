"""What is known about a picture: a `LabelSchema` and arrays of labels that follow it.

A label array is `(n, schema.size)` float32 in the *0/1 coding*: a group is one-hot over its
values, a flag is 0 or 1, a continuous value is its position between `low` and `high` (0 to 1), a
vector's numbers v are stored as (v + 1) / 2 so that the networks see v, and NaN stands for "not
known". The *-1/+1 coding*, which the networks are fed
(MakeGirlsMoe, Jin et al. 2017, section 3.4), is `2 x - 1` with 0 for "not known".
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute

import numpy as np

from tfanime.printing import near_miss

KINDS = ("group", "flag", "value", "vector")
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
MIDDLE = 1e-6  # what stands for 0 in -1/+1 coding
QUANTILES = 17  # knots of the stored distribution of a continuous value
EXAMPLES = 256  # rows that a schema with vectors keeps, to draw labels from
ROWS = 1024  # rows that a schema without vectors keeps, if it is asked to


@dataclass(frozen=True)
class Field:
    """One thing that can be known about a picture.

    Args:
        name: what users type, for example `"hair"` or `"smile"`.
        kind: `"group"` (exactly one of `values`), `"flag"` (yes or no), `"value"` (a number
            between `low` and `high`) or `"vector"` (`length` numbers, such as those of a text).
        values: the names of a group's values, in column order.
        frequencies: empirical distribution: of a group, one probability a value; of a flag, a
            single probability; of a value, its 17 equally spaced quantiles in 0/1 coding.
            Empty when unknown.
        low, high: the range of a `"value"` field, in its own unit.
        length: of a `"vector"`.
        free: a code that no picture is labelled with and a generator gives a meaning of its own
            (InfoGAN), see `with_codes`.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    frequencies: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 1.0
    length: int = 0
    free: bool = False

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
        if (self.kind == "vector") != (self.length > 0):
            raise ValueError(
                f"length is at least 1 for a vector, and for nothing else. Received: {self.length} "
                f"for the {self.kind} {self.name!r}."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names: `blue_hair` for the value `blue` of the group `hair`, else the name."""
        if self.kind == "group":
            return tuple(f"{value}_{self.name}" for value in self.values)
        if self.kind == "vector":
            return tuple(f"{self.name}_{i}" for i in range(self.length))
        return (self.name,)

    @property
    def size(self) -> int:
        if self.kind == "vector":
            return self.length
        return len(self.values) if self.kind == "group" else 1

    def default_frequencies(self) -> tuple[float, ...]:
        """Seed B's training prior: groups uniform, flags 0.25; values uniform."""
        if self.kind == "group":
            return (1.0 / self.size,) * self.size
        if self.kind == "flag":
            return (0.25,)
        if self.kind == "vector":
            return ()
        return tuple(np.linspace(0.0, 1.0, QUANTILES))


@dataclass(frozen=True)
class LabelSchema:
    """The ordered fields of a label array; vectors come last.

    The numbers of a vector cannot be drawn one by one, and they go with the other labels. So a
    schema with vectors keeps `examples`, whole rows of the data, and draws labels from these.
    Others may (`with_rows`): then attributes that never go together are never drawn together.

    Args:
        fields: see `Field`.
        examples: `(k, size)` float32, 0/1 coding, or None.

    Example:
        >>> hair = Field("hair", "group", ("blonde", "blue"))
        >>> schema = LabelSchema((hair, Field("smile", "flag")))
        >>> schema.columns
        ('blonde_hair', 'blue_hair', 'smile')
        >>> schema.encode({"hair": "blue"})
        array([ 0.,  1., nan], dtype=float32)
    """

    fields: tuple[Field, ...]
    examples: np.ndarray | None = attribute(default=None, compare=False, repr=False)

    def __post_init__(self):
        kinds = [f.kind == "vector" for f in self.fields]
        if kinds != sorted(kinds):
            raise ValueError(
                "Vectors come after all other labels. "
                f"Received: {', '.join(f'{f.name} ({f.kind})' for f in self.fields)}."
            )
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

    @property
    def vector_size(self) -> int:
        """Number of columns, the last ones, that belong to vectors."""
        return sum(field.size for field in self.fields if field.kind == "vector")

    def select(self, names: Sequence[str]) -> tuple[LabelSchema, np.ndarray]:
        """A schema of some fields, in their present order, and the columns that they have here.

        Raises:
            ValueError: for an unknown field, or none at all.
        """
        wanted = {self.field(name).name for name in names}
        if not wanted:
            raise ValueError("A selection of labels names one or more. Received none.")
        kept = tuple(f for f in self.fields if f.name in wanted)
        where = self.slices()
        columns = np.concatenate([np.r_[where[f.name]] for f in kept])
        examples = None if self.examples is None else self.examples[:, columns]
        return LabelSchema(kept, examples), columns

    def with_codes(self, codes: Sequence[Field]) -> LabelSchema:
        """The same schema with more fields, which come before its vectors."""
        vectors = tuple(f for f in self.fields if f.kind == "vector")
        others = tuple(f for f in self.fields if f.kind != "vector")
        schema = LabelSchema((*others, *codes, *vectors))
        if self.examples is None:
            return schema
        return replace(schema, examples=schema.widen(self.examples, self))

    def widen(self, labels: np.ndarray, schema: LabelSchema) -> np.ndarray:
        """Label rows `(n, schema.size)` of a schema with some of this one's fields as rows `(n,
        size)` of this one, NaN where that one lacks the field."""
        rows = np.full((len(labels), self.size), np.nan, np.float32)
        here = self.slices()
        for name, place in schema.slices().items():
            rows[:, here[name]] = labels[:, place]
        return rows

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
        known = [f.name for f in self.fields]
        raise ValueError(
            f"{name!r} is not a known attribute. Known: {', '.join(known)}.{near_miss(name, known)}"
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
        check_tags(tags)
        row = np.full(self.size, np.nan, np.float32)
        where = self.slices()
        for name, given in tags.items():
            row[where[self.field(name).name]] = self._encode_one(self.field(name), given)
        return row

    def _encode_one(self, field: Field, given: object) -> np.ndarray | float:
        if field.kind == "group":
            return np.eye(field.size, dtype=np.float32)[_place(field, given)]
        if field.kind == "vector":
            numbers = np.asarray(given)
            if numbers.shape != (field.length,) or numbers.dtype.kind not in "fiu":
                raise ValueError(
                    f"{field.name!r} is a vector of {field.length} numbers, made from a text by "
                    f"`tfanime imagine`. Received: {type(given).__name__}."
                )
            return to_unsigned(numbers)
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
        """One label row back to words; unknown fields and vectors are left out."""
        tags: dict[str, object] = {}
        for field in self.fields:
            part = np.asarray(row)[self.slices()[field.name]]
            if field.kind == "vector" or np.isnan(part).any():
                continue
            if field.kind == "group":
                tags[field.name] = field.values[int(part.argmax())]
            elif field.kind == "flag":
                tags[field.name] = bool(part[0] >= 0.5)
            else:
                tags[field.name] = float(field.low + part[0] * (field.high - field.low))
        return tags

    def convert(self, labels: np.ndarray, schema: LabelSchema) -> np.ndarray:
        """Label rows of another schema, by the names of its fields, as rows of this one.

        Args:
            labels: `(n, schema.size)`, 0/1 coding.
            schema: what the columns of `labels` mean.

        Returns:
            `(n, size)` float32, 0/1 coding, NaN where a label is not known, where `schema` lacks
            the field, and where this one lacks the value.
        """
        rows = np.full((len(labels), self.size), np.nan, np.float32)
        others = {field.name: field for field in schema.fields}
        here, there = self.slices(), schema.slices()
        for field in self.fields:
            other = others.get(field.name)
            if other is None or other.kind != field.kind:
                continue
            part = np.asarray(labels, np.float32)[:, there[field.name]]
            if field.kind == "group":
                values = {value: part[:, i] for i, value in enumerate(other.values)}
                absent = np.zeros(len(part), np.float32)
                part = np.stack([values.get(value, absent) for value in field.values], axis=1)
                part[~(part.sum(axis=1) > 0)] = np.nan
            elif field.kind == "value":
                number = other.low + part * (other.high - other.low)
                part = np.clip((number - field.low) / (field.high - field.low), 0, 1)
            elif field.size != other.size:
                continue
            rows[:, here[field.name]] = part
        return rows

    # ---- priors ------------------------------------------------------------------------------

    def with_frequencies(self, labels: np.ndarray) -> LabelSchema:
        """The same schema carrying the empirical frequencies of `labels` `(n, size)`, and examples
        of them, spread over the rows, if it has vectors."""
        fields = []
        for field in self.fields:
            part = np.asarray(labels, np.float64)[:, self.slices()[field.name]]
            part = part[~np.isnan(part).any(axis=1)]
            if not len(part) or field.kind == "vector":
                found = ()
            elif field.kind == "value":
                found = np.quantile(part[:, 0], np.linspace(0, 1, QUANTILES))
            else:
                found = part.mean(axis=0)
            fields.append(replace(field, frequencies=tuple(float(x) for x in found)))
        return LabelSchema(tuple(fields)).with_examples(labels)

    def with_examples(self, labels: np.ndarray) -> LabelSchema:
        """The same schema with examples from `labels` `(n, size)`, if it has vectors."""
        if not self.vector_size:
            return self
        vectors = np.asarray(labels)[:, -self.vector_size :]
        known = np.flatnonzero(~np.isnan(vectors).any(axis=1))
        if not len(known):
            return self
        return self._with_some(labels, known, EXAMPLES)

    def with_rows(self, labels: np.ndarray) -> LabelSchema:
        """The same schema with examples from `labels` `(n, size)`, with or without vectors."""
        if self.vector_size:
            return self.with_examples(labels)
        return self._with_some(labels, np.arange(len(labels)), ROWS)

    def _with_some(self, labels: np.ndarray, rows: np.ndarray, most: int) -> LabelSchema:
        """Examples from `rows`, spread over them."""
        spread = np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)
        return replace(self, examples=np.asarray(labels, np.float32)[rows[spread]])

    def sample(
        self, uniforms: np.ndarray, prior: str = "empirical", given: np.ndarray | None = None
    ) -> np.ndarray:
        """Draw labels from a prior.

        Args:
            uniforms: `(n, len(fields))` in [0, 1), one number a field.
            prior: `"empirical"` (the stored frequencies; a field without them falls back to the
                training prior) or `"training"` (seed B: groups uniform, flags 0.25).
            given: `(n, size)` or `(size,)`, 0/1 coding; fields that are not NaN are kept.

        With examples whole ones are drawn, among those that agree most with `given`; its prior
        then is that of the examples.

        Returns:
            `(n, size)` float32, 0/1 coding, no NaN.
        """
        if prior not in ("empirical", "training"):
            raise ValueError(f"prior is 'empirical' or 'training'. Received: {prior!r}.")
        uniforms = np.asarray(uniforms)
        labels = np.empty((len(uniforms), self.size), np.float32)
        for i, field in enumerate(self.fields):
            u, place = uniforms[:, i], self.slices()[field.name]
            if field.kind == "vector":
                labels[:, place] = 0.5  # the middle, where there are no examples
                continue
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
        given = None if given is None else np.broadcast_to(given, labels.shape)
        if self.examples is not None and (given is None or np.isnan(given).any()):
            drawn = self._drawn_examples(uniforms[:, len(self.fields) - 1], given)
            labels = np.where(np.isnan(drawn), labels, drawn)
        if given is not None:
            labels = np.where(np.isnan(given), labels, given).astype(np.float32)
        return labels

    def _drawn_examples(self, u: np.ndarray, given: np.ndarray | None) -> np.ndarray:
        """An example for each number of `u`, among those nearest to what is given."""
        examples = self.examples
        if given is None or np.isnan(given).all():
            return examples[(u * len(examples)).astype(int)]
        drawn = np.empty((len(u), self.size), np.float32)
        for i, row in enumerate(given):
            known = ~np.isnan(row)
            apart = np.nansum(np.abs(examples[:, known] - row[known]), axis=1)
            close = np.flatnonzero(apart <= apart.min() + 1e-6)
            drawn[i] = examples[close[int(u[i] * len(close))]]
        return drawn

    # ---- storage -----------------------------------------------------------------------------

    def to_json(self) -> dict:
        """A JSON-ready description, read back by `from_json`."""
        stored = {}
        if self.examples is not None:
            halves = np.ascontiguousarray(self.examples, "<f2")
            stored = {"examples": base64.b64encode(halves.tobytes()).decode()}
        return stored | {
            "fields": [
                {
                    "name": f.name,
                    "kind": f.kind,
                    "values": list(f.values),
                    "frequencies": list(f.frequencies),
                    "low": f.low,
                    "high": f.high,
                    **({"length": f.length} if f.length else {}),
                    **({"free": True} if f.free else {}),
                }
                for f in self.fields
            ]
        }

    @classmethod
    def from_json(cls, stored: Mapping) -> LabelSchema:
        schema = cls(
            tuple(
                Field(
                    name=f["name"],
                    kind=f["kind"],
                    values=tuple(f.get("values", ())),
                    frequencies=tuple(f.get("frequencies", ())),
                    low=f.get("low", 0.0),
                    high=f.get("high", 1.0),
                    length=f.get("length", 0),
                    free=bool(f.get("free", False)),
                )
                for f in stored["fields"]
            )
        )
        if "examples" not in stored:
            return schema
        rows = np.frombuffer(base64.b64decode(stored["examples"]), "<f2")
        return replace(schema, examples=rows.astype(np.float32).reshape(-1, schema.size))


def _place(field: Field, given: object) -> int:
    """Which value of a group is meant; capitals matter only where two values differ in them."""
    word = str(given)
    same = [i for i, value in enumerate(field.values) if value.lower() == word.lower()]
    if word in field.values:
        return field.values.index(word)
    if len(same) == 1:
        return same[0]
    raise ValueError(
        f"{field.name!r} is one of: {', '.join(field.values)}. "
        f"Received: {given!r}.{near_miss(given, field.values)}"
    )


def free_codes(categorical: int, values: int, continuous: int) -> tuple[Field, ...]:
    """The codes of an InfoGAN (Chen et al. 2016, section 7): `categorical_1`, ... with the values
    0, 1, ..., all equally likely, and `continuous_1`, ... uniform from -1 to 1."""
    names = tuple(str(value) for value in range(values))
    groups = [Field(f"categorical_{i + 1}", "group", names, free=True) for i in range(categorical)]
    numbers = [
        Field(f"continuous_{i + 1}", "value", low=-1.0, high=1.0, free=True)
        for i in range(continuous)
    ]
    return (*groups, *numbers)


def check_tags(tags: Mapping[str, object] | None) -> None:
    """Checks that tags are a dictionary, or None.

    Raises:
        ValueError: for a bare word, such as a value without its attribute.
    """
    if tags is not None and not isinstance(tags, Mapping):
        raise ValueError(
            f"Tags are attributes by name, such as {{'hair': 'pink'}}. Received: {tags!r}."
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

# What people label on a face by looking: MakeGirlsMoe's attributes, and three that its faces lack.
FACES = LabelSchema(
    (
        *MAKEGIRLSMOE.fields,
        *_flags("male dark_skin animal_ears", (0.05, 0.03, 0.1)),
    )
)
