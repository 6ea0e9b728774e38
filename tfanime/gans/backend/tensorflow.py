"""The mechanics of a training step in TensorFlow: tapes, replicas, random bits."""

from __future__ import annotations

import tensorflow as tf
from keras import ops

from tfanime.gans.philox import SCRAMBLE

PHILOX = 1  # what TensorFlow's operations call it

# ---- gradients -----------------------------------------------------------------------------------


def gradients(losses_of, variables):
    """Gradients of a loss.

    Args:
        losses_of: function without arguments that returns `(loss, found)`, the loss a scalar.
        variables: Keras variables; None takes the place of the gradient of one without influence.

    Returns:
        `(list of gradients, found)`.
    """
    with tf.GradientTape() as tape:
        loss, figures = losses_of()
    return tape.gradient(loss, _values(variables)), figures


def pair_of_gradients(losses_of, first, second):
    """Gradients of two losses that share their work, taken at the same weights.

    Args:
        losses_of: function without arguments that returns `(one, two, found)`.
        first, second: the variables of each loss.

    Returns:
        `(gradients of one, gradients of two, found)`.
    """
    with tf.GradientTape(persistent=True) as tape:
        one, two, figures = losses_of()
    results = tape.gradient(one, _values(first)), tape.gradient(two, _values(second)), figures
    del tape
    return results


def staged_gradients(draw, in_between, loss_of, variables):
    """Gradients of a loss of what `draw` makes, which is used for something else first.

    Args:
        draw: function without arguments that returns a tensor.
        in_between: function of that tensor, cut off from the gradient, or None.
        loss_of: function of the tensor that returns `(loss, found)`.
        variables: Keras variables; `draw` and `loss_of` may both depend on them.

    Returns:
        `(gradients, tensor, what in_between returned or None, found)`.
    """
    with tf.GradientTape() as tape:
        images = draw()
        between = None
        if in_between is not None:
            with tape.stop_recording():
                between = in_between(ops.stop_gradient(images))
        loss, figures = loss_of(images)
    return tape.gradient(loss, _values(variables)), images, between, figures


def input_gradients(logits_of, images):
    """Gradient of the summed logits with respect to `images`; itself differentiable.

    Args:
        logits_of: function from images to logits `(B, 1)`.
        images: `(B, H, W, 3)` float32.

    Returns:
        `(B, H, W, 3)` gradients; row i is the gradient of logit i (see `penalties`).
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = ops.sum(ops.cast(logits_of(images), "float32"))
    return tape.gradient(total, images)


def when(condition, losses_of, variables, images):
    """Two losses, or two zeros where the condition, a boolean scalar, does not hold; a graph then
    computes nothing.

    Args:
        condition: boolean scalar.
        losses_of: function from `images` to two float32 scalars.
        variables: Keras variables: all that the first loss has a gradient for.
        images: tensor: all that the second loss has a gradient for.
    """
    # Gradients are taken inside the branch. Those of `tf.cond` itself would be computed for
    # everything that the branch reads, the weights of frozen networks included, twice.
    values = _values(variables)

    def losses_and_slopes():
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(images)
            one, two = losses_of(images)
        none = tf.UnconnectedGradients.ZERO
        on_values = tape.gradient(one, values, unconnected_gradients=none)
        return one, two, *on_values, tape.gradient(two, images, unconnected_gradients=none)

    def zeros():
        return tf.zeros(()), tf.zeros(()), *map(tf.zeros_like, [*values, images])

    one, two, *slopes = map(tf.stop_gradient, tf.cond(condition, losses_and_slopes, zeros))
    linear = [tf.reduce_sum(slope * x) for slope, x in zip(slopes, [*values, images], strict=True)]
    return one + _only_gradient(tf.add_n(linear[:-1])), two + _only_gradient(linear[-1])


def _only_gradient(x):
    """0, with the gradient of x."""
    return x - tf.stop_gradient(x)


def in_turn(function, parts) -> list:
    """`function` of every part, each begun when the one before is done: memory of one part."""
    results = []
    for part in parts:
        with tf.control_dependencies(results[-1][0] if results else []):
            results.append(function(part))
    return results


def _values(variables) -> list:
    return [variable.value for variable in variables]


# ---- replicas ------------------------------------------------------------------------------------


def replicas() -> int:
    """How many devices share the batch."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def one_replica():
    """The number of the replica that is being computed, an integer tensor or 0."""
    context = tf.distribute.get_replica_context()
    return context.replica_id_in_sync_group if context else 0


def all_replicas_mean(values: list) -> list:
    """Means of tensors over all replicas."""
    context = tf.distribute.get_replica_context()
    # A variable that is read carries no device, and the reduction asks for one.
    values = [tf.identity(value) for value in values]
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, values)


# ---- random numbers ------------------------------------------------------------------------------


def random_bits(stream: int, step, rows, count: int):
    """`(rows, count)` uint32: Philox's bits for `(stream, step)`, see `tfanime.gans.philox`.

    They are those of `tf.random.stateless_uniform(alg="philox")`, which joins the words of key and
    counter by a dozen operations; steps that augment draw dozens of times.
    """
    seed = tf.stack([tf.constant(stream, tf.int64), tf.cast(step, tf.int64)])
    scramble = tf.constant([SCRAMBLE[1] << 32 | SCRAMBLE[0]], tf.uint64)
    words = _full_int((4,), scramble, tf.cast(seed, tf.uint64))
    key, upper = tf.split(tf.bitcast(tf.reshape(words, (2, 2)), tf.uint64), 2)
    return _full_int((rows, count), key, tf.concat([tf.zeros_like(upper), upper], 0))


def _full_int(shape, key, counter):
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape, key=key, counter=counter, alg=PHILOX, dtype=tf.uint32
    )


def fractions(bits):
    """float32 in [0, 1) of the upper 24 of 32 bits."""
    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) * 2**-24


# ---- compiling -----------------------------------------------------------------------------------


def has_accelerator() -> bool:
    """Whether there is a GPU, where XLA pays; on CPUs it is slower."""
    return bool(tf.config.list_physical_devices("GPU"))


def compiled(gan):
    """`gan.train_step` as a graph, for one device."""
    return tf.function(gan.train_step, jit_compile=bool(gan.jit_compile), autograph=False)
