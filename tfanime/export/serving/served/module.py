"""The signatures of a served generator.

Every input has a row a request and every output a row for each of those, so that a server can put
requests of several users into one batch. A request asks for `n` images; its outputs have as
many, and where requests of one batch ask for different numbers, the shorter rows are filled up
with empty strings and zeros. The server's REST side writes outputs whose names end in `_bytes` in
base64, and any other text as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import tensorflow as tf

from tfanime.core.images import HALF_RANGE
from tfanime.core.labels import LabelSchema
from tfanime.core.seeds import MAX_TRUNCATION, PICTURES, SEEDS
from tfanime.export.graph.graph import Graph
from tfanime.export.serving.served import checks, seeds, words
from tfanime.models.mixing import draw_mixed, style_groups

CHUNK = 16  # images a network call: bounds the memory of a request
UPSCALED_SIDE = 512  # pixels of an image to enlarge
UPSCALED_PIXELS = 2**20  # of all images of a request to enlarge

INT, FLOAT, TEXT = tf.int64, tf.float32, tf.string


@dataclass(frozen=True)
class Limits:
    """What one call may ask for.

    Args:
        pictures: of one request (`n` at most).
        call: rows of a call times the largest of their `n`: what a batch of requests may draw.
    """

    pictures: int
    call: int


@dataclass(frozen=True)
class Reader:
    """How a model that was trained with texts reads one.

    Args:
        field: the vector of the schema that the text becomes.
        encode: `(n,)` strings to `(n, field's length)` float32, as the network sees them.
        tracked: what `encode` computes with, to be stored along.
    """

    field: str
    encode: Callable
    tracked: object = None


class Served(tf.Module):
    """A generator, its signatures and its weights, once.

    Args:
        model: from latents, or `[latents, labels]` in -1/+1 coding, to images in [-1, 1].
        schema: of the labels; None when unconditional.
        description: JSON-ready; what `describe` answers.
        limits: see `Limits`.
        upscaler: the graph of an upscaler, or None.
        reader: of texts, for `imagine`, or None.
        shown: whether the files of drawn images are enlarged by the upscaler; the signatures'
            `pictures` never are.
        chooser: from images in [-1, 1] to `(n, 1)` scores of being broken, or None.
    """

    def __init__(
        self,
        model,
        schema: LabelSchema | None,
        description: Mapping,
        limits: Limits,
        upscaler: Graph | None = None,
        reader: Reader | None = None,
        shown: bool = False,
        chooser=None,
    ):
        super().__init__()
        # Variables alone are tracked: a Keras model would be stored a second time, its weights too.
        self._call = partial(model, training=False)
        self._groups, self._two = list(style_groups(model)), partial(draw_mixed, model)
        self._shape = tuple(model.output_shape[1:])
        self._schema, self._limits, self._upscaler = schema, limits, upscaler
        self._shown = shown
        self._score = None if chooser is None else partial(chooser, training=False)
        self._reads, self.reader = reader, reader and reader.tracked
        self._description = json.dumps(description, sort_keys=True, ensure_ascii=False)
        self._dim = int(model.inputs[0].shape[-1])
        networks = [model] if chooser is None else [model, chooser]
        self.weights = [variable.value for network in networks for variable in network.variables]
        # An upscaler is run from its graph: Keras cannot enlarge images of unknown size here.
        self.upscaler_weights = {
            f"{node.name}/{key}": tf.Variable(value, trainable=False)
            for node in (upscaler.nodes if upscaler else ())
            for key, value in node.weights.items()
        }

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """By name, for `tf.saved_model.save`."""
        inputs = {"seed": INT, "n": INT, "first": INT, "truncation": FLOAT}
        between = {"seed": INT, "to_seed": INT, "frames": INT, "truncation": FLOAT}
        latents = {"latents": (FLOAT, self._dim)}
        if self._schema is not None:
            vector = {"labels": (FLOAT, self._schema.size)}
            functions = {"from_labels": self._concrete(self._from_labels, inputs | vector)}
            latents |= vector
        else:
            functions = {}
        inputs |= {"tags": TEXT}
        between |= {"tags": TEXT, "to_tags": TEXT}
        generate = self._concrete(self._generate, inputs)
        functions |= {
            "serving_default": generate,
            "generate": generate,
            "generate_png": self._concrete(self._generate_png, inputs),
            "from_latent": self._concrete(self._from_latent, latents),
            "interpolate": self._concrete(self._interpolate, between),
            "describe": self._concrete(self._describe, {"about": TEXT}),
        }
        if self._groups:
            mixing = {"seed": INT, "style_seed": INT, "truncation": FLOAT, "tags": TEXT}
            mixing |= dict.fromkeys(self._groups, tf.bool)
            functions["mix"] = self._concrete(self._mix, mixing)
        if self._reads is not None:
            functions["imagine"] = self._concrete(self._imagine, inputs | {"text": TEXT})
        if self._upscaler is not None:
            pictures = {"pictures": (tf.uint8, None, None, 3)}
            functions["upscale"] = self._concrete(self._upscale, pictures)
        return functions

    def _concrete(self, function: Callable, inputs: Mapping):
        """A concrete function of named inputs, `(rows, ...)` each."""
        specs = {}
        for name, kind in inputs.items():
            dtype, *shape = kind if isinstance(kind, tuple) else (kind,)
            specs[name] = tf.TensorSpec((None, *shape), dtype, name)

        def checked(**inputs):
            # A server may feed another rank than was traced.
            inputs = {name: tf.ensure_shape(inputs[name], specs[name].shape) for name in specs}
            ready = checks.after([checks.rows(inputs, self._limits.call)], *inputs.values())
            return function(*(ready if len(inputs) > 1 else [ready]))

        return tf.function(checked, autograph=False).get_concrete_function(**specs)

    # ---- signatures ------------------------------------------------------------------------------

    def _generate(self, seed, n, first, truncation, tags):
        return self._answer(seed, n, first, truncation, self._given(tags), floats=True)

    def _generate_png(self, seed, n, first, truncation, tags):
        return self._answer(seed, n, first, truncation, self._given(tags), floats=False)

    def _imagine(self, seed, n, first, truncation, tags, text):
        length = f"text has 1 to {words.LENGTH} bytes."
        size = tf.strings.length(text)
        ok = checks.every((size >= 1) & (size <= words.LENGTH), text, length)
        vector = seeds.unsigned(self._reads.encode(checks.after([ok], text)))
        place = self._schema.slices()[self._reads.field]
        rows = self._given(tags)
        label_rows = tf.concat([rows[:, : place.start], vector, rows[:, place.stop :]], axis=1)
        return self._answer(seed, n, first, truncation, label_rows, floats=False)

    def _from_labels(self, seed, n, first, truncation, labels):
        labels = self._checked_labels(labels)
        return self._answer(seed, n, first, truncation, labels, floats=True)

    def _from_latent(self, latents, labels=None):
        ok = tf.reduce_all(tf.math.is_finite(latents), axis=1)
        bad = tf.reduce_sum(latents, axis=1)
        latents = checks.after([checks.every(ok, bad, "latents are finite numbers.")], latents)
        signed = None if labels is None else seeds.signed(self._checked_labels(labels))
        images = self._drawn(latents, signed)
        return {"png_bytes": self._files(images), "pictures": images}

    def _interpolate(self, seed, to_seed, frames, truncation, tags, to_tags):
        passed = [
            checks.whole("seed", seed, 0, SEEDS - 1),
            checks.whole("to_seed", to_seed, 0, SEEDS - 1),
            checks.whole("frames", frames, 1, self._limits.pictures),
            checks.between("truncation", truncation, 0, MAX_TRUNCATION),
        ]
        seed, to_seed, truncation = checks.after(passed, seed, to_seed, truncation)
        frames = self._fitting(frames, passed)
        row = tf.repeat(tf.range(tf.shape(frames)[0]), frames)
        frame = tf.ragged.range(frames).flat_values
        t = tf.cast(frame, tf.float64) / tf.cast(tf.gather(frames, row), tf.float64)
        zero = tf.zeros_like(seed)
        ends = [seeds.latents(which, zero, self._dim) for which in (seed, to_seed)]
        z = seeds.slerp(*(tf.gather(end, row) for end in ends), t[:, None])
        z = z * tf.gather(truncation, row)[:, None]
        answer, signed = {"latents": z}, None
        if self._schema is not None:
            pairs = ((seed, tags), (to_seed, to_tags))
            ends = [
                seeds.signed(seeds.labels(which, zero, self._schema, self._given(text)))
                for which, text in pairs
            ]
            signed = seeds.lerp(*(tf.gather(end, row) for end in ends), t[:, None])
            answer["labels"] = seeds.unsigned(signed)
        else:
            z = checks.after([self._no_tags(tags), self._no_tags(to_tags)], z)
        images = self._drawn(z, signed)
        answer |= {"png_bytes": self._files(images), "pictures": images}
        return {name: _rows(value, frames) for name, value in answer.items()}

    def _mix(self, seed, style_seed, truncation, tags, *switches):
        passed = [
            checks.whole("seed", seed, 0, SEEDS - 1),
            checks.whole("style_seed", style_seed, 0, SEEDS - 1),
            checks.between("truncation", truncation, 0, MAX_TRUNCATION),
        ]
        label_rows = self._given(tags)
        if self._schema is None:
            passed.append(label_rows)
        seed, style_seed, truncation = checks.after(passed, seed, style_seed, truncation)
        zero, answer, inputs = tf.zeros_like(seed), {}, []
        for which in (style_seed, seed):  # what is answered is of the second of these
            answer = {"latents": seeds.latents(which, zero, self._dim) * truncation[:, None]}
            inputs.insert(0, answer["latents"])
            if self._schema is not None:
                answer["labels"] = seeds.labels(which, zero, self._schema, label_rows)
                inputs.insert(1, seeds.signed(answer["labels"]))
        images = self._drawn(*inputs, *switches, call=self._mixed)
        return answer | {"png_bytes": self._files(images), "pictures": images}

    def _mixed(self, inputs):
        """Images of what both faces are drawn from, and of the switches of all groups."""
        faces, switches = inputs[: -len(self._groups)], inputs[-len(self._groups) :]
        half = len(faces) // 2
        switched = dict(zip(self._groups, switches, strict=True))
        return self._two(faces[:half], faces[half:], switched)

    def _describe(self, about):
        return {"json": tf.fill(tf.shape(about), self._description)}

    def _upscale(self, pictures):
        sides = tf.shape(pictures, out_type=tf.int64)
        passed = [
            checks.whole("The side of an image to enlarge", sides[1:3], 1, UPSCALED_SIDE),
            checks.whole(
                "The number of pixels of all images", tf.reduce_prod(sides[:3])[None],
                1, UPSCALED_PIXELS,
            ),
        ]  # fmt: skip
        pictures = checks.after(passed, pictures)
        larger = self._enlarged(pictures)
        return {"png_bytes": _png(larger), "pictures": _uint8(larger)}

    def _files(self, images):
        """`(m,)` PNG files of `(m, H, W, 3)` in [-1, 1], as they are shown."""
        return _png(self._enlarged(_uint8(images)) if self._shown else images)

    def _enlarged(self, pictures):
        """`(m, h, w, 3)` uint8 to larger ones in [-1, 1], one at a time."""
        floats = tf.cast(pictures, FLOAT) / np.float32(HALF_RANGE) - 1.0

        def weight(node, key):
            return self.upscaler_weights[f"{node.name}/{key}"]

        def enlarge(picture):
            larger = self._upscaler(picture[None], weight=weight)[0]
            return tf.clip_by_value(larger, -1.0, 1.0)

        spec = tf.TensorSpec((None, None, 3), FLOAT)
        return tf.map_fn(enlarge, floats, fn_output_signature=spec, parallel_iterations=1)

    # ---- parts -----------------------------------------------------------------------------------

    def _answer(self, seed, n, first, truncation, label_rows, floats: bool):
        passed = [
            checks.whole("seed", seed, 0, SEEDS - 1),
            checks.whole("n, images of a request,", n, 1, self._limits.pictures),
            checks.whole("first, the index of the first image,", first, 0, PICTURES - 1),
            checks.between("truncation", truncation, 0, MAX_TRUNCATION),
        ]
        seed, first, truncation = checks.after(passed, seed, first, truncation)
        n = self._fitting(n, passed)
        last = checks.whole("first + n", first + n, 1, PICTURES)
        first = checks.after([last], first)
        row = tf.repeat(tf.range(tf.shape(n)[0]), n)
        index = tf.gather(first, row) + tf.ragged.range(n).flat_values
        seed = tf.gather(seed, row)
        z = seeds.latents(seed, index, self._dim) * tf.gather(truncation, row)[:, None]
        answer, signed = {"latents": z}, None
        if self._schema is not None:
            labels = seeds.labels(seed, index, self._schema, tf.gather(label_rows, row))
            answer |= {"labels": labels, "tags": words.decode(labels, self._schema)}
            signed = seeds.signed(labels)
        else:
            z = checks.after([label_rows], z)
        images = self._drawn(z, signed)
        answer["png_bytes"] = self._files(images)
        if self._score is not None:
            answer["scores"] = _in_chunks(self._score, [images], (1,))[:, 0]
        if floats:
            answer["pictures"] = images
        return {name: _rows(value, n) for name, value in answer.items()}

    def _fitting(self, n, passed):
        """`n` once it is known that the whole call is not too large."""
        n = checks.after(passed, n)
        total = tf.size(n, tf.int64) * tf.reduce_max(n)
        rule = "Rows of a call times the largest n of them"
        return checks.after([checks.whole(rule, total[None], 1, self._limits.call)], n)

    def _given(self, tags):
        """Label rows with NaN for what is open; for a model without labels, a check."""
        if self._schema is None:
            return self._no_tags(tags)
        return words.encode(tags, self._schema)

    @staticmethod
    def _no_tags(tags):
        rule = "This model was trained without labels: tags is empty."
        return checks.every(tf.strings.length(tags) == 0, tags, rule)

    def _checked_labels(self, labels):
        """`(rows, size)` with every number from 0 to 1, or NaN for all columns of a field."""
        passed = []
        for field in self._schema.fields:
            part = labels[:, self._schema.slices()[field.name]]
            open_ = tf.reduce_all(tf.math.is_nan(part), axis=1)
            if field.kind == "vector":
                fine, numbers = tf.reduce_all(tf.math.is_finite(part), axis=1), "finite numbers"
            else:
                fine = tf.reduce_all((part >= 0) & (part <= 1), axis=1)
                numbers = "numbers from 0 to 1"
            rule = f"labels of {field.name} are {numbers}, or all NaN to leave it open."
            passed.append(checks.every(open_ | fine, tf.reduce_sum(part, axis=1), rule))
        return checks.after(passed, labels)

    def _drawn(self, z, *others, call=None):
        """`(m, dim)` latents and `(m, L)` labels, or what `call` takes instead of the generator, to
        `(m, H, W, 3)` float32."""
        arrays = [x for x in (z, *others) if x is not None]
        images = _in_chunks(call or self._call, arrays, self._shape)
        ok = tf.reduce_all(tf.math.is_finite(images), axis=(1, 2, 3))
        rule = "Images are finite: for these inputs the network computes none."
        return checks.after([checks.every(ok, tf.reduce_sum(z, axis=1), rule)], images)


def _in_chunks(call, arrays, shape):
    """What a network makes of the rows of its inputs, `(m, *shape)` float32, a chunk at a time."""
    count = tf.shape(arrays[0])[0]
    steps = (count + CHUNK - 1) // CHUNK
    parts = tf.TensorArray(FLOAT, steps, infer_shape=False, element_shape=(None, *shape))

    def step(i, parts):
        place = slice(i * CHUNK, (i + 1) * CHUNK)
        inputs = [x[place] for x in arrays]
        values = call(inputs if len(inputs) > 1 else inputs[0])
        return i + 1, parts.write(i, tf.cast(values, FLOAT))

    _, parts = tf.while_loop(
        lambda i, _: i < steps, step, (tf.constant(0), parts), parallel_iterations=1
    )
    return tf.ensure_shape(parts.concat(), (None, *shape))


def _rows(values, n):
    """`(m, ...)` images of all requests to `(rows, largest n, ...)`."""
    return tf.RaggedTensor.from_row_lengths(values, n, validate=False).to_tensor()


def _uint8(pictures):
    """`images.to_uint8`."""
    scaled = (pictures + 1.0) * np.float32(HALF_RANGE)
    return tf.cast(tf.clip_by_value(tf.round(scaled), 0, 255), tf.uint8)


def _png(pictures):
    """`(m, H, W, 3)` in [-1, 1] to `(m,)` files."""
    return tf.map_fn(tf.io.encode_png, _uint8(pictures), fn_output_signature=tf.string)
