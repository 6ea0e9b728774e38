"""Style mixing on a server: as `tfanime.mix` mixes, and only where there are styles."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import LATENT, SCHEMA, shaken

import tfanime
from tfanime.core import seeds
from tfanime.core.labels import to_signed
from tfanime.export.serving.saved_model import export_saved_model
from tfanime.models import GENERATORS
from tfanime.models.mixing import mixed, style_groups
from tfanime.models.steering import PLANES, STEP, steered
from tfanime.serving import Client
from tfanime.zoo.saved import load_generator, save_generator

pytestmark = pytest.mark.slow

FROM = {"fine": 32, "middle": 16, "coarse": 8}  # sizes of the maps
ASKED = {"coarse_seeds": [1, 2], "fine_seeds": [3, 4, 5], "tags": {"hair": "blue"}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A steered generator with styles, which follow the latents that it leads."""
    options = {"channels": 4, "fine_channels": 4, "normalisation": "styled", "grown": 4}
    model = shaken(GENERATORS["modern"](32, 32, LATENT, SCHEMA.size, **options))
    model = steered(model, 2)
    random = np.random.default_rng(3)
    for name in (PLANES, STEP):
        layer = model.get_layer(name)
        layer.set_weights([random.normal(size=w.shape) for w in layer.get_weights()])
    folder = tmp_path_factory.mktemp("styled")
    save_generator(folder / "run", model, SCHEMA, "styled")
    return folder / "run"


@pytest.fixture(scope="module")
def served(run, tmp_path_factory):
    return export_saved_model(run, tmp_path_factory.mktemp("served") / "styled", most=4)


@pytest.fixture(scope="module")
def styles(served):
    """A server of it."""
    from model_server import ModelServer

    with ModelServer(served.path.parents[1]) as running:
        yield running


def row(*groups: str, **changes) -> dict[str, np.ndarray]:
    asked = {"seed": 1, "style_seed": 3, "truncation": 0.8, "tags": b"hair=blue"} | changes
    kinds = {"truncation": np.float32, "tags": object}
    inputs = {name: np.asarray([x], kinds.get(name, np.int64)) for name, x in asked.items()}
    return inputs | {group: np.asarray([group in groups]) for group in FROM}


def face(seed: int) -> list[np.ndarray]:
    labels = seeds.sample_labels(seed, 1, SCHEMA, {"hair": "blue"})
    return [np.float32(0.8) * seeds.latents(seed, 1, LATENT), to_signed(labels)]


def test_the_signature_mixes_what_python_mixes(run, served, styles):
    model = load_generator(run).model
    assert list(style_groups(model)) == ["coarse", "middle", "fine"]
    session = styles.models["styled"][served.version]
    following: tuple[str, ...] = ()
    alone = np.asarray(model(face(1), training=False))
    np.testing.assert_allclose(session("mix", row())["pictures"], alone, atol=1e-5)
    for group, size in FROM.items():
        following = (*following, group)
        found = session("mix", row(*following))
        expected = np.asarray(mixed(model, size)([*face(1), *face(3)], training=False))
        np.testing.assert_allclose(found["pictures"], expected, atol=1e-5)
        assert np.abs(expected - alone).max() > 0.05
        np.testing.assert_allclose(found["latents"], face(1)[0], atol=1e-6)
        np.testing.assert_array_equal(to_signed(found["labels"]), face(1)[1])
    # With itself a face is as it was; and rows of one call have switches of their own.
    same = session("mix", row(*FROM, style_seed=1))["pictures"]
    np.testing.assert_allclose(same, alone, atol=1e-5)
    rows = [row(), row("middle"), row("fine", seed=5)]
    both = {name: np.concatenate([one[name] for one in rows]) for name in rows[0]}
    each = [session("mix", one)["pictures"][0] for one in rows]
    np.testing.assert_allclose(session("mix", both)["pictures"], each, atol=1e-5)
    for changes, said in (({"style_seed": -1}, "style_seed is"), ({"tags": b"hat"}, "tags are of")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=said):
            session("mix", row(**changes))


def test_weights_are_stored_once_still(run, served):
    weights = load_generator(run).model.weights
    assert served.weight_bytes == sum(4 * np.prod(w.shape) for w in weights)
    names = tf.train.list_variables(str(served.path / "variables" / "variables"))
    stored = [np.prod(shape) for name, shape in names if name.endswith("VARIABLE_VALUE")]
    assert 4 * sum(stored) == served.weight_bytes


@pytest.fixture(scope="module")
def by_python(run):
    return tfanime.mix(run, **ASKED, fine_from=16, truncation=0.8)


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_the_client_mixes(by_python, styles, kind):
    with Client(getattr(styles, kind), "styled") as at:
        assert at.describe()["styles"] == ["coarse", "middle", "fine"]
        found = at.mix(**ASKED, truncation=0.8)  # 6 images, where a request gives 4
        assert np.abs(found.images.astype(int) - by_python.images).max() <= 1
        np.testing.assert_array_equal(found.labels, by_python.labels)
        np.testing.assert_allclose(found.latents, by_python.latents, atol=1e-6)
        for wrong in (["large"], "fine"):
            with pytest.raises(ValueError, match="styles are of: coarse, middle, fine. Received"):
                at.mix(**ASKED, styles=wrong)
        with pytest.raises(ValueError, match="one fine seed or more"):
            at.mix([1], [])


def test_a_model_without_styles_cannot(exported, server):
    assert "mix" not in {*exported[1].signatures, *exported[2].signatures}
    with Client(server.rest, "girls") as girls:
        assert "styles" not in girls.describe()
        with pytest.raises(ValueError, match="needs a generator with styles"):
            girls.mix()
