"""Sub-pixel upsampling."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("tfanime")
class PixelShuffle(keras.layers.Layer):
    """Depth to space: `(B, H, W, C b b) -> (B, H b, W b, C)` (Shi et al. 2016, eq. 4).

    Channels are in TensorFlow's order: block row, block column, channel.

    Args:
        block_size: Integer, b. Defaults to 2.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158)
    """

    def __init__(self, block_size: int = 2, **kwargs):
        super().__init__(**kwargs)
        if block_size < 2:
            raise ValueError(
                f"`block_size` should be greater than one. Received: block_size={block_size}"
            )
        self.block_size = block_size

    def call(self, inputs):
        b = self.block_size
        if hasattr(ops, "depth_to_space"):
            return ops.depth_to_space(inputs, b, data_format="channels_last")
        # Keras 3.12, the last for Python 3.10, has no such operation.
        batch, height, width, channels = ops.shape(inputs)
        x = ops.reshape(inputs, (batch, height, width, b, b, channels // b**2))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (batch, height * b, width * b, channels // b**2))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        b = self.block_size
        return (
            batch,
            None if height is None else height * b,
            None if width is None else width * b,
            channels // (b * b),
        )

    def get_config(self):
        return {**super().get_config(), "block_size": self.block_size}


@keras.saving.register_keras_serializable("tfanime")
class ICNR(keras.initializers.Initializer):
    """Initial weights of a convolution before a `PixelShuffle`: every pixel of a block the same.

    Without it the block's pixels start as unrelated filters and show as a checkerboard, which
    training has to remove first (Aitken et al. 2017).

    Args:
        initializer: Keras initializer, or its name, of the filters of one pixel.
        block_size: Integer, that of the `PixelShuffle`. Defaults to 2.

    Raises:
        ValueError: when called for a number of filters that is no multiple of `block_size` squared.

    Reference:
        [Aitken et al., 2017](https://arxiv.org/abs/1707.02937)
    """

    def __init__(self, initializer="glorot_uniform", block_size: int = 2):
        self.initializer = keras.initializers.get(initializer)
        self.block_size = block_size

    def __call__(self, shape, dtype=None, **kwargs):
        *inner, filters = shape
        copies = self.block_size**2
        if filters % copies:
            raise ValueError(
                f"The filters before a pixel shuffle of {self.block_size} are a multiple of "
                f"{copies}. Received: {filters}."
            )
        one = self.initializer((*inner, filters // copies), dtype=dtype)
        return ops.tile(one, [1] * len(inner) + [copies])

    def get_config(self):
        inner = keras.initializers.serialize(self.initializer)
        return {"initializer": inner, "block_size": self.block_size}


@keras.saving.register_keras_serializable("tfanime")
class Binomial(keras.initializers.Initializer):
    """A 3x3 convolution that smooths every channel on its own by `[1, 2, 1] / 4` in each direction.

    Behind a `PixelShuffle`, as a layer that is not trained, it takes away what changes sign from
    pixel to pixel, the checkerboard above all (the filter is 0 at the highest frequency), and
    leaves a constant as it is.

    Raises:
        ValueError: when called for anything but a `(3, 3, C, C)` kernel.
    """

    def __call__(self, shape, dtype=None, **kwargs):
        if tuple(shape[:2]) != (3, 3) or len(shape) != 4 or shape[2] != shape[3]:
            raise ValueError(f"A binomial kernel has shape (3, 3, C, C). Received: {shape}.")
        row = ops.convert_to_tensor([0.25, 0.5, 0.25], dtype=dtype)
        window = ops.reshape(row[:, None] * row[None, :], (3, 3, 1, 1))
        return window * ops.eye(shape[2], dtype=dtype)
