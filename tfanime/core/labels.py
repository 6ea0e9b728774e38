"""What is known about images: a `LabelSchema` and arrays of labels that follow it.

A label array is `(n, schema.size)` float32 in the 0/1 coding, NaN where a label is not known; the
networks are fed the -1/+1 coding (`label_fields` has both).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute

import numpy as np

from tfanime.core.label_fields import (
    QUANTILES,
    Field,
    check_tags,
    encode_field,
    free_codes,
    to_signed,
    to_unsigned,
)
from tfanime.core.label_priors import draw_labels
from tfanime.core.printing import near_miss

__all__ = [
    "FACES",
    "MAKEGIRLSMOE",
    "Field",
    "LabelSchema",
    "free_codes",
    "check_tags",
    "told_apart",
    "to_signed",
    "to_unsigned",
]

EXAMPLES = 256  # rows that a schema with vectors keeps, to draw labels from
ROWS = 1024  # rows that a schema without vectors keeps, if it is asked to


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

    def __post_init__(self) -> None:
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
        field_names = {self.field(name).name for name in names}
        if not field_names:
            raise ValueError("A selection of labels names one or more. Received none.")
        fields = tuple(f for f in self.fields if f.name in field_names)
        where = self.slices()
        columns = np.concatenate([np.r_[where[f.name]] for f in fields])
        examples = None if self.examples is None else self.examples[:, columns]
        return LabelSchema(fields, examples), columns

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
        places, start = {}, 0
        for field in self.fields:
            places[field.name] = slice(start, start + field.size)
            start += field.size
        return places

    def field(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        names = [f.name for f in self.fields]
        raise ValueError(
            f"{name!r} is not a known attribute. Known: {', '.join(names)}.{near_miss(name, names)}"
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
        for name, value in tags.items():
            row[where[self.field(name).name]] = encode_field(self.field(name), value)
        return row

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
                frequencies: np.ndarray = np.empty(0)
            elif field.kind == "value":
                frequencies = np.quantile(part[:, 0], np.linspace(0, 1, QUANTILES))
            else:
                frequencies = part.mean(axis=0)
            fields.append(replace(field, frequencies=tuple(float(x) for x in frequencies)))
        return LabelSchema(tuple(fields)).with_examples(labels)

    def with_examples(self, labels: np.ndarray) -> LabelSchema:
        """The same schema with examples from `labels` `(n, size)`, if it has vectors."""
        if not self.vector_size:
            return self
        vectors = np.asarray(labels)[:, -self.vector_size :]
        complete = np.flatnonzero(~np.isnan(vectors).any(axis=1))
        if not len(complete):
            return self
        return self._with_some(labels, complete, EXAMPLES)

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
                training prior) or `"training"` (MakeGirlsMoe's: groups uniform, flags 0.25).
            given: `(n, size)` or `(size,)`, 0/1 coding; fields that are not NaN are kept.

        With examples whole ones are drawn, among those that agree most with `given`; its prior
        then is that of the examples.

        Returns:
            `(n, size)` float32, 0/1 coding, no NaN.
        """
        if prior not in ("empirical", "training"):
            raise ValueError(f"prior is 'empirical' or 'training'. Received: {prior!r}.")
        return draw_labels(self.fields, self.examples, np.asarray(uniforms), prior, given)

    # ---- storage -----------------------------------------------------------------------------

    def to_json(self) -> dict:
        """A JSON-ready description, read back by `from_json`."""
        examples = {}
        if self.examples is not None:
            halves = np.ascontiguousarray(self.examples, "<f2")
            examples = {"examples": base64.b64encode(halves.tobytes()).decode()}
        return examples | {
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
    def from_json(cls, document: Mapping) -> LabelSchema:
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
                for f in document["fields"]
            )
        )
        if "examples" not in document:
            return schema
        rows = np.frombuffer(base64.b64decode(document["examples"]), "<f2")
        return replace(schema, examples=rows.astype(np.float32).reshape(-1, schema.size))


def told_apart(one: LabelSchema, other: LabelSchema) -> tuple[str, str]:
    """Two schemas of different columns in words: the names of their fields; where these are the
    same, with the values of the fields that differ.

    Example:
        >>> smile, hat = Field("smile", "flag"), Field("hat", "flag")
        >>> told_apart(LabelSchema((smile,)), LabelSchema((smile, hat)))
        ('smile', 'smile, hat')
        >>> hair, dark = (Field("hair", "group", ("black", x)) for x in ("white", "brown"))
        >>> told_apart(LabelSchema((hair, smile)), LabelSchema((dark, smile)))
        ('hair (black, white), smile', 'hair (black, brown), smile')
    """
    names = [[field.name for field in schema.fields] for schema in (one, other)]
    if names[0] == names[1]:
        pairs = list(zip(one.fields, other.fields, strict=True))
        names = [[_beside(*pair) for pair in pairs], [_beside(*pair[::-1]) for pair in pairs]]
    return ", ".join(names[0]), ", ".join(names[1])


def _beside(field: Field, other: Field) -> str:
    if field.columns == other.columns:
        return field.name
    return f"{field.name} ({', '.join(field.values) or field.size})"


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
