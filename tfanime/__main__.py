"""The command `tfanime`, which is also `python -m tfanime`."""

import sys

from tfanime.core import lean

DRAWING = ("generate", "interpolate", "mix", "imagine", "upscale")  # verbs that draw, and end
HELP = {"-h", "--help"}
INTERRUPTED = 130


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        if words and words[0] in DRAWING and not HELP & set(words):
            lean.install()  # before all else, which is read while TensorFlow's library is linked
        from tfanime import cli
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)

    try:
        cli.main(prog_name="tfanime")
    except SystemExit as end:
        lean.leave(end)


if __name__ == "__main__":
    main()
