"""Refusals inside a graph: an assertion whose message says rule, value received and fix.

TensorFlow orders operations by what they need, not by where they are written. So each check
returns its operation, and `after` makes values wait for it: nothing that a wrong value could blow
up may use the value before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

SHOWN = 60  # bytes of a text that a message repeats


def after(checks: Sequence[tf.Operation], *values: tf.Tensor):
    """The values, once all checks have passed."""
    with tf.control_dependencies(list(checks)):
        passed = [tf.identity(value) for value in values]
    return passed if len(passed) > 1 else passed[0]


def every(ok: tf.Tensor, values: tf.Tensor, rule: str | tf.Tensor) -> tf.Operation:
    """Asserts that a rule holds for all values; the message shows the first that breaks it.

    Args:
        ok: `(n,)` bool.
        values: `(n,)` of any type.
        rule: a sentence.
    """
    wrong = tf.gather(values, tf.where(tf.logical_not(ok))[:1, 0])
    message = tf.strings.join([rule, " Received: ", tf.strings.reduce_join(shown(wrong)), "."])
    return tf.debugging.Assert(tf.reduce_all(ok), [message])


def whole(name: str, values: tf.Tensor, low: int, high: int) -> tf.Operation:
    """Asserts that all of `(n,)` int64 are from `low` to `high`."""
    rule = f"{name} is a whole number from {low} to {high}."
    return every((values >= low) & (values <= high), values, rule)


def between(name: str, values: tf.Tensor, low: float, high: float) -> tf.Operation:
    """Asserts that all of `(n,)` float32 are from `low` to `high`; NaN is not."""
    rule = f"{name} is a number from {low:g} to {high:g}."
    return every((values >= low) & (values <= high), values, rule)


def rows(inputs: Mapping[str, tf.Tensor], most: int) -> tf.Operation:
    """Asserts that all inputs have equally many rows, 1 to `most`."""
    counts = tf.stack([tf.shape(value)[0] for value in inputs.values()])
    named = [
        piece
        for name, count in zip(inputs, tf.unstack(counts), strict=True)
        for piece in (", ", name, " ", tf.strings.as_string(count))
    ][1:]
    ok = tf.reduce_all(counts == counts[0]) & (counts[0] >= 1) & (counts[0] <= most)
    rule = f"Every input has as many rows as the others, 1 to {most}. Received: "
    return tf.debugging.Assert(ok, [tf.strings.join([rule, *named, "."])])


def shown(values: tf.Tensor) -> tf.Tensor:
    """Values as short printable text, whatever bytes a client sent."""
    if values.dtype == tf.bool:
        values = tf.cast(values, tf.int32)
    if values.dtype != tf.string:
        return tf.strings.as_string(values)
    short = tf.strings.substr(values, 0, SHOWN)
    clean = tf.strings.unicode_transcode(
        short, "UTF-8", "UTF-8", errors="replace", replacement_char=63,
        replace_control_characters=True,
    )  # fmt: skip
    # Clients look for the brackets around an assertion's message; the others are escaped in it.
    clean = tf.strings.regex_replace(clean, r"[\[\]'\"\\\\]", "?")
    clean = tf.where(tf.strings.length(values) > 0, clean, "(nothing)")
    return tf.strings.join([clean, tf.where(tf.strings.length(values) > SHOWN, "...", "")])
