"""Asking a model server for images: `Client`."""

from tfanime.serving.client import Client
from tfanime.serving.replies import BadAnswer

__all__ = ["BadAnswer", "Client"]
