"""Spectral normalisation as a reparameterisation (Miyato et al. 2018).

The layer computes with `W / sigma(W)` where `sigma(W) = u^T W v`; `W` stays the trained variable
and the gradient flows through `sigma`, so it is orthogonal to `W` once u and v have converged.
(Keras's own wrapper overwrites the kernel with `W / sigma`, which makes the optimiser and the
layer fight over one variable; tensorflow-addons' did the same.)

Calling the layer never changes u and v: `power_step` does. `tfanime.gans.GAN` takes one step per
discriminator update; in other training steps, call it on each of `spectral_layers(model)`.
"""

import keras
from keras import ops


class _Spectral:
    """What the dense and the convolutional layer share."""

    def build(self, input_shape):
        super().build(input_shape)
        shape = self.kernel.shape
        rows = 1
        for extent in shape[:-1]:
            rows *= extent
        unit = keras.initializers.RandomNormal(stddev=1.0)
        self.u = self.add_weight(
            shape=(shape[-1],), initializer=unit, trainable=False, name="u", dtype="float32"
        )
        self.v = self.add_weight(
            shape=(rows,), initializer="zeros", trainable=False, name="v", dtype="float32"
        )
        # u alone is random; a few steps make v and a first estimate of sigma.
        self.u.assign(self.u / ops.norm(self.u))
        self.power_step(5)

    def _matrix(self):
        return ops.reshape(ops.cast(self.kernel, "float32"), (-1, self.kernel.shape[-1]))

    def power_step(self, steps: int = 1):
        """Runs the power iteration (algorithm 1 of the paper) and stores u and v."""
        matrix = ops.stop_gradient(self._matrix())
        u, v = ops.convert_to_tensor(self.u), ops.convert_to_tensor(self.v)
        for _ in range(steps):
            v = _unit(ops.matmul(matrix, u), otherwise=v)
            u = _unit(ops.matmul(v, matrix), otherwise=u)
        self.u.assign(u)
        self.v.assign(v)

    def sigma(self):
        """The estimated largest singular value of the kernel, float32 scalar."""
        u, v = ops.convert_to_tensor(self.u), ops.convert_to_tensor(self.v)
        return ops.sum(ops.matmul(v, self._matrix()) * u)

    def normalised_kernel(self):
        """`W / sigma(W)`, in the layer's compute dtype; a kernel of zeros stays zero."""
        sigma = self.sigma()
        sigma = ops.where(ops.equal(sigma, 0.0), 1.0, sigma)
        return ops.cast(ops.cast(self.kernel, "float32") / sigma, self.compute_dtype)

    # Keras's own two store the kernel and the bias only, and a file without u and v cannot be read.

    def save_own_variables(self, store):
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        keras.layers.Layer.load_own_variables(self, store)


def spectral_layers(model: keras.Model) -> list:
    """The spectrally normalised layers of a model."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, _Spectral)]


def _unit(vector, otherwise):
    """The vector's direction; `otherwise` if it has none, as with a kernel of zeros."""
    norm = ops.norm(vector)
    return ops.where(norm > 0, vector / ops.maximum(norm, 1e-12), otherwise)


@keras.saving.register_keras_serializable("tfanime")
class SpectralConv2D(_Spectral, keras.layers.Conv2D):
    """`Conv2D` with a spectrally normalised kernel.

    The kernel `(kh, kw, in, out)` is normalised as the matrix `(kh kw in, out)`, as in the paper's
    section 2.1 (not as the norm of the convolution operator). Arguments are those of `Conv2D`.

    Reference:
        [Miyato et al., 2018](https://arxiv.org/abs/1802.05957)
    """

    def convolution_op(self, inputs, kernel):
        del kernel
        return super().convolution_op(inputs, self.normalised_kernel())


@keras.saving.register_keras_serializable("tfanime")
class SpectralDense(_Spectral, keras.layers.Dense):
    """`Dense` with a spectrally normalised kernel. Arguments are those of `Dense`.

    Reference:
        [Miyato et al., 2018](https://arxiv.org/abs/1802.05957)
    """

    def call(self, inputs, training=None):
        outputs = ops.matmul(inputs, self.normalised_kernel())
        if self.bias is not None:
            outputs = ops.add(outputs, ops.cast(self.bias, outputs.dtype))
        return outputs if self.activation is None else self.activation(outputs)
