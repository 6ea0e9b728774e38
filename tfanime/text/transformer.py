"""The BERT encoder as a TensorFlow graph with the interface of a TF-Hub encoder.

Reference:
    [Devlin et al., 2019](https://arxiv.org/abs/1810.04805), section 3; the layer after
    [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

ACTIVATIONS = ("gelu", "relu")


@dataclass(frozen=True)
class Shape:
    """Numbers that the weights alone do not tell.

    Args:
        layers, heads: how many.
        epsilon: of layer normalisation.
        activation: of the feed-forward part.
    """

    layers: int
    heads: int
    epsilon: float = 1e-12
    activation: str = "gelu"

    def __post_init__(self):
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"The activation of a BERT is one of {ACTIVATIONS}. Received: {self.activation!r}."
            )


class Encoder(tf.Module):
    """`{"input_word_ids", "input_mask", "input_type_ids"}`, int32 `(B, T)`, to vectors.

    Returns `sequence_output (B, T, D)`, `pooled_output (B, D)` (a dense layer and tanh on [CLS]),
    `default`, the same, and `encoder_outputs`, a list of what every layer gives; all float32.

    Args:
        weights: name, as BERT checkpoints for PyTorch have it without the prefix `bert.`, to array;
            matrices are (out, in).
        shape: see `Shape`.

    Raises:
        ValueError: for weights that are missing.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], shape: Shape):
        super().__init__(name="bert_encoder")
        self.shape = shape
        names = _names(shape.layers)
        missing = [name for name in names if name not in weights]
        if missing:
            raise ValueError(
                f"The weights of a BERT of {shape.layers} layers are needed. Received none of: "
                f"{', '.join(missing[:3])}{' ...' if len(missing) > 3 else ''}."
            )
        self._weights = {}
        for name in names:
            array = np.asarray(weights[name], np.float32)
            # Products are x W here.
            array = array.T if array.ndim == 2 and "embeddings" not in name else array
            self._weights[name] = tf.Variable(array, trainable=False, name=name.replace(".", "/"))

    @tf.function(
        input_signature=[
            {
                "input_word_ids": tf.TensorSpec((None, None), tf.int32, name="input_word_ids"),
                "input_mask": tf.TensorSpec((None, None), tf.int32, name="input_mask"),
                "input_type_ids": tf.TensorSpec((None, None), tf.int32, name="input_type_ids"),
            }
        ]
    )
    def __call__(self, inputs):
        x = self._embed(inputs["input_word_ids"], inputs["input_type_ids"])
        hidden = 1.0 - tf.cast(inputs["input_mask"], tf.float32)[:, None, None, :]
        outputs = []
        for i in range(self.shape.layers):
            x = self._layer(f"encoder.layer.{i}.", x, hidden * x.dtype.min)
            outputs.append(x)
        pooled = tf.tanh(self._dense("pooler.dense", x[:, 0]))
        return {
            "sequence_output": x,
            "pooled_output": pooled,
            "default": tf.identity(pooled),
            "encoder_outputs": outputs,
        }

    def _embed(self, ids, types):
        words, places, kinds = (
            self._weights[f"embeddings.{kind}_embeddings.weight"]
            for kind in ("word", "position", "token_type")
        )
        x = tf.gather(words, ids) + places[: tf.shape(ids)[1]] + tf.gather(kinds, types)
        return self._normalised("embeddings.LayerNorm", x)

    def _layer(self, name: str, x, hidden):
        heads, width = self.shape.heads, x.shape[-1]

        def split(part):
            states = self._dense(f"{name}attention.self.{part}", x)
            shape = tf.concat([tf.shape(states)[:2], [heads, width // heads]], axis=0)
            return tf.transpose(tf.reshape(states, shape), (0, 2, 1, 3))

        query, key, value = (split(part) for part in ("query", "key", "value"))
        scores = tf.matmul(query, key, transpose_b=True) / math.sqrt(width // heads)
        attended = tf.transpose(tf.matmul(tf.nn.softmax(scores + hidden), value), (0, 2, 1, 3))
        attended = tf.reshape(attended, tf.shape(x))
        attended = self._dense(f"{name}attention.output.dense", attended)
        x = self._normalised(f"{name}attention.output.LayerNorm", x + attended)
        wide = self._dense(f"{name}intermediate.dense", x)
        wide = tf.nn.gelu(wide) if self.shape.activation == "gelu" else tf.nn.relu(wide)
        attended = self._dense(f"{name}output.dense", wide)
        return self._normalised(f"{name}output.LayerNorm", x + attended)

    def _dense(self, name: str, x):
        kernel, bias = (self._weights[f"{name}.{part}"] for part in ("weight", "bias"))
        x_flat = tf.reshape(x, (-1, kernel.shape[0]))  # one large product: twice as fast
        shape = tf.concat([tf.shape(x)[:-1], [kernel.shape[1]]], axis=0)
        out = tf.reshape(tf.matmul(x_flat, kernel) + bias, shape)
        out.set_shape((*x.shape[:-1], kernel.shape[1]))
        return out

    def _normalised(self, name: str, x):
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        scale = self._weights[f"{name}.weight"] * tf.math.rsqrt(variance + self.shape.epsilon)
        return (x - mean) * scale + self._weights[f"{name}.bias"]


def _names(layers: int) -> list[str]:
    embeddings = [f"embeddings.{x}_embeddings.weight" for x in ("word", "position", "token_type")]
    blocks = [
        f"encoder.layer.{i}.{part}"
        for i in range(layers)
        for part in (
            *(f"attention.self.{x}" for x in ("query", "key", "value")),
            "attention.output.dense",
            "attention.output.LayerNorm",
            "intermediate.dense",
            "output.dense",
            "output.LayerNorm",
        )
    ]
    both = ["embeddings.LayerNorm", *blocks, "pooler.dense"]
    return embeddings + [f"{name}.{kind}" for name in both for kind in ("weight", "bias")]


def save(encoder: Encoder, folder: str | os.PathLike) -> None:
    """Writes it as a SavedModel whose serving signature gives the two usual outputs."""

    @tf.function(input_signature=encoder.__call__.input_signature)
    def serving_default(inputs):
        outputs = encoder(inputs)
        return {name: outputs[name] for name in ("sequence_output", "pooled_output")}

    signature = serving_default.get_concrete_function()
    tf.saved_model.save(encoder, os.fspath(folder), {"serving_default": signature})
