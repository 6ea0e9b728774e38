"""Packed sets: images of one size with their labels, as files that are read and written here."""

from tfanime.data.balance import MOST_REPEATS, repeats
from tfanime.data.packed import PackedDataset, from_arrays

__all__ = ["MOST_REPEATS", "PackedDataset", "from_arrays", "repeats"]
