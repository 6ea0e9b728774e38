import pytest

from tests.editing import tiny_editing


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A saved generator of `tiny_editing.network`."""
    from tfanime.zoo.saved import save_generator

    path = tmp_path_factory.mktemp("editing") / "tiny"
    save_generator(path, tiny_editing.network(), tiny_editing.SCHEMA, "tiny")
    return path


@pytest.fixture
def true_features():
    """For models as large as those that ship: no `_small_features`."""


@pytest.fixture(autouse=True)
def _small_features(request, monkeypatch):
    """What tells images apart is as small as the models: the gradient of the tagger, that of what
    ships, takes seconds to trace."""
    if "true_features" not in request.fixturenames:
        for name in ("invert", "encoder"):
            place = f"tfanime.editing.{name}.feature_network"
            monkeypatch.setattr(place, tiny_editing.feature_network)


@pytest.fixture
def with_directions(folder, tmp_path):
    """A copy of it with the directions `smile`, latent 0, and `sefa-1`, latent 1."""
    import shutil

    import numpy as np

    from tfanime.zoo.directions import Direction, store_directions

    copy = shutil.copytree(folder, tmp_path / "copy")
    axes = np.eye(tiny_editing.DIM, dtype=np.float32)
    found = [Direction("smile", "tagger", axes[0], {"smile": 0.1}, 0.9, 0.8)]
    store_directions(copy, [*found, Direction("sefa-1", "sefa", axes[1])], {"images": 0})
    return copy
