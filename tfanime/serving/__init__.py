"""Asking a model server for pictures: `Client`."""

from tfanime.serving.client import Client

__all__ = ["Client"]
