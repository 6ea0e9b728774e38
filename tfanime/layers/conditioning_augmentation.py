"""A text's vector as a cloud of vectors, so that few texts fill the space between them."""

import keras
from keras import ops

NORMAL = {"class_name": "RandomNormal", "config": {"stddev": 0.02}}


@keras.saving.register_keras_serializable("tfanime")
class ConditioningAugmentation(keras.layers.Layer):
    """Joins noise, labels and a sample around the vector of a text (Zhang et al. 2017, eq. 2).

    The last `vector_size` labels v are a text's; a dense layer makes a mean and a log-variance of
    them, and `mean(v) + exp(log_variance(v) / 2) * e` stands in their place. e are the last `size`
    of the latents: so a seed decides it too, the same in training and afterwards, and the layer
    draws nothing itself.

    Args:
        vector_size: Integer, columns of the labels that are a text's.
        size: Integer, numbers in the sample.

    Input: latents `(B, Z + size)` and labels `(B, L)`, -1/+1 coding. Output:
    `(B, Z + L - vector_size + size)` float32.

    Reference:
        [Zhang et al., 2017](https://arxiv.org/abs/1612.03242)
    """

    def __init__(self, vector_size: int, size: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if vector_size < 1 or size < 1:
            raise ValueError(
                "`vector_size` and `size` should be at least one. "
                f"Received: vector_size={vector_size}, size={size}"
            )
        self.vector_size, self.size = vector_size, size
        self.moments = keras.layers.Dense(
            2 * size, kernel_initializer=NORMAL, dtype=self.dtype_policy, name="moments"
        )

    def build(self, latents_shape, labels_shape):
        self.moments.build((None, self.vector_size))

    def call(self, latents, labels):
        mean, log_variance = self._moments(labels)
        sample = mean + ops.exp(0.5 * log_variance) * latents[:, -self.size :]
        plain = [latents[:, : -self.size], labels[:, : -self.vector_size]]
        return ops.concatenate([*plain, sample], axis=-1)

    def divergence(self, labels):
        """How far the clouds are from N(0, I): the mean of the Kullback-Leibler divergence over
        their numbers and the batch, scalar float32."""
        mean, log_variance = self._moments(ops.cast(labels, "float32"))
        apart = ops.square(mean) + ops.exp(log_variance) - log_variance - 1.0
        return 0.5 * ops.mean(apart)

    def _moments(self, labels):
        return ops.split(self.moments(labels[:, -self.vector_size :]), 2, axis=-1)

    def compute_output_shape(self, latents_shape, labels_shape):
        return (latents_shape[0], latents_shape[1] + labels_shape[1] - self.vector_size)

    def get_config(self):
        own = {"vector_size": self.vector_size, "size": self.size}
        return {**super().get_config(), **own}
