"""Work that is done ahead of time in a thread."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator


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
