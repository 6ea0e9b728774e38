"""A discriminator's view of how much the images of a batch differ."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("tfanime")
class MinibatchStdDev(keras.layers.Layer):
    """Appends one map: the standard deviation within groups of the batch.

    Karras et al. 2018, section 3: the mean over features and places of the standard deviation
    over a group of samples, so that a generator that repeats itself is found out. It makes a
    sample's logit depend on its group, so it does not go with penalties on gradients of single
    samples, except R1, where it is customary.

    Args:
        group_size: Integer, samples per group; the whole batch when it does not divide by it.
            Defaults to 4.

    Reference:
        [Karras et al., 2018](https://arxiv.org/abs/1710.10196)
    """

    def __init__(self, group_size: int = 4, **kwargs):
        super().__init__(**kwargs)
        if group_size < 2:
            raise ValueError(
                f"`group_size` should be greater than one. Received: group_size={group_size}"
            )
        self.group_size = group_size

    def call(self, inputs):
        shape = ops.shape(inputs)
        batch, places = shape[0], tuple(inputs.shape[1:])
        if isinstance(batch, int):
            size = self.group_size if batch % self.group_size == 0 else batch
        else:
            size = ops.where(ops.equal(batch % self.group_size, 0), self.group_size, batch)
        x = ops.cast(inputs, "float32")
        # Group g holds samples g, g + groups, g + 2 groups, ...: of one kind where real and
        # generated images alternate in a batch (`GAN`'s joint_batch).
        x = ops.reshape(x, (size, -1, *places))
        spread = ops.sqrt(ops.var(x, axis=0) + 1e-8)
        spread = ops.mean(spread, axis=tuple(range(1, len(places) + 1)), keepdims=True)
        spread = ops.tile(spread, (size,) + (1,) * len(places))
        spread = ops.cast(spread, inputs.dtype) * ops.ones_like(inputs[..., :1])
        return ops.concatenate([inputs, spread], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size}
