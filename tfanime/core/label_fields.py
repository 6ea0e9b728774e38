"""One field of labels: what it can hold, its columns, and the two codings of its numbers.

Labels are float32 in the *0/1 coding*: a group is one-hot over its values, a flag is 0 or 1, a
continuous value is its position between `low` and `high` (0 to 1), a vector's numbers v are stored
as (v + 1) / 2 so that the networks see v, and NaN stands for "not known". The *-1/+1 coding*, which
the networks are fed (as the generator that MakeGirlsMoe released is), is `2 x - 1` with 0 for "not
known".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tfanime.core.printing import near_miss

KINDS = ("group", "flag", "value", "vector")
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
MIDDLE = 1e-6  # what stands for 0 in -1/+1 coding
QUANTILES = 17  # knots of the stored distribution of a continuous value


@dataclass(frozen=True)
class Field:
    """One thing that can be known about an image.

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
        free: a code that no image is labelled with and a generator gives a meaning of its own
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
        """MakeGirlsMoe's training prior: groups uniform, flags 0.25; values uniform."""
        if self.kind == "group":
            return (1.0 / self.size,) * self.size
        if self.kind == "flag":
            return (0.25,)
        if self.kind == "vector":
            return ()
        return tuple(np.linspace(0.0, 1.0, QUANTILES))


def encode_field(field: Field, value: object) -> np.ndarray | float:
    """One value, as users write it, in 0/1 coding: `(field.size,)`, or a number for one column.

    Raises:
        ValueError: for a value that the field cannot hold; the message says which it can.
    """
    if field.kind == "group":
        return np.eye(field.size, dtype=np.float32)[_place(field, value)]
    if field.kind == "vector":
        numbers = np.asarray(value)
        if numbers.shape != (field.length,) or numbers.dtype.kind not in "fiu":
            raise ValueError(
                f"{field.name!r} is a vector of {field.length} numbers, made from a text by "
                f"`tfanime imagine`. Received: {type(value).__name__}."
            )
        return to_unsigned(numbers)
    if field.kind == "flag":
        word = str(value).strip().lower()
        if word in TRUE_WORDS or word in FALSE_WORDS:
            return float(word in TRUE_WORDS)
        raise ValueError(f"{field.name!r} is true or false. Received: {value!r}.")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = np.nan
    if not field.low <= number <= field.high:
        raise ValueError(
            f"{field.name!r} is a number from {field.low:g} to {field.high:g}. Received: {value!r}."
        )
    return (number - field.low) / (field.high - field.low)


def _place(field: Field, value: object) -> int:
    """Which value of a group is meant; capitals matter only where two values differ in them."""
    word = str(value)
    same = [i for i, own in enumerate(field.values) if own.lower() == word.lower()]
    if word in field.values:
        return field.values.index(word)
    if len(same) == 1:
        return same[0]
    raise ValueError(
        f"{field.name!r} is one of: {', '.join(field.values)}. "
        f"Received: {value!r}.{near_miss(value, field.values)}"
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
