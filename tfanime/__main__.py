"""`python -m tfanime` is the command `tfanime`."""

from tfanime.cli import main

if __name__ == "__main__":
    main(prog_name="tfanime")
