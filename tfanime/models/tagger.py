"""The tagger: a small convolutional network from a face to its attributes.

Layers with much arithmetic work on small maps: what it costs on a CPU decides how many pictures
it can learn from, and how long an evaluation takes.
"""

from __future__ import annotations

import keras
from keras import layers, ops

from tfanime.labels import LabelSchema

SIZE = 64
INIT = {"kernel_initializer": "he_normal"}
BATCH_NORM = {"momentum": 0.95, "epsilon": 1e-3}


def network(outputs: int, channels: int = 32, dropout: float = 0.2) -> keras.Model:
    """From pictures `(B, 64, 64, 3)` float32 in [-1, 1] to logits `(B, outputs)` float32.

    The layer before the logits, `features (B, 8 * channels)`, holds mean and maximum over the
    picture of what the last convolution found: a hat covers much, an eye little.

    Args:
        outputs: columns of the label array.
        channels: of the first stage; 32 gives 0.46 million weights.
        dropout: share of the features that each training step leaves out.
    """
    pictures = keras.Input((SIZE, SIZE, 3), name="pictures")
    x = _conv(pictures, channels, 4, 2, "stem")
    x = _conv(x, 2 * channels, 3, 2, "down1")
    x = _residual(x, "res1")
    x = _conv(x, 3 * channels, 3, 2, "down2")
    x = _residual(x, "res2")
    x = _conv(x, 4 * channels, 3, 2, "down3")
    x = _residual(x, "res3")
    mean = layers.GlobalAveragePooling2D(name="mean")(x)
    most = layers.GlobalMaxPooling2D(name="most")(x)
    x = layers.Concatenate(name="pooled")([mean, most])
    x = layers.Activation("linear", dtype="float32", name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(outputs, dtype="float32", name="logits")(x)
    return keras.Model(pictures, logits, name="tagger")


def _conv(x, filters: int, kernel: int, stride: int, name: str):
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name, **INIT)(x)
    x = layers.BatchNormalization(name=f"{name}_bn", **BATCH_NORM)(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _residual(x, name: str):
    y = layers.Conv2D(x.shape[-1], 3, padding="same", use_bias=False, name=name, **INIT)(x)
    y = layers.BatchNormalization(name=f"{name}_bn", **BATCH_NORM)(y)
    y = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_relu")(y)


def loss(schema: LabelSchema, targets, logits):
    """Mean over the pictures of the losses of their known attributes.

    Cross-entropy of the softmax over a group's values, and of the sigmoid of each flag.

    Args:
        schema: what the columns mean; groups and flags only.
        targets: `(B, L)` float32: labels (0 or 1) or probabilities; negative where not known.
        logits: `(B, L)` float32.

    Returns:
        `(B,)` float32.
    """
    total = 0.0
    for field in schema.fields:
        columns = schema.slices()[field.name]
        y, x = targets[:, columns], logits[:, columns]
        if field.kind == "group":
            y = ops.relu(y)  # all zero where the group is not known
            total += -ops.sum(y * ops.log_softmax(x, axis=1), axis=1)
        else:
            known = ops.cast(y >= 0, "float32")[:, 0]
            total += known * (ops.softplus(x) - y * x)[:, 0]
    return total
