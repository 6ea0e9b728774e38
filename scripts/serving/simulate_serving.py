#!/usr/bin/env python
"""How many replicas a service needs, how long visitors wait, and what a million images cost.

    python scripts/serving/simulate_serving.py
    python scripts/serving/simulate_serving.py --per-day 1e6 --call 0.004 --picture 0.012 \\
        --price 0.08

A replica takes what waits, up to `--batch` requests, for which it may wait `--wait` seconds, and
needs `call + image * b` seconds for b of them. Requests come at random (Poisson), one image
each, spread over the replicas at random: so each replica is a queue of its own, and one is
simulated. The defaults are those of docs/scale.md, which says what was measured and what assumed.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import numpy as np

DAY = 86_400
ARRIVALS = 20_000


@dataclass(frozen=True)
class Replica:
    """A server with one device.

    Args:
        call, picture: seconds a call, and for each image in it.
        batch: requests of a call, at most.
        wait: seconds that the first of a call may wait for others.
    """

    call: float
    picture: float
    batch: int = 1
    wait: float = 0.0

    @property
    def capacity(self) -> float:
        """Pictures a second, with full calls."""
        return self.batch / (self.call + self.picture * self.batch)


def latencies(replica: Replica, rate: float, arrivals: int = ARRIVALS, seed: int = 0) -> np.ndarray:
    """Seconds from request to answer, `(arrivals,)`, the first tenth left out.

    Args:
        rate: requests a second at this replica.
    """
    came = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, arrivals))
    answered = np.empty(arrivals)
    first, free = 0, 0.0
    while first < arrivals:
        # It starts when it is free and the batch is full or its first has waited long enough.
        last = first + replica.batch - 1
        full = came[last] if last < arrivals else math.inf
        start = max(free, min(came[first] + replica.wait, full))
        end = min(int(np.searchsorted(came, start, side="right")), first + replica.batch)
        end = max(end, first + 1)
        free = start + replica.call + replica.picture * (end - first)
        answered[first:end] = free - came[first:end]
        first = end
    return answered[arrivals // 10 :]


def replicas(replica: Replica, rate: float, slowest: float, share: float = 0.99) -> int:
    """The fewest replicas that answer a share of all requests within `slowest` seconds.

    Raises:
        ValueError: when even an idle replica is slower.
    """
    if replica.call + replica.picture + replica.wait > slowest:
        raise ValueError(
            f"A call, with what it may wait, fits into the time allowed, {slowest:g} s. "
            f"Received: {replica.call + replica.picture + replica.wait:g} s."
        )

    def enough(count: int) -> bool:
        return np.quantile(latencies(replica, rate / count), share) <= slowest

    low = max(1, math.floor(rate / replica.capacity))
    high = low
    while not enough(high):
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def hourly(per_day: float, peak: float) -> np.ndarray:
    """Requests a second in each hour of a day whose busiest has `peak` times the average."""
    wave = 1 - (peak - 1) * np.cos(2 * np.pi * np.arange(24) / 24)
    return per_day / DAY * np.maximum(wave, 0.05) / np.maximum(wave, 0.05).mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--per-day", type=float, default=100e6, help="images")
    add("--peak", type=float, default=2.0, help="busiest hour over the average one")
    add("--call", type=float, default=0.0038, help="seconds a call takes beside its images")
    add("--picture", type=float, default=0.0048, help="seconds an image takes")
    add("--slowest", type=float, default=0.5, help="seconds, for 99 of 100 requests")
    add("--price", type=float, default=0.04, help="of a replica, an hour")
    add("--traffic", type=float, default=0.08, help="price of 10^9 bytes sent")
    add("--picture-bytes", type=float, default=9_000, help="of a PNG file")
    add("--site-bytes", type=float, default=2.2e6, help="of the site and its model, once a visitor")
    add("--per-visitor", type=float, default=20, help="images that a visitor looks at")
    options = parser.parse_args()
    rates = hourly(options.per_day, options.peak)
    print(
        f"{options.per_day:,.0f} pictures a day: {rates.mean():,.0f} a second, "
        f"{rates.max():,.0f} in the busiest hour\n"
    )
    print("batch  wait ms  replicas   load  p50 ms  p99 ms  a million: fixed  following the day")
    best = math.inf
    for batch, wait in ((1, 0), (4, 0), (16, 0), (16, 0.005), (64, 0), (64, 0.05)):
        replica = Replica(options.call, options.picture, batch, wait)
        count = replicas(replica, rates.max(), options.slowest)
        seen = latencies(replica, rates.max() / count)
        fixed = count * 24
        following = sum(replicas(replica, rate, options.slowest) for rate in rates)
        a_million = [hours * options.price / options.per_day * 1e6 for hours in (fixed, following)]
        best = min(best, a_million[1])
        print(
            f"{batch:5} {1000 * wait:8.0f} {count:9,} {rates.max() / count / replica.capacity:6.0%}"
            f" {1000 * np.median(seen):7.0f} {1000 * np.quantile(seen, 0.99):7.0f}"
            f" {a_million[0]:17.2f} {a_million[1]:18.2f}"
        )
    sent = options.picture_bytes * 1e6 / 1e9 * options.traffic
    visits = 1e6 / options.per_visitor
    site = visits * options.site_bytes / 1e9 * options.traffic
    even = options.site_bytes / 1e9 * options.traffic / ((best + sent) / 1e6)
    print(
        f"\na million pictures, computed here: {best:.2f} for computing and {sent:.2f} for traffic"
        f"\na million pictures, computed by {visits:,.0f} visitors: {site:.2f} for traffic"
        f"\nboth cost the same at {even:.1f} pictures a visitor"
    )


if __name__ == "__main__":
    main()
