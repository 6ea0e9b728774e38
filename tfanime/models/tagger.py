"""The tagger: from a face to its attributes, on the first two thirds of EfficientNet-Lite0."""

from __future__ import annotations

import keras
from keras import layers, ops

from tfanime.core.labels import LabelSchema

SIZE = 128


def network(
    trunk: keras.Model, outputs: int, channels: int = 256, dropout: float = 0.3
) -> keras.Model:
    """From images `(B, H, W, 3)` float32 in [-1, 1] to logits `(B, outputs)` float32.

    What the trunk sees at a sixteenth of the images' sides is read by a 1x1 convolution. The layer
    before the logits, `features (B, 2 * channels)`, holds the mean and the maximum of it over the
    image: hair covers much, a ribbon little.

    Args:
        trunk: `frozen.lite0.maps(H, W)`, all of which is trained from here on.
        outputs: columns of the label array.
        channels: of the 1x1 convolution; 256 gives 0.75 million weights in all.
        dropout: share of the features that each training step leaves out.
    """
    trunk.trainable = True
    x = trunk.outputs[3]
    x = layers.Conv2D(channels, 1, activation="relu", kernel_initializer="he_normal", name="read")(
        x
    )
    mean = layers.GlobalAveragePooling2D(name="mean")(x)
    most = layers.GlobalMaxPooling2D(name="most")(x)
    x = layers.Concatenate(name="pooled")([mean, most])
    x = layers.Activation("linear", dtype="float32", name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    # At first it says nothing, whatever the features.
    final = layers.Dense(outputs, kernel_initializer="zeros", dtype="float32", name="logits")
    logits = final(x)
    return keras.Model(trunk.inputs[0], logits, name="tagger")


def loss(schema: LabelSchema, targets, logits):
    """Mean over the images of the losses of their known attributes.

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
            labelled = ops.cast(y >= 0, "float32")[:, 0]
            total += labelled * (ops.softplus(x) - y * x)[:, 0]
    return total
