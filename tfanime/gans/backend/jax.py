"""The mechanics of a training step in JAX: pure functions of the variables' values.

Keras's variables are read and assigned as in TensorFlow. Within a step they live in a scope that
keeps what is assigned (`keras.StatelessScope`); every function that JAX differentiates runs in a
scope of its own, starts with the values of the one around it, and hands back what it assigned.
"""

from __future__ import annotations

import dataclasses
import threading

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import ops

from tfanime.gans.philox import blocks, in_a_row


class _Scope(keras.StatelessScope):
    """Remembers which variables were assigned."""

    def __init__(self):
        super().__init__()
        self.assigned: dict[int, keras.Variable] = {}

    def add_update(self, update):
        self.assigned[id(update[0])] = update[0]
        super().add_update(update)


_open = threading.local()


def _isolated(function, variables=(), values=()):
    """Calls a function where variables have those values.

    Returns:
        `(what it returned, variables that it assigned, their last values)`.
    """
    around = getattr(_open, "scopes", [])
    scope = _Scope()
    if around:
        scope.state_mapping.update(around[-1].state_mapping)
    scope.state_mapping.update({id(v): x for v, x in zip(variables, values, strict=True)})
    _open.scopes = [*around, scope]
    try:
        with scope:
            result = function()
    finally:
        _open.scopes = around
    assigned = list(scope.assigned.values())
    return result, assigned, [scope.get_current_value(v) for v in assigned]


class _Pure:
    """A function of values instead of variables, that also returns what was assigned."""

    def __init__(self, function, variables=()):
        self.function, self.variables = function, list(variables)
        self.assigned: list = []

    def __call__(self, values, *arguments):
        function = self.function
        result, self.assigned, changes = _isolated(
            lambda: function(*arguments), self.variables, values
        )
        return result, changes

    def assign(self, changes) -> None:
        for variable, value in zip(self.assigned, changes, strict=True):
            variable.assign(value)


def _values(variables) -> list:
    return [variable.value for variable in variables]


# ---- gradients: see `tfanime.gans.backend.tensorflow`, which describes each ----------------------


def gradients(losses_of, variables):
    pure = _Pure(losses_of, variables)

    def loss_of(values):
        (loss, figures), changes = pure(values)
        return loss, (figures, changes)

    results, (figures, changes) = jax.grad(loss_of, has_aux=True)(_values(variables))
    pure.assign(changes)
    return results, figures


def pair_of_gradients(losses_of, first, second):
    pure = _Pure(losses_of, [*first, *second])

    def losses(one, two):
        (one, two, figures), changes = pure([*one, *two])
        return (one, two), (figures, changes)

    pair, pullback, (figures, changes) = jax.vjp(
        losses, _values(first), _values(second), has_aux=True
    )
    pure.assign(changes)
    one, zero = jnp.ones_like(pair[0]), jnp.zeros_like(pair[0])
    return pullback((one, zero))[0], pullback((zero, one))[1], figures


def staged_gradients(draw, in_between, loss_of, variables):
    drawing = _Pure(draw, variables)
    images, pullback, changes = jax.vjp(drawing, _values(variables), has_aux=True)
    drawing.assign(changes)
    between = None if in_between is None else in_between(ops.stop_gradient(images))
    judging = _Pure(loss_of, variables)

    def loss(values, tensor):
        (value, figures), changes = judging(values, tensor)
        return value, (figures, changes)

    both = jax.grad(loss, argnums=(0, 1), has_aux=True)
    (direct, on_drawn), (figures, changes) = both(_values(variables), images)
    judging.assign(changes)
    # A loss may see the variables themselves too: conditioning augmentation's divergence does.
    through = pullback(on_drawn)[0]
    return (
        [one + other for one, other in zip(direct, through, strict=True)],
        images,
        between,
        figures,
    )


def input_gradients(logits_of, images):
    judging = _Pure(logits_of)

    def total(pictures):
        logits, changes = judging([], pictures)
        return ops.sum(ops.cast(logits, "float32")), changes

    slopes, changes = jax.grad(total, has_aux=True)(images)
    judging.assign(changes)
    return slopes


def when(condition, losses_of, variables, images):
    """As in TensorFlow, but always computed: a branch cannot change batch norm's statistics."""
    return tuple(ops.where(condition, value, 0.0) for value in losses_of(images))


def in_turn(function, parts) -> list:
    results = []
    for part in parts:
        if results:
            # The next part's images wait for the last one's gradients.
            waits, results[-1] = jax.lax.optimization_barrier(
                ((part.real, part.inputs), results[-1])
            )
            part = dataclasses.replace(part, real=waits[0], inputs=waits[1])
        results.append(function(part))
    return results


# ---- one device ----------------------------------------------------------------------------------


def replicas() -> int:
    return 1


def one_replica() -> int:
    return 0


def all_replicas_mean(values: list) -> list:
    return values


# ---- random numbers ------------------------------------------------------------------------------


def random_bits(stream: int, step, rows: int, count: int):
    step = jnp.reshape(jnp.asarray(ops.convert_to_tensor(step)), (1,)).astype(jnp.uint32)
    low, high = (jnp.full((1,), word, jnp.uint32) for word in (stream & 0xFFFFFFFF, stream >> 32))
    index = jnp.arange(-(-rows * count // 4), dtype=jnp.uint32)
    # A step draws hundreds of times, and XLA compiles each draw's rounds as so many lines of code.
    # On a CPU a loop is faster as well; on an accelerator each of its turns would be a launch.
    loop = in_a_row if has_accelerator() else jax.lax.fori_loop
    words = blocks((low, high, step, jnp.zeros_like(step)), index, loop)
    return jnp.stack(words, axis=-1).reshape(-1)[: rows * count].reshape(rows, count)


def fractions(bits):
    return (bits >> np.uint32(8)).astype(jnp.float32) * np.float32(2**-24)


# ---- compiling -----------------------------------------------------------------------------------


def has_accelerator() -> bool:
    return jax.default_backend() != "cpu"


def compiled(gan):
    """`gan.train_step` as one XLA program, a pure function of the state and the batch."""
    optimizers = [*gan.g_optimizer.variables, *gan.d_optimizer.variables]
    state = list({id(v): v for v in [*gan.variables, *optimizers]}.values())
    pure = _Pure(gan.train_step, state)
    run = jax.jit(pure)

    def step(batch):
        logs, changes = run(_values(state), batch)
        pure.assign(changes)
        return logs

    return step
