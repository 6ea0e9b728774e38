"""The command `tfanime`, which is also `python -m tfanime`."""

import sys

from tfanime.core import lean

DRAWING = ("generate", "interpolate", "mix", "imagine", "upscale")  # verbs that draw, and end
HELP = {"-h", "--help"}


def main() -> None:
    verb, options = sys.argv[1:2], set(sys.argv[2:])
    if verb and verb[0] in DRAWING and not HELP & options:
        lean.install()  # before all else, which is read while TensorFlow's library is linked
    from tfanime import cli

    try:
        cli.main(prog_name="tfanime")
    except SystemExit as end:
        lean.leave(end)


if __name__ == "__main__":
    main()
