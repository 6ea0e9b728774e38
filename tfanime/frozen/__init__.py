"""Networks that others trained, which stay as they are: to look through, and to judge with."""

from tfanime.frozen.load import load_frozen

__all__ = ["load_frozen"]
