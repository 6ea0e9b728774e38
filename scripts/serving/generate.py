#!/usr/bin/env python
"""Asks a model server for images over REST or gRPC.

python scripts/serving/generate.py http://localhost:8501 girls --tags hair=blue smile hat=no
python scripts/serving/generate.py grpc://localhost:8500 girls --n 64 --seed 7 --out sheet.png
"""

from __future__ import annotations

import argparse
import sys

from tfanime.core.images import save_grid
from tfanime.serving import Client


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", help="http://HOST:8501 or grpc://HOST:8500")
    parser.add_argument("model", help="its name on the server")
    parser.add_argument("--n", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tags", nargs="*", default=[], metavar="NAME[=VALUE]")
    parser.add_argument("--out", default="sheet.png", help="a sheet of all images")
    options = parser.parse_args()
    pairs = (word.partition("=") for word in options.tags)
    tags = {name: value if equals else "yes" for name, equals, value in pairs}
    try:
        with Client(options.server, options.model) as client:
            faces = client.generate(options.n, options.seed, tags or None)
    except (ValueError, LookupError, OSError, RuntimeError) as error:
        sys.exit(f"Error: {error}")
    save_grid(options.out, faces.images)
    print(f"{options.out}: {len(faces.images)} pictures; the first: {faces.tags[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
