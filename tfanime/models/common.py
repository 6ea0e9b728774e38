"""Pieces that the networks share."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping

import keras
from keras import layers, ops

from tfanime.core.choices import check_normalisation
from tfanime.layers import LeakyReLU
from tfanime.models.sizes import halvings as halvings

# DCGAN's initialisation (Radford et al. 2016, section 4), which the seeds keep. A description, not
# an initializer: one object gives every layer of a shape the same weights, whatever the seed.
NORMAL = {"kernel_initializer": {"class_name": "RandomNormal", "config": {"stddev": 0.02}}}
LEAK = 0.2
# What networks see: pixels from -1 to 1, which the whole package has, or from 0 to 1.
SCALINGS = ("signed", "unit")


def embedded(labels, size: int):
    """Labels `(B, L)` as `(B, size)`: of a one-hot label, that is its own row of a table."""
    return layers.Dense(size, use_bias=False, name="label_embedding", **NORMAL)(labels)


def picture_output(x, scaling: str = "signed"):
    """The generator's last step, in float32 whatever the compute precision: tanh, or, where the
    networks work on pixels from 0 to 1, a sigmoid; images leave it in [-1, 1] either way."""
    if check_scaling(scaling) == "signed":
        return layers.Activation("tanh", dtype="float32", name="pictures")(x)
    x = layers.Activation("sigmoid", dtype="float32", name="unit_pictures")(x)
    return layers.Rescaling(2.0, -1.0, dtype="float32", name="pictures")(x)


def picture_input(height: int, width: int, scaling: str = "signed"):
    """The discriminator's input, `(B, height, width, 3)` in [-1, 1], and what its first layer
    takes: the same, or pixels from 0 to 1."""
    pictures = keras.Input((height, width, 3), name="pictures")
    if check_scaling(scaling) == "signed":
        return pictures, pictures
    return pictures, layers.Rescaling(0.5, 0.5, dtype="float32", name="unit_pictures")(pictures)


def check_scaling(scaling: str) -> str:
    if scaling not in SCALINGS:
        raise ValueError(f"scaling is one of: {', '.join(SCALINGS)}. Received: {scaling!r}.")
    return scaling


def conditional_batch_norm(x, labels, name: str, **options):
    """Batch norm of maps `(B, H, W, C)` whose scale and shift, one a channel, are affine in the
    labels `(B, L)` (Dumoulin et al. 2017; de Vries et al. 2017, section 3).

    It is made of Keras's layers, so that whatever looks for batch norm (replicas, export) finds it,
    and begins near the plain one: scales near 1, shifts near 0.

    Args:
        options: of the batch norm.
    """
    x = layers.BatchNormalization(center=False, scale=False, name=name, **options)(x)
    ones = {"bias_initializer": "ones"}
    scale = layers.Dense(x.shape[-1], name=f"{name}_scale", **ones, **NORMAL)(labels)
    shift = layers.Dense(x.shape[-1], name=f"{name}_shift", **NORMAL)(labels)
    return _affine(x, scale, shift, name)


STYLE = "style"  # the name of the layer whose output is the style


def style(x, size: int = 128):
    """A style `(B, size)` of latents and labels `(B, D)`: a mapping network of two layers (Karras
    et al. 2019, section 2)."""
    for name in ("style_0", STYLE):
        x = layers.Dense(size, name=f"{name}_fc", kernel_initializer="he_normal")(x)
        x = LeakyReLU(LEAK, name=name)(x)
    return x


def styled_batch_norm(x, styles, name: str, **options):
    """Batch norm of maps `(B, H, W, C)`, then a scale and a shift a channel that follow the styles
    `(B, S)` (StyleGAN's styles, with batch norm in place of instance norm).

    Both begin without influence, so that weights trained with plain batch norm can be trained on.

    Args:
        options: of the batch norm.
    """
    x = layers.BatchNormalization(name=name, **options)(x)
    return _affine(
        x,
        layers.Dense(
            x.shape[-1], name=f"{name}_scale", kernel_initializer="zeros", bias_initializer="ones"
        )(styles),
        layers.Dense(x.shape[-1], name=f"{name}_shift", kernel_initializer="zeros")(styles),
        name,
    )


def _affine(x, scale, shift, name: str):
    """Maps `(B, H, W, C)` times a scale plus a shift, each `(B, C)`."""
    maps = (1, 1, x.shape[-1])
    scale, shift = (
        layers.Reshape(maps, name=f"{name}_{what}_maps")(values)
        for what, values in (("scale", scale), ("shift", shift))
    )
    x = layers.Multiply(name=f"{name}_scaled")([x, scale])
    return layers.Add(name=f"{name}_shifted")([x, shift])


def check_generator_norm(network: str, normalisation: str, label_dim: int) -> None:
    """Raises ValueError for another kind, or for labels that are needed and missing."""
    check_normalisation("generator", network, normalisation)
    if normalisation == "conditional" and not label_dim:
        raise ValueError(
            "normalisation='conditional' needs labels, and this generator has none. "
            "Condition it, or take 'batch'."
        )


def discriminator_model(inputs, features, dense=layers.Dense, name: str = "discriminator"):
    """Closes a discriminator: `features (B, F)` to `{"logits", "features"}` in float32."""
    features = layers.Activation("linear", dtype="float32", name="features")(features)
    logits = dense(1, dtype="float32", name="logits", **NORMAL)(features)
    return keras.Model(inputs, {"logits": logits, "features": features}, name=name)


def label_maps(pictures, labels, embedding: int = 0):
    """Labels `(B, L)` as constant maps behind the channels of `pictures` `(B, H, W, C)`; L of
    them, or `embedding`."""
    height, width = pictures.shape[1:3]
    labels = embedded(labels, embedding) if embedding else labels
    maps = layers.Reshape((1, 1, labels.shape[-1]), name="label_maps")(labels)
    maps = layers.UpSampling2D((height, width), name="label_maps_full")(maps)
    return layers.Concatenate(name="with_labels")([pictures, maps])


def resized(pictures, size, prefix: str):
    """The images at the size that a frozen network takes, by layers with this prefix."""
    height, width = pictures.shape[1:3]
    if (height, width) == tuple(size):
        return pictures
    if height % size[0] == 0 and width % size[1] == 0:
        return layers.AveragePooling2D(
            (height // size[0], width // size[1]), name=f"{prefix}reduced"
        )(pictures)
    if size[0] % height == 0 and size[1] % width == 0:
        return layers.UpSampling2D((size[0] // height, size[1] // width), name=f"{prefix}enlarged")(
            pictures
        )
    return layers.Resizing(*size, name=f"{prefix}resized")(pictures)


def alternating(one, other):
    """Rows of both in turn `(2B, ...)`, so that a discriminator's groups of rows are of one kind.

    Args:
        one, other: tensors `(B, ...)` of one shape and dtype.
    """
    return ops.reshape(ops.stack([one, other], axis=1), (-1, *one.shape[1:]))


def like_inputs(model: keras.Model, prefix: str = "") -> list:
    """Inputs such as those of a network."""
    return [keras.Input(x.shape[1:], name=f"{prefix}{x.name}", dtype=x.dtype) for x in model.inputs]


def _copy(layer: keras.Layer, inputs):
    copy = type(layer).from_config(layer.get_config())
    output = copy(inputs)
    copy.set_weights(layer.get_weights())
    return output


def copied(
    model: keras.Model,
    values: Mapping[int, object],
    of_layers: Mapping[str, Mapping] | None = None,
    again: Callable[[keras.Layer, object], object] = _copy,
) -> dict[int, object]:
    """A functional network built again behind other values of some of its tensors.

    Args:
        model: the network.
        values: what stands for its tensors, by their `id`. Layers before these are left out.
        of_layers: the same for single layers, by their names; goes before `values`.
        again: from a layer and what it takes to what stands for its output. By default a copy of
            the layer is called, since those that two networks share cannot be saved.

    Returns:
        What stands for every tensor, by its `id`.
    """
    copies = dict(values)
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer) or id(layer.output) in copies:
            continue
        inputs_of = layer.input if isinstance(layer.input, (list, tuple)) else [layer.input]
        tensors = ChainMap((of_layers or {}).get(layer.name, {}), copies)
        if any(id(x) not in tensors for x in inputs_of):
            continue
        inputs = [tensors[id(x)] for x in inputs_of]
        copies[id(layer.output)] = again(layer, inputs if len(inputs) > 1 else inputs[0])
    return copies
