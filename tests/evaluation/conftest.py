import numpy as np
import pytest

import tfanime
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.drawn.faces import draw_faces
from tfanime.tagging import decide


@pytest.fixture(scope="session")
def faces():
    """80 drawn faces of 16x16 with their labels, in memory."""
    images, labels = draw_faces(80, size=16)
    return tfanime.from_arrays(images, labels, MAKEGIRLSMOE)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))


class Painter:
    """A stand-in for a loaded generator: the drawn face of its labels, its first latents in the
    first pixel."""

    latent_dim, height, width, name, schema = 4, 16, 16, "painter", MAKEGIRLSMOE

    def __init__(self):
        self.latents, self.labels = [], []

    def __call__(self, latents, labels):
        self.latents.append(latents)
        self.labels.append(labels)
        drawn, _ = draw_faces(
            len(labels), size=16, labels=decide(labels / 2 + 0.5, MAKEGIRLSMOE, 0.5)
        )
        pictures = drawn / np.float32(127.5) - 1
        pictures[:, 0, 0] = np.tanh(latents[:, :3])
        return pictures.astype(np.float32)


@pytest.fixture
def painter():
    return Painter()
