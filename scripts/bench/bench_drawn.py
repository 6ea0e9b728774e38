"""How fast the built-in faces are drawn: images a second on one core, by size.

python scripts/bench/bench_drawn.py [--count 300]
"""

from __future__ import annotations

import argparse
import time

from tfanime.drawn.faces import draw_faces


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="images of each size")
    count = parser.parse_args().count
    print("size  pictures/s (one core, processor time)  pictures/s (wall clock)")
    for size in (32, 64, 128):
        draw_faces(10, size=size, seed=1)  # imports and caches
        wall, processor = time.perf_counter(), time.process_time()
        draw_faces(count, size=size, seed=0)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(f"{size:4d}  {count / processor:38.0f}  {count / wall:23.0f}")


if __name__ == "__main__":
    main()
