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
        return ops.depth_to_space(inputs, self.block_size, data_format="channels_last")

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
