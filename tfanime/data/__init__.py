"""Packed sets: images of one size with their labels, as files that are read and written here."""

from tfanime.data.packed import MOST_REPEATS, PackedDataset, from_arrays, repeats

__all__ = ["MOST_REPEATS", "PackedDataset", "from_arrays", "repeats"]
