"""Several devices and several machines: TensorFlow's strategies.

The loop is the same everywhere: `strategy.run(gan.train_step)` inside a `tf.function`, which,
unlike Keras's `fit`, also works with several workers (keras-team/keras#20585).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property

import numpy as np
import tensorflow as tf

from tfanime.core.quiet import silenced_stderr
from tfanime.gans import GAN, backend
from tfanime.training import cluster
from tfanime.training.devices import STRATEGIES, OneDevice, WorkerLost

# What TensorFlow raises when a peer is gone; anything else is a mistake of this process's own.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


class Replicas(OneDevice):
    """TensorFlow's devices: one, or several that share every batch, in one process or in many.

    Args:
        strategy: a name in `devices.STRATEGIES`.
        batch_size: rows of a global batch.
    """

    def __init__(self, strategy: str, batch_size: int):
        self.strategy = make(strategy, batch_size)
        self.worker, self.workers = _worker(self.strategy)

    def scope(self):
        return self.strategy.scope()

    def step_function(self, gan: GAN) -> Callable:
        if self.workers == 1:
            step = step_function(self.strategy, gan)
            return lambda batch, wishes: (_numbers(step(batch)), wishes)
        _optimise_alike()
        names: list[str] = []

        @tf.function(autograph=False)
        def step(batch, wishes):
            def of_replica(batch, wishes):
                logs = gan.train_step(batch)
                names[:] = logs
                return tf.concat([tf.stack(list(logs.values())), wishes], axis=0)

            values = self.strategy.run(of_replica, args=(batch, wishes))
            # One message for all figures: a message costs more than what is in it.
            return self.strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None)

        def run(batch, wishes):
            with self._watched():
                figures = step(batch, tf.constant(wishes, tf.float32)).numpy().tolist()
            logs, totals = figures[: len(names)], figures[len(names) :]
            return (
                dict(zip(names, logs, strict=True)),
                [round(mean * self.workers) for mean in totals],
            )

        return run

    def batches(self, data, batch_size: int, parts: int = 1, **arguments) -> Iterator[dict]:
        replicas = self.strategy.num_replicas_in_sync
        for batch in super().batches(data, batch_size, parts, **arguments):
            if replicas == 1:
                yield {name: tf.convert_to_tensor(values) for name, values in batch.items()}
            else:
                yield {
                    name: _split(self.strategy, values, parts, replicas // self.workers)
                    for name, values in batch.items()
                }

    def total(self, number: int) -> int:
        if self.workers == 1:
            return number
        with self._watched():
            return round(float(self._mean(tf.constant(number, tf.float32))) * self.workers)

    @cached_property
    def _mean(self):
        def mean(number):
            same = self.strategy.run(lambda x: x, args=(number,))
            return self.strategy.reduce(tf.distribute.ReduceOp.MEAN, same, axis=None)

        return tf.function(mean, autograph=False)

    @contextmanager
    def _watched(self):
        """Says in one sentence that another worker is gone."""
        try:
            yield
        except LOST as error:
            raise WorkerLost(
                f"Worker {self.worker} of {self.workers} stops, since another one stopped or "
                "cannot be reached. Start the same command on every worker again: the run "
                "continues from its newest checkpoint."
            ) from error


def make(name: str, batch_size: int) -> tf.distribute.Strategy:
    """The strategy of that name; `auto` is what the machine and `TF_CONFIG` offer.

    Raises:
        ValueError: for an unknown name, or a batch that does not divide by the replicas.
    """
    if name not in STRATEGIES:
        raise ValueError(f"strategy is one of: {', '.join(STRATEGIES)}. Received: {name!r}.")
    if name == "auto":
        name = "none"
        if cluster.workers_of(os.environ.get("TF_CONFIG")) > 1:
            name = "multiworker"
        elif len(tf.config.list_logical_devices("GPU")) > 1:
            name = "mirrored"
    if name == "none":
        strategy = tf.distribute.get_strategy()
    elif name == "mirrored":
        strategy = _mirrored()
    else:
        strategy = _multiworker()
    check_batch(strategy, batch_size)
    return strategy


@cache
def _mirrored() -> tf.distribute.Strategy:
    """One for the whole process: a second one's messages are taken for the first one's."""
    # Without GPUs, every logical CPU is a replica: how the tests see two.
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    return tf.distribute.MirroredStrategy(devices)


@cache
def _multiworker() -> tf.distribute.Strategy:
    """One for the whole process: workers connect once.

    Raises:
        WorkerLost: when the others do not come.
    """
    count = cluster.workers_of(os.environ.get("TF_CONFIG"))
    if count > 1:
        print(f"Waiting for all {count} workers ...", file=sys.stderr)
    try:
        # TensorFlow reports its servers here; what goes wrong arrives as an exception.
        with silenced_stderr():
            return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        raise WorkerLost(
            "Not all workers that TF_CONFIG names could be reached. Received: "
            f"{os.environ['TF_CONFIG']} ({(error.message or '').splitlines()[0]})."
        ) from error


def check_batch(strategy: tf.distribute.Strategy, batch_size: int) -> None:
    """Refuses a global batch that does not divide by the replicas."""
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(
            f"batch_size is divided among {replicas} replicas, so it must be a multiple of "
            f"{replicas}. Received: {batch_size}."
        )


def _optimise_alike() -> None:
    """TensorFlow's graph optimiser does not rewrite one graph alike in every process: about one in
    twenty computed other last bits from the first step on, which would make a resumed run another
    run. On a CPU training is as fast without it."""
    if not tf.config.list_logical_devices("GPU"):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def step_function(strategy: tf.distribute.Strategy, gan: GAN):
    """A compiled function from one batch to the logs of its step, in one process."""
    _optimise_alike()
    if strategy.num_replicas_in_sync == 1:
        return backend.compiled(gan)

    def reduced(batch):
        logs = strategy.run(gan.train_step, args=(batch,))
        mean = tf.distribute.ReduceOp.MEAN
        return {name: strategy.reduce(mean, value, axis=None) for name, value in logs.items()}

    return tf.function(reduced, autograph=False)


def _worker(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """This worker's number and the number of workers; a "chief" comes before them."""
    resolver = strategy.cluster_resolver
    if resolver is None or resolver.task_id is None:
        return 0, 1
    jobs = resolver.cluster_spec().as_dict()
    chiefs, workers = len(jobs.get("chief", [])), len(jobs.get("worker", []))
    before = chiefs if resolver.task_type == "worker" else 0
    return before + resolver.task_id, chiefs + workers


def _numbers(logs: dict) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}


def _split(strategy: tf.distribute.Strategy, values: np.ndarray, parts: int, local: int):
    """Each of a process's replicas gets its share of every part."""
    by_part = values.reshape(parts, local, -1, *values.shape[1:])

    def of_replica(context):
        own = by_part[:, context.replica_id_in_sync_group % local]
        return tf.convert_to_tensor(own.reshape(-1, *values.shape[1:]))

    return strategy.experimental_distribute_values_from_function(of_replica)
