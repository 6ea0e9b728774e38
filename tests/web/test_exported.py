"""What `tfanime export web` writes, drawn by the site itself: the same picture, no converter."""

from __future__ import annotations

import numpy as np
import pytest

from tests.export.networks import LATENT, SCHEMA, generator, saved, saved_upscaler, upscaler
from tfanime.core import seeds
from tfanime.core.images import to_uint8
from tfanime.core.labels import to_signed
from tfanime.zoo.directions import Direction, store_directions

pytestmark = pytest.mark.slow

WAY = np.asarray([0.5, -0.5, 0.5, -0.5, 0], np.float32)
MODELS = {"modern": True, "dcgan": False, "srresnet": True}  # whether it takes labels

DRAW = """async models => {
  const { Generator } = await import("./tfanime.js");
  const found = {};
  for (const model of models) {
    const failed = [];
    const onFallback = (name, why) => failed.push(`${name}: ${why}`);
    const g = await Generator.load(".", { model, backend: "wasm", onFallback });
    const picture = await g.generate({ seed: 7 });
    const move = g.directions.length ? { way: 4 } : {};
    const moved = [...(await g.generate({ seed: 7, move })).pixels];
    const large = model === "srresnet" ? [...(await g.upscale(picture)).data] : null;
    found[model] = { pixels: [...picture.pixels], moved, large, failed };
  }
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  return { found, loaded };
}"""


@pytest.fixture(scope="module")
def folder(site, tmp_path_factory):
    """In the place of the tiny models' folder: real exports of small generators."""
    import tfanime

    runs = tmp_path_factory.mktemp("runs")
    folders = [saved(runs / name, name, labelled) for name, labelled in MODELS.items()]
    store_directions(folders[0], [Direction("way", "pca", WAY)], {})
    folders.append(saved_upscaler(runs / "larger"))
    return tfanime.export_web(folders, runs / "site", "float32").path


def test_exports_draw_what_keras_draws(visit):
    page = visit(path="example.html", wait=False)
    answer = page.evaluate(DRAW, list(MODELS))
    for name, labelled in MODELS.items():
        found = answer["found"][name]
        assert found["failed"] == []
        given = [seeds.latents(7, 1, LATENT)]
        if labelled:
            given.append(to_signed(seeds.sample_labels(7, 1, SCHEMA)))
        model = generator(name, labelled)
        expected = np.asarray(model(given if labelled else given[0], training=False))
        np.testing.assert_allclose(found["pixels"], expected.ravel(), atol=1e-4)
        if name == "modern":
            given[0] = given[0] + np.float32(4) * WAY
            moved = np.asarray(model(given, training=False))
            np.testing.assert_allclose(found["moved"], moved.ravel(), atol=1e-4)
            assert np.abs(moved - expected).max() > 0.01
    large = np.asarray(upscaler()(expected, training=False))
    shown = np.reshape(answer["found"]["srresnet"]["large"], (*large.shape[1:3], 4))[..., :3]
    assert np.abs(shown - to_uint8(np.clip(large[0], -1, 1)).astype(int)).max() <= 1
    assert [url for url in answer["loaded"] if "/converted-" in url] == []
