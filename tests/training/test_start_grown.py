"""`start` for networks with styles, or that have grown."""

import numpy as np
import pytest
from runs import arrays_of

import tfanime
from tfanime import recipes
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.drawn.faces import draw_faces
from tfanime.training import checkpoint
from tfanime.training.run_config import described, plain_networks, without_labels

pytestmark = pytest.mark.usefixtures("eager")
PARTS = ("generator", "ema_generator", "discriminator", "head")


def weights(run, which=0):
    """Part -> path of a variable -> its array in a checkpoint."""
    networks = plain_networks(*described(run.path / "config.json"))
    arrays = arrays_of(checkpoint.checkpoints(run.path)[which])
    return {
        part: {
            v.path: arrays[f"{part}/{i:04d}"] for i, v in enumerate(getattr(networks, part).weights)
        }
        for part in PARTS
    }


@pytest.mark.slow
def test_a_run_of_half_the_size_gives_all_its_weights_to_what_has_grown(train, faces):
    small = train("modern", faces, "small", steps=1, generator={"channels": 4, "fine_channels": 4})
    images, labels = draw_faces(48, size=32)
    larger = tfanime.from_arrays(images, labels, MAKEGIRLSMOE)
    wide = {"channels": 4, "fine_channels": 4, "normalisation": "styled", "grown": 8}
    options = {"generator": wide, "discriminator": {"channels": 4, "grown": 4}, "image_size": 32}
    grown = train("modern", larger, "grown", steps=1, start=str(small.path), **options)
    source, begun = weights(small, -1), weights(grown)
    new = {}
    for part in PARTS:
        for path, array in source[part].items():
            np.testing.assert_array_equal(begun[part][path], array, err_msg=f"{part}: {path}")
        new[part] = {path: x for path, x in begun[part].items() if path not in source[part]}
    assert new["head"] == {}
    for part in PARTS[:2]:
        assert {path for path in new[part] if path.startswith("style")} == {
            *("style_0_fc/kernel", "style_0_fc/bias", "style_fc/kernel", "style_fc/bias")
        }
        for path, array in new[part].items():
            if path.endswith(("_scale/kernel", "_shift/kernel")) or path.startswith("grown_out/"):
                assert not array.any(), path
    assert not new["discriminator"]["grown_out/kernel"].any()
    assert new["discriminator"]["grown_conv/kernel"].any()


@pytest.mark.parametrize("normalisation", ["styled", "conditional"])
def test_labels_that_a_start_lacks_reach_every_layer_that_takes_labels(normalisation, train, faces):
    few = faces.select(["eyes", "smile"])
    options = {"steps": 1, "generator": {"channels": 4, "normalisation": normalisation}}
    first = train("modern", few, "few", **options)
    second = train("modern", faces, "all", start=str(first.path), **options)
    source, begun = weights(first, -1), weights(second)
    larger = set()
    for part in PARTS[:2]:
        for path, array in source[part].items():
            found = begun[part][path]
            if found.shape == array.shape:
                np.testing.assert_array_equal(found, array, err_msg=path)
                continue
            larger.add(path)
            others = len(array) - few.schema.size
            expected = np.zeros((others + faces.schema.size, array.shape[1]), array.dtype)
            expected[:others] = array[:others]
            for i, column in enumerate(few.schema.columns):
                expected[others + faces.schema.columns.index(column)] = array[others + i]
            np.testing.assert_array_equal(found, expected, err_msg=path)
    more = ("style_0_fc/kernel",)
    if normalisation == "conditional":
        norms = ("up0_conv_bn", "res0_1_bn", "last_bn")
        more = [f"{norm}_{kind}/kernel" for norm in norms for kind in ("scale", "shift")]
    assert larger == {"fc/kernel", *more}


def test_what_networks_have_before_labels_are_known():
    """Styles stay, since they are of the latents too; what follows the labels alone goes."""
    for name, expected in (("styled", "styled"), ("conditional", "batch")):
        generator = {"name": "modern", "normalisation": name}
        config = recipes.get("modern").override(generator=generator, conditioning="ac")
        found = without_labels(config)
        assert (found.conditioning, found.generator["normalisation"]) == ("none", expected)
