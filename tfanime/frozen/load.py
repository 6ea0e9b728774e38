"""From the names of `discriminator.features` to frozen networks."""

from __future__ import annotations

from pathlib import Path

import keras

from tfanime import zoo
from tfanime.core import bounds
from tfanime.frozen import lite0
from tfanime.zoo import features


def load_frozen(name: str, height: int, width: int) -> keras.Model:
    """A network to look through, computing in the global dtype policy.

    Args:
        name: `"tagger"`, which ships; a folder with another's `tagger.keras`; the .keras file of a
            network from images in [-1, 1]; `"lite0"`, see `frozen.lite0`, or `"lite0@2"`: the same
            with images enlarged twice (any whole number).
        height, width: of the run's images, which lite0 takes as they are.

    Raises:
        ValueError: for a name that is none of these, or a file that is no such network.
        ImportError: for lite0 without the extra `features`.
    """
    if times := features.enlargement(name):
        return lite0.maps(height, width, times)
    try:
        file = features.network_file(name)
        return in_policy(bounds.load_network(file, ours=zoo.ships(Path(file).parent)))
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{features.RULE} Received: {name!r} ({reason}).") from error


def in_policy(network: keras.Model) -> keras.Model:
    """The network with its layers in the global dtype policy, whatever they were saved in.

    Strided depthwise convolutions stay in float32: TensorFlow's gradient of theirs in bfloat16
    takes 13 to 20 times as long on a CPU.

    Raises:
        ValueError: for a network that is no graph of layers.
    """

    def layer_in_policy(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        strided = isinstance(layer, keras.layers.DepthwiseConv2D) and max(layer.strides) > 1
        config["dtype"] = "float32" if strided else keras.mixed_precision.dtype_policy().name
        return type(layer).from_config(config)

    clone = keras.models.clone_model(network, clone_function=layer_in_policy, recursive=True)
    clone.set_weights(network.get_weights())
    return clone
