#!/usr/bin/env python
"""Makes a packed set on all cores, or all machines of a Ray cluster, in object storage.

    python scripts/cluster/prepare_parallel.py drawn:1000000 --out gs://bucket/faces
    python scripts/cluster/prepare_parallel.py 'gs://bucket/raw/*.tar' --size 96 --out s3://bucket/faces
    ray job submit --working-dir . -- python scripts/cluster/prepare_parallel.py ...    on a cluster

Each archive may have its table of labels, NAME.csv, beside it. The same command again goes on with
what is left. docs/scale.md says how it works and what it costs.
"""

from __future__ import annotations

import argparse
import sys


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="+", help="drawn:COUNT, or zips and tars, also with *")
    parser.add_argument("--out", required=True, help="address or folder of the set")
    parser.add_argument("--size", default="64", help="64, or WIDTHxHEIGHT")
    parser.add_argument("--engine", default="ray", choices=("ray", "none"))
    parser.add_argument("--per-part", type=int, help="faces of a part; default: a shard's")
    options = parser.parse_args(arguments)
    from tfanime.prepare.parallel import prepare_parallel

    source = options.source[0] if len(options.source) == 1 else options.source
    try:
        count = prepare_parallel(
            source, options.out, options.size, options.engine, options.per_part
        )
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f"Error: {error}")
    print(f"{count:,} images: {options.out}")


if __name__ == "__main__":
    main()
