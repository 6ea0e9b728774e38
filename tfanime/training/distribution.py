"""Where training runs: one device, or several under a `tf.distribute` strategy.

The loop is the same everywhere: `strategy.run(gan.train_step)` inside a `tf.function`, which,
unlike Keras's `fit`, also works with several workers (keras-team/keras#20585).
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfanime.gans import GAN
from tfanime.images import to_float

STRATEGIES = ("auto", "none", "mirrored", "multiworker")


def make(name: str, batch_size: int) -> tf.distribute.Strategy:
    """The strategy of that name.

    Raises:
        ValueError: for an unknown name, or a batch that does not divide by the replicas.
    """
    if name not in STRATEGIES:
        raise ValueError(f"strategy is one of: {', '.join(STRATEGIES)}. Received: {name!r}.")
    if name == "auto":
        name = "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "none"
    if name == "none":
        strategy = tf.distribute.get_strategy()
    elif name == "mirrored":
        # Without GPUs, every logical CPU is a replica: how the tests see two.
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        devices = [device.name for device in tf.config.list_logical_devices(kind)]
        strategy = tf.distribute.MirroredStrategy(devices)
    else:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    check_batch(strategy, batch_size)
    return strategy


def check_batch(strategy: tf.distribute.Strategy, batch_size: int) -> None:
    """Refuses a global batch that does not divide by the replicas."""
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(
            f"batch_size is divided among {replicas} replicas, so it must be a multiple of "
            f"{replicas}. Received: {batch_size}."
        )


def step_function(strategy: tf.distribute.Strategy, gan: GAN):
    """A compiled function from one batch to the logs of its step."""
    if not tf.config.list_logical_devices("GPU"):
        # TensorFlow's graph optimiser does not rewrite one graph alike in every process: about
        # one in twenty computed other last bits from the first step on, which would make a
        # resumed run another run. On a CPU training is as fast without it (bench_train.py).
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})

    def reduced(batch):
        logs = strategy.run(gan.train_step, args=(batch,))
        mean = tf.distribute.ReduceOp.MEAN
        return {name: strategy.reduce(mean, value, axis=None) for name, value in logs.items()}

    single = strategy.num_replicas_in_sync == 1
    function = gan.train_step if single else reduced
    return tf.function(function, jit_compile=bool(gan.jit_compile) and single, autograph=False)


def batches(strategy: tf.distribute.Strategy, data, batch_size: int, **arguments) -> Iterator[dict]:
    """The endless batches of `data.batches` as tensors, made in the background.

    Every worker reads its own rows of the global batch only, and each of its replicas gets its
    share of those.

    Args:
        strategy: made by `make`.
        data: a dataset.
        batch_size: rows of a global batch.
        **arguments: further ones of `data.batches`.
    """
    shard = _shard(strategy)
    rows = batch_size // strategy.num_replicas_in_sync
    local = strategy.num_replicas_in_sync // shard[1]
    for batch in in_background(data.batches(batch_size, shard=shard, **arguments)):
        batch["images"] = to_float(batch["images"])
        if strategy.num_replicas_in_sync == 1:
            yield {name: tf.convert_to_tensor(values) for name, values in batch.items()}
        else:
            yield {name: _split(strategy, values, rows, local) for name, values in batch.items()}


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes the run folder."""
    return _shard(strategy)[0] == 0


def _shard(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """This worker's index and the number of workers."""
    resolver = strategy.cluster_resolver
    if resolver is None or resolver.task_id is None:
        return 0, 1
    return resolver.task_id, len(resolver.cluster_spec().as_dict().get("worker", [None]))


def _split(strategy: tf.distribute.Strategy, values: np.ndarray, rows: int, local: int):
    def of_replica(context):
        first = context.replica_id_in_sync_group % local * rows
        return tf.convert_to_tensor(values[first : first + rows])

    return strategy.experimental_distribute_values_from_function(of_replica)


def in_background(items: Iterator, ahead: int = 4) -> Iterator:
    """Yields the same items, made up to `ahead` of them ahead in a thread of its own."""
    ready: queue.Queue = queue.Queue(maxsize=ahead)
    over = threading.Event()

    def work():
        try:
            for item in items:
                ready.put((item, None))
                if over.is_set():
                    return
        except BaseException as error:  # handed to the consumer
            ready.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            yield item
    finally:
        over.set()
        # A worker that waits for room gets it, sees that all is over, and ends.
        with contextlib.suppress(queue.Empty):
            ready.get_nowait()
