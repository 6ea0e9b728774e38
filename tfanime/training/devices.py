"""Where training runs: one device of either backend, or TensorFlow's replicas and workers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from tfanime.core.choices import STRATEGIES as STRATEGIES
from tfanime.core.images import to_float
from tfanime.gans import GAN, backend
from tfanime.training.background import in_background


class WorkerLost(RuntimeError):
    """Another worker stopped, or holds other weights; the run continues from its checkpoint."""


class OneDevice:
    """One device of whichever backend.

    Attributes:
        worker, workers: this process's number and how many there are.
    """

    worker, workers = 0, 1

    @property
    def chief(self) -> bool:
        """Whether this process is the one that writes the run folder."""
        return self.worker == 0

    def scope(self):
        """Where models and optimisers are made."""
        return contextlib.nullcontext()

    def step_function(self, gan: GAN) -> Callable:
        """A compiled function `(batch, wishes) -> (logs, totals)`.

        Args of it:
            batch: what `batches` yields.
            wishes: list of whole numbers, 1 for what this worker wants, such as to stop.

        It returns the logs as numbers and the sums of all workers' wishes.
        """
        step = backend.compiled(gan)

        def run(batch, wishes):
            logs = step(batch)
            return {name: float(value) for name, value in logs.items()}, wishes

        return run

    def batches(self, data, batch_size: int, parts: int = 1, **arguments) -> Iterator[dict]:
        """The endless batches of `data.batches`, images in [-1, 1], made in the background.

        Every worker reads its own rows of the global batch only.

        Args:
            data: a dataset.
            batch_size: rows of a global batch.
            parts: critic steps, that share a batch; every worker gets its share of each.
            **arguments: further ones of `data.batches`.
        """
        if self.workers > 1:
            arguments |= {"shard": (self.worker, self.workers), "parts": parts}
        for batch in in_background(data.batches(batch_size, **arguments)):
            yield {**batch, "images": to_float(batch["images"])}

    def total(self, number: int) -> int:
        """The sum over the workers, who all have to call this."""
        return number
