#!/usr/bin/env python
"""What training on many GPUs asks of storage and network, and how often to write a checkpoint.

    python scripts/cluster/simulate_training.py
    python scripts/cluster/simulate_training.py --gpus 8 --rate 300 --node-years 0.5

Failures come at random (exponential) to each node; one stops the whole training, which is started
again and goes on from the last checkpoint. The time lost is simulated and compared with Young's
and Daly's formulas. The defaults are those of docs/scale.md, which says what was measured and what
assumed.

References: Young, "A first order approximation to the optimum checkpoint interval", CACM 17(9),
1974; Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", FGCS
22(3), 2006.
"""

from __future__ import annotations

import argparse
import math

import numpy as np

YEAR = 365.25 * 86_400


def young(write: float, between: float) -> float:
    """The best seconds of work between two checkpoints, to first order (Young 1974).

    Args:
        write: seconds that a checkpoint stops the work for.
        between: mean seconds between two failures.
    """
    return math.sqrt(2 * write * between)


def daly(write: float, between: float) -> float:
    """The same, to higher order (Daly 2006, equation 37)."""
    if write >= 2 * between:
        return between
    ratio = math.sqrt(write / (2 * between))
    return math.sqrt(2 * write * between) * (1 + ratio / 3 + ratio**2 / 9) - write


def lost(
    interval: float, write: float, restart: float, between: float, failures: int = 100_000
) -> float:
    """Share of the time that does not end up as training, over many failures.

    Args:
        interval: seconds of work between two checkpoints.
        restart: seconds from a failure until the work goes on.
    """
    running = np.random.default_rng(0).exponential(between, failures)
    # What was not saved when a failure came is done again.
    saved = np.floor(running / (interval + write)).sum() * interval
    return 1 - float(saved / (running.sum() + failures * restart))


def all_reduce(size: float, gpus: int, bandwidth: float) -> float:
    """Seconds of a ring all-reduce of `size` bytes at `bandwidth` bytes a second and GPU."""
    return 2 * (gpus - 1) / gpus * size / bandwidth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--gpus", type=int, default=64)
    add("--per-node", type=int, default=8, help="GPUs of a node")
    add("--pictures", type=float, default=10e6, help="of the training set")
    add("--rate", type=float, default=120, help="images that a GPU trains on in a second")
    add("--batch", type=int, default=32, help="images a step and GPU")
    add("--epochs", type=float, default=20)
    add("--picture-bytes", type=float, default=27.6e3, help="stored, compressed")
    add("--side", type=int, default=256, help="pixels")
    add("--shard-bytes", type=float, default=256e6)
    add("--decode", type=float, default=1480, help="images that a CPU core decodes in a second")
    add("--network-bytes", type=float, default=180e6, help="gradients of one step")
    add("--bandwidth", type=float, default=10e9, help="bytes a second and GPU between nodes")
    add("--checkpoint-bytes", type=float, default=559e6)
    add("--storage", type=float, default=500e6, help="bytes a second that one node writes")
    add("--node-years", type=float, default=0.5, help="mean time between failures of a node")
    add("--restart", type=float, default=300, help="seconds from a failure until it goes on")
    o = parser.parse_args()

    rate, nodes = o.rate * o.gpus, -(-o.gpus // o.per_node)
    hours = o.pictures * o.epochs / rate / 3600
    shards = math.ceil(o.pictures * o.picture_bytes / o.shard_bytes)
    print(f"{o.gpus} GPUs on {nodes} nodes, {rate:,.0f} pictures/s, {hours:,.1f} h of work\n")
    print("input")
    print(f"  stored                    {o.pictures * o.picture_bytes / 1e9:10,.0f} GB")
    print(f"  read                      {rate * o.picture_bytes / 1e6:10,.0f} MB/s, all nodes")
    print(f"  of a node                 {rate / nodes * o.picture_bytes / 1e6:10,.0f} MB/s")
    print(f"  decoded                   {rate * 3 * o.side**2 / 1e9:10,.1f} GB/s, all nodes")
    print(f"  cores that decode         {rate / nodes / o.decode:10,.1f} a node")
    print(f"  shards                    {shards:10,}, {shards // nodes} a node")
    step, sync = o.batch / o.rate, all_reduce(o.network_bytes, o.gpus, o.bandwidth)
    print("\ngradients")
    print(f"  step                      {1000 * step:10,.0f} ms")
    print(f"  all-reduce                {1000 * sync:10,.0f} ms, {sync / step:.0%} of it")
    write, between = o.checkpoint_bytes / o.storage, o.node_years * YEAR / nodes
    print("\ncheckpoints")
    print(f"  failure every             {between / 3600:10,.0f} h")
    print(f"  writing takes             {write:10,.1f} s")
    print(f"  Young's interval          {young(write, between) / 60:10,.0f} min")
    print(f"  Daly's interval           {daly(write, between) / 60:10,.0f} min")
    print("\n  interval   time lost   work lost at a failure")
    best = daly(write, between)
    for interval in sorted({60.0, 600.0, best, 3600.0, 4 * 3600.0, 24 * 3600.0}):
        share = lost(interval, write, o.restart, between)
        mark = "  <- Daly" if interval == best else ""
        print(f"  {interval / 60:6,.0f} min   {share:8.2%}   {interval / 120:6,.0f} min{mark}")


if __name__ == "__main__":
    main()
