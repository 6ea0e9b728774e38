"""Where training runs: one device, or several under a `tf.distribute` strategy.

The loop is the same everywhere: `strategy.run(gan.train_step)` inside a `tf.function`, which,
unlike Keras's `fit`, also works with several workers (keras-team/keras#20585).
"""

from __future__ import annotations

import tensorflow as tf

from tfanime.gans import GAN

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
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(
            f"batch_size is divided among {replicas} replicas, so it must be a multiple of "
            f"{replicas}. Received: {batch_size}."
        )
    return strategy


def step_function(strategy: tf.distribute.Strategy, gan: GAN):
    """A compiled function from one batch to the logs of its step."""

    def reduced(batch):
        logs = strategy.run(gan.train_step, args=(batch,))
        mean = tf.distribute.ReduceOp.MEAN
        return {name: strategy.reduce(mean, value, axis=None) for name, value in logs.items()}

    single = strategy.num_replicas_in_sync == 1
    function = gan.train_step if single else reduced
    return tf.function(function, jit_compile=bool(gan.jit_compile) and single, autograph=False)


def batches(strategy: tf.distribute.Strategy, data, batch_size: int, **arguments):
    """The endless batches of `data.tf_dataset`, each worker reading its own rows only."""
    if strategy.num_replicas_in_sync == 1:
        return data.tf_dataset(batch_size, **arguments)

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        shard = (context.input_pipeline_id, context.num_input_pipelines)
        dataset = data.tf_dataset(batch_size, shard=shard, **arguments)
        per_replica = batch_size // strategy.num_replicas_in_sync
        return dataset.unbatch().batch(per_replica, drop_remainder=True)

    return strategy.distribute_datasets_from_function(of_worker)
