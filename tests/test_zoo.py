"""The models that ship: what is in their folders, and that their names stand for them."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime import cli, zoo
from tfanime.core.decode import read_image
from tfanime.core.files import read_json
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.recipes.config import Config
from tfanime.tagging import load_tagger
from tfanime.training.build import build_gan
from tfanime.training.warm_start import start_from
from tfanime.zoo.saved import GENERATOR, kind_of

pytestmark = pytest.mark.usefixtures("judges_once", "models_once")
NETWORKS = [name for name in zoo.names() if (zoo.path(name) / "generator.keras").is_file()]
GENERATORS = [name for name in NETWORKS if kind_of(name) == GENERATOR]


def invoke(*words):
    return CliRunner().invoke(cli.main, [str(word) for word in words], terminal_width=200)


def test_sizes():
    sizes = {
        name: sum(file.stat().st_size for file in zoo.path(name).rglob("*")) for name in zoo.names()
    }
    assert max(sizes.values()) < 13e6 and sum(sizes.values()) < 40e6, sizes


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_says_what_it_is(name):
    folder = zoo.path(name)
    figures = read_json(folder / "figures.json")
    assert figures["trained"]["step"] > 0
    for figure in figures["figures"]:
        assert figure["protocol"] and figure["floor"] is not None or figure["better"] == "higher"
    assert read_json(folder / "config.json")["config"]["start"] is None
    generator = tfanime.load_generator(name)
    width, height = read_image(folder / "sheet.png").size
    assert width > 8 * generator.width and height > 8 * generator.height


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_can_be_trained_on(name):
    stored = Config.from_json(read_json(zoo.path(name) / "config.json")["config"])
    draws = name in GENERATORS
    shipped = tfanime.load_generator(name) if draws else tfanime.load_upscaler(name)
    gan = build_gan(stored.override(precision="float32"), shipped.schema if draws else None)
    start_from(gan, name)
    for mine, theirs in zip(gan.generator.get_weights(), shipped.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", [zoo.DEFAULT, "faces-64"])
def test_colours_are_obeyed(name):
    """Judged by the tagger: most images show what they were asked for."""
    tagger = load_tagger()
    for hair in ("blonde", "blue", "pink", "black"):
        shots = tfanime.generate(name, n=16, seed=1, tags={"hair": hair}, upscale="none").images
        found = [tags["hair"] for tags in tagger.tags(shots)]
        assert found.count(hair) > 10, (hair, found)


def test_without_a_run_the_model_that_ships_draws(tmp_path):
    sheet = tmp_path / "faces.png"
    result = invoke("generate", "--n", 4, "--hair", "pink", "--hat", "--grid", sheet)
    assert result.exit_code == 0, result.stderr
    expected = tmp_path / "expected.png"
    tfanime.generate(zoo.DEFAULT, n=4, tags={"hair": "pink", "hat": True}, grid=expected)
    assert sheet.read_bytes() == expected.read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--hair", "plaid"), "hair"),
        (("--moustache",), "No such option: --moustache"),
        (("nowhere", "--hair", "pink"), "'nowhere' does not exist"),
    ],
)
def test_what_it_does_not_know_is_refused(tmp_path, words, message):
    result = invoke("generate", *words, "--grid", tmp_path / "x.png")
    assert result.exit_code == 2 and message in result.stderr
    assert "Traceback" not in result.stderr and not (tmp_path / "x.png").exists()


def test_interpolating_without_a_run(tmp_path):
    result = invoke("interpolate", "--hair", "blue", "--frames", 2, "--grid", tmp_path / "row.png")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "row.png").is_file()


def test_small_faces_have_styles_and_the_labels_that_their_images_show():
    generator = tfanime.load_generator("faces-64")
    assert generator.schema.field("style").values == ("bust", "fan_art", "game", "television")
    few = {"twintails", "drill_hair", "ponytail", "ribbon", "glasses"}
    known = {name for name in generator.schema.columns if not name.endswith("_style")}
    assert known == {*MAKEGIRLSMOE.columns, "male"} - few
    assert (generator.width, generator.height) == (64, 64)


def test_faces_have_labels_that_the_tagger_knows_and_that_go_together():
    generator, known = tfanime.load_generator(zoo.DEFAULT), load_tagger().schema
    styles = {name for name in generator.schema.columns if name.endswith("_style")}
    assert styles == {"bust_style", "fan_art_style", "television_style"}
    assert set(generator.schema.columns) - styles < set(known.columns)
    drawn = tfanime.generate(zoo.DEFAULT, n=16, seed=3, upscale="none").labels
    kept = {row.tobytes() for row in generator.schema.examples}
    assert all(row.tobytes() in kept for row in drawn)
    assert (drawn[:, generator.schema.columns.index("bust_style")] == 1).all(), "the usual one"


@pytest.mark.slow
def test_without_a_run_the_model_that_ships_mixes_its_styles(tmp_path):
    sheet, expected = tmp_path / "mixed.png", tmp_path / "expected.png"
    words = ("--coarse-seeds", 1, "--fine-seeds", 2, "--hair", "pink", "--no-upscale")
    result = invoke("mix", *words, "--grid", sheet)
    assert result.exit_code == 0, result.stderr
    options = {"tags": {"hair": "pink"}, "upscale": "none"}
    tfanime.mix(zoo.DEFAULT, [1], [2], grid=expected, **options)
    assert sheet.read_bytes() == expected.read_bytes()
    own = tfanime.generate(zoo.DEFAULT, n=1, seed=1, **options).images.astype(float)
    sizes = (8, 128)  # nearly all styles of the other face, and the last touch
    far, near = (
        np.abs(tfanime.mix(zoo.DEFAULT, [1], [2], size, **options).images - own).mean()
        for size in sizes
    )
    assert far > near > 0


def test_posters_of_horror_are_darker_than_those_of_comedies(tmp_path):
    """As real ones are."""
    light, dark = (
        tfanime.generate(
            "posters", n=64, seed=2, tags={other: False, genre: True}, upscale="none"
        ).images
        for genre, other in (("comedy", "horror"), ("horror", "comedy"))
    )
    assert light.shape == (64, 72, 48, 3)
    assert light.mean() > dark.mean() + 10
    result = invoke("generate", "posters", "--horror", "--n", 4, "--grid", tmp_path / "h.png")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("upscaler", "factor"), [(zoo.UPSCALER, 4), ("upscaler-2x", 2), ("upscaler-posters", 4)]
)
def test_upscalers_come_nearer_to_real_drawings_than_plain_ways_do(upscaler, factor):
    figures = {
        one["name"]: one for one in read_json(zoo.path(upscaler) / "figures.json")["figures"]
    }
    for kind in ("clean", "worse"):
        for name in ("psnr", "ssim", "perceptual distance"):
            found = figures[f"{name}, {kind}"]
            plain = [found["details"][way] for way in ("nearest", "bicubic", "lanczos")]
            better = found["value"] > max(plain), found["value"] < min(plain)
            assert found["protocol"]["real set"] and better[found["better"] == "lower"]
    assert tfanime.load_upscaler(upscaler).factor == factor
    network = zoo.path(upscaler) / "generator.keras"
    assert network.stat().st_size < 1e6, "what a browser downloads is smaller still"


def test_without_a_run_the_upscaler_that_ships_enlarges(tmp_path):
    faces = tmp_path / "faces"
    tfanime.generate(zoo.DEFAULT, n=2, out=faces, upscale="none")
    result = invoke("upscale", faces, "--out", tmp_path / "larger")
    assert result.exit_code == 0, result.stderr
    for file in sorted(faces.glob("*.png")):
        small = np.asarray(read_image(file))
        larger = np.asarray(read_image(tmp_path / "larger" / file.name))
        np.testing.assert_array_equal(larger, tfanime.upscale(small[None])[0])
        side = len(small)
        means = larger.reshape(side, 4, side, 4, 3).mean(axis=(1, 3))
        assert np.abs(means - small).mean() < 8, "an enlarged picture, made small again"


def test_faces_are_shown_at_256_pixels():
    shown = tfanime.generate(zoo.DEFAULT, n=2, seed=3)
    small = tfanime.generate(zoo.DEFAULT, n=2, seed=3, upscale="none")
    assert shown.images.shape == (2, 256, 256, 3) and small.images.shape == (2, 128, 128, 3)
    np.testing.assert_array_equal(shown.images, tfanime.upscale(small.images, "upscaler-2x"))
    np.testing.assert_array_equal(shown.labels, small.labels)
