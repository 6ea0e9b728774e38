#!/usr/bin/env python
"""What a call of a served model costs, for scripts/serving/simulate_serving.py.

    python scripts/serving/bench_serving.py serving/girls/1
    python scripts/serving/bench_serving.py serving/girls/1 --rows 1 4 16 --repeat 20

Prints the processor time and the clock time of calls with so many requests of one image each,
and the line `call + image * requests` through the processor times. Processor time is of all
cores together, and hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np


def requests(rows: int) -> dict[str, np.ndarray]:
    """Inputs of `generate_png`: `rows` requests for one image."""
    return {
        "seed": np.arange(rows, dtype=np.int64),
        "n": np.ones(rows, np.int64),
        "first": np.zeros(rows, np.int64),
        "truncation": np.ones(rows, np.float32),
        "tags": np.asarray([b""] * rows, object),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a version folder")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--repeat", type=int, default=10)
    options = parser.parse_args()
    import tfanime  # noqa: F401  (keeps TensorFlow quiet)
    from tfanime.export.serving.session import Session

    session, costs = Session(options.model), []
    print("requests  processor ms  clock ms  bytes of a PNG")
    for rows in options.rows:
        found = session("generate_png", requests(rows))
        size = np.mean([len(file) for file in found["png_bytes"].ravel()])
        times = []
        for _ in range(options.repeat):
            start = time.process_time(), time.perf_counter()
            session("generate_png", requests(rows))
            times.append((time.process_time() - start[0], time.perf_counter() - start[1]))
        processor, clock = (statistics.median(t) * 1000 for t in zip(*times, strict=True))
        costs.append(processor / 1000)
        print(f"{rows:8} {processor:13.1f} {clock:9.1f} {size:15,.0f}")
    picture, call = np.polyfit(options.rows, costs, 1)
    print(f"call {call:.4f} s, picture {picture:.4f} s of processor time")
    session.close()


if __name__ == "__main__":
    main()
