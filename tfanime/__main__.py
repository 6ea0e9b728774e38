"""The command `tfanime`, which is also `python -m tfanime`."""

from tfanime import cli
from tfanime.core import lean


def main() -> None:
    try:
        cli.main(prog_name="tfanime")
    except SystemExit as end:
        lean.leave(end)


if __name__ == "__main__":
    main()
