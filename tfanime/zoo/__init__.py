"""Trained models: what ships with tfanime, and the folders that hold one."""

from tfanime.zoo.shipped import DEFAULT, POSTERS, UPSCALER, is_model, locate, names, path, ships

__all__ = ["DEFAULT", "POSTERS", "UPSCALER", "is_model", "locate", "names", "path", "ships"]
