"""Attributes as text, in a graph: `hair=blue,smile,no-hat` to a label row and back.

The grammar is that of `tfanime interpolate --from`: `name=value` for groups and numbers, `name`,
`no-name` or `name=yes` for flags, between commas; `-` and `_` are the same in names.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfanime.core.label_fields import FALSE_WORDS, TRUE_WORDS
from tfanime.core.labels import Field, LabelSchema
from tfanime.export.serving.served import checks

LENGTH = 2000  # bytes of a row of text
MOST = 100  # words of a row
NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?"
RESERVED = ",="


def check_names(schema: LabelSchema) -> None:
    """Raises ValueError when an attribute cannot be written in this grammar."""
    for field in sayable(schema):
        for name in (field.name, *field.values):
            if any(sign in name for sign in RESERVED) or name != name.strip() or not name:
                raise ValueError(
                    "Attributes of a served model have names without commas, equals signs and "
                    f"spaces around them. Received: {name!r} of {field.name!r}. Train with other "
                    "names."
                )


def sayable(schema: LabelSchema) -> list[Field]:
    """The fields that words can say: all but vectors, which come last."""
    return [field for field in schema.fields if field.kind != "vector"]


def encode(texts: tf.Tensor, schema: LabelSchema) -> tf.Tensor:
    """Text to label rows.

    Args:
        texts: `(n,)` string, at most `LENGTH` bytes each.

    Returns:
        `(n, schema.size)` float32, 0/1 coding, NaN for what a text does not mention.
    """
    fields = sayable(schema)
    if not fields:
        rule = "This model has no labels that words can say: tags is empty."
        empty = checks.every(tf.strings.length(texts) == 0, texts, rule)
        nothing = tf.fill((tf.shape(texts)[0], schema.size), np.float32(np.nan))
        return checks.after([empty], nothing)
    rule = f"tags is text of at most {LENGTH} bytes, such as {example(fields[0])}."
    texts = checks.after([checks.every(tf.strings.length(texts) <= LENGTH, texts, rule)], texts)
    words = tf.strings.split(texts, ",")
    few = checks.every(words.row_lengths() <= MOST, texts, f"A row has at most {MOST} tags.")
    row, word = checks.after([few], words.value_rowids(), tf.strings.strip(words.flat_values))
    filled = tf.strings.length(word) > 0
    row, word = tf.boolean_mask(row, filled), tf.boolean_mask(word, filled)
    name, value, has_value = _split(word)
    names = np.asarray([_plain(field.name) for field in fields])
    negated = tf.constant([f"no-{plain}" for plain in names])
    is_no = tf.logical_not(has_value)[:, None] & (name[:, None] == negated)
    is_no &= tf.constant([field.kind == "flag" for field in fields])
    # An attribute called no-x itself wins over the flag x.
    is_name = name[:, None] == tf.constant(names)
    is_no &= tf.logical_not(tf.reduce_any(is_name, axis=1, keepdims=True))
    which = is_name | is_no  # (words, fields)
    parts, fine = [], tf.zeros_like(has_value)
    for f, field in enumerate(fields):
        part, ok = _part(field, value, has_value, is_no[:, f])
        parts.append(tf.where(which[:, f : f + 1], part, np.float32(np.nan)))
        fine |= ok & which[:, f]
    rule = f"tags are of: {listed(schema)}."
    count = tf.math.unsorted_segment_sum(
        tf.cast(which, tf.int32), row, tf.shape(texts, out_type=tf.int64)[0]
    )
    once = tf.reduce_all(count <= 1, axis=1)
    passed = [
        checks.every(fine, word, rule),
        checks.every(once, texts, "Each of the tags is given once."),
    ]
    parts = checks.after(passed, tf.concat(parts, axis=1))
    mask = tf.logical_not(tf.math.is_nan(parts))
    size = tf.shape(texts, out_type=tf.int64)[0]
    values = tf.math.unsorted_segment_sum(tf.where(mask, parts, 0.0), row, size)
    some = tf.math.unsorted_segment_sum(tf.cast(mask, tf.int32), row, size) > 0
    labels = tf.where(some, values, np.float32(np.nan))
    vectors = tf.fill((tf.shape(texts)[0], schema.vector_size), np.float32(np.nan))
    return tf.concat([labels, vectors], axis=1)


def decode(rows: tf.Tensor, schema: LabelSchema) -> tf.Tensor:
    """Label rows to text; flags that are not set, and vectors, are left out.

    Args:
        rows: `(n, schema.size)` float32, 0/1 coding, no NaN.

    Returns:
        `(n,)` string.
    """
    pieces = [tf.fill((tf.shape(rows)[0],), "")]
    for field in sayable(schema):
        part = rows[:, schema.slices()[field.name]]
        if field.kind == "group":
            values = tf.constant([f"{field.name}={value}" for value in field.values])
            pieces.append(tf.gather(values, tf.argmax(part, axis=1)))
        elif field.kind == "flag":
            pieces.append(tf.where(part[:, 0] >= 0.5, field.name, ""))
        else:
            number = field.low + tf.cast(part[:, 0], tf.float64) * (field.high - field.low)
            pieces.append(
                tf.strings.join([f"{field.name}=", tf.strings.as_string(number, shortest=True)])
            )
    text = tf.strings.join(pieces, ",")
    return tf.strings.regex_replace(tf.strings.regex_replace(text, ",+", ","), "^,|,$", "")


def listed(schema: LabelSchema) -> str:
    """Everything that can be said, for a message."""
    spellings = []
    for field in sayable(schema):
        if field.kind == "group":
            spellings.append(f"{field.name}={'|'.join(field.values)}")
        elif field.kind == "flag":
            spellings.append(f"{field.name} or no-{field.name}")
        else:
            spellings.append(f"{field.name}={field.low:g}..{field.high:g}")
    return "; ".join(spellings)


def example(field: Field) -> str:
    """One tag that is valid."""
    if field.kind == "group":
        return f"{field.name}={field.values[0]}"
    return field.name if field.kind == "flag" else f"{field.name}={field.low:g}"


def _split(word: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """`name=value` to the plain name, the value, and whether there is one."""
    has_value = tf.strings.regex_full_match(word, "(?s)[^=]*=.*")
    name = tf.strings.regex_replace(word, "(?s)=.*", "")
    value = tf.where(has_value, tf.strings.regex_replace(word, "(?s)^[^=]*=", ""), "")
    name = tf.strings.regex_replace(tf.strings.strip(name), "_", "-")
    return name, tf.strings.strip(value), has_value


def _part(field, value, has_value, negated) -> tuple[tf.Tensor, tf.Tensor]:
    """What words say of one field: `(words, size)` float32, and which of them are valid."""
    if field.kind == "group":
        same = value[:, None] == tf.constant(list(field.values))
        return tf.cast(same, tf.float32), has_value & tf.reduce_any(same, axis=1)
    if field.kind == "flag":
        lower = tf.strings.lower(value)
        yes, no = (
            tf.reduce_any(lower[:, None] == tf.constant(sorted(words)), axis=1)
            for words in (TRUE_WORDS, FALSE_WORDS)
        )
        bare = tf.logical_not(has_value)
        set_ = tf.where(bare, tf.logical_not(negated), yes)
        return tf.cast(set_, tf.float32)[:, None], bare | yes | no
    numeric = tf.strings.regex_full_match(value, NUMBER)
    number = tf.strings.to_number(tf.where(numeric, value, "0"), tf.float64)
    ok = numeric & (number >= field.low) & (number <= field.high)
    return tf.cast((number - field.low) / (field.high - field.low), tf.float32)[:, None], ok


def _plain(name: str) -> str:
    return name.replace("_", "-")
