"""How far two images are apart as a frozen network sees them."""

from __future__ import annotations

import numpy as np

from tfanime.core.choices import FACE_FEATURES

MAPS = 4  # a half to a 16th of the images' sides
CHUNK = 32  # images a network call


def feature_network(name: str, height: int, width: int):
    """From images `(B, height, width, 3)` in [-1, 1] to maps whose mean squared difference is a
    distance as people see it (Zhang et al. 2018, https://arxiv.org/abs/1801.03924).

    Args:
        name: `"tagger"`, the trunk of the one that ships, which knows drawings; or `"lite0"`, see
            `frozen.lite0.perceptual`, which knows photographs.
        height, width: of the images.

    Returns:
        `keras.Model` with four outputs; at each place the features have a mean square of 1.

    Raises:
        ValueError: for another name.
        ImportError: for lite0 without the extra `features`.
    """
    if name not in FACE_FEATURES:
        raise ValueError(f"features is one of: {', '.join(FACE_FEATURES)}. Received: {name!r}.")
    import keras

    from tfanime.frozen import lite0, load_frozen

    if name == "lite0":
        network = lite0.perceptual(height, width)
        return keras.Model(network.inputs[0], network.outputs, trainable=False)
    network = load_frozen("tagger", height, width)
    last = {}  # of each size
    for layer in network.layers:
        if layer.name.startswith("block") and layer.name.endswith(("_project", "_add")):
            last[layer.output.shape[1]] = layer.output
    maps = [last[side] for side in sorted(last, reverse=True)][:MAPS]
    trunk = keras.Model(network.inputs[0], maps)
    pictures = keras.Input((height, width, 3), name="pictures")
    clone = keras.models.clone_model(trunk, input_tensors=pictures)
    clone.set_weights(trunk.get_weights())
    features = []
    for i, x in enumerate(clone.outputs):
        unit = keras.layers.UnitNormalization(axis=-1, dtype="float32", name=f"unit{i}")(x)
        features.append(keras.layers.Rescaling(x.shape[-1] ** 0.5, dtype="float32")(unit))
    return keras.Model(pictures, features, name="tagger_perceptual", trainable=False)


def mean_squares(some, others):
    """`(B,)`: the mean over maps of the mean squared difference of two lists of maps."""
    from keras import ops

    parts = [ops.mean(ops.square(a - b), axis=(1, 2, 3)) for a, b in zip(some, others, strict=True)]
    return sum(parts) / len(parts)


def features_of(network, pictures: np.ndarray) -> list[np.ndarray]:
    """The maps of images `(n, H, W, 3)` float32 in [-1, 1], a few at a time."""
    parts = [
        [np.asarray(x) for x in network(pictures[start : start + CHUNK], training=False)]
        for start in range(0, len(pictures), CHUNK)
    ]
    return [np.concatenate(maps) for maps in zip(*parts, strict=True)]


def psnr(pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`(n,)` float64 dB of `(n, H, W, 3)` uint8 images against others, 99 at most."""
    error = (pictures.astype(np.float64) - others) ** 2
    return np.minimum(10 * np.log10(255**2 / np.maximum(error.mean(axis=(1, 2, 3)), 1e-9)), 99.0)
