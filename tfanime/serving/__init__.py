"""Asking a model server for pictures: `Client`."""

from tfanime.serving.client import Client
from tfanime.serving.replies import BadAnswer

__all__ = ["BadAnswer", "Client"]
