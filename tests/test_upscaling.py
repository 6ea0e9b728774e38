"""Enlarging pictures: tiles, files, names, refusals; `generate` with an upscaler."""

from __future__ import annotations

import keras
import numpy as np
import profiles
import pytest
import tensorflow as tf
from PIL import Image
from tiny_upscalers import Doubler, network, shots

import tfanime
from tests.command_line import invoke
from tfanime.core.images import save_image, to_float
from tfanime.sampling.upscale import reduced, tiles, upscale
from tfanime.zoo.saved import (
    Upscaler,
    kind_of,
    load_generator,
    load_schema,
    load_upscaler,
    save_generator,
    save_upscaler,
    store_upscaler,
    upscaler_of,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder of an upscaler."""
    folder = tmp_path_factory.mktemp("upscaler")
    save_upscaler(folder, network(), 2, "srgan")
    return folder


# ---- tiles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2, 4])
def test_tiles_equal_the_whole(factor):
    upscaler = Upscaler(network(factor), factor, "test")
    picture = shots(1, 53, 70)[0]
    whole = upscaler(to_float(picture[None]))[0]
    assert np.ptp(whole) > 0.5
    covered = np.zeros(whole.shape[:2], int)
    for rows, columns, part in tiles(upscaler, picture, 16):
        np.testing.assert_allclose(part, whole[rows, columns], atol=1e-5)
        covered[rows, columns] += 1
    assert (covered == 1).all()


def test_the_margin_is_what_a_pixel_depends_on():
    upscaler = Upscaler(network(), 2, "test")
    side = 2 * upscaler.margin + 21
    middle = side // 2
    small = tf.Variable(np.zeros((1, side, side, 3), np.float32))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(upscaler.model(small)[0, 2 * middle : 2 * middle + 2, 2 * middle])
    touched = np.abs(tape.gradient(value, small)[0]).sum(-1) > 0
    reach = np.abs(np.argwhere(touched) - middle).max()
    assert upscaler.margin - 3 <= reach <= upscaler.margin


def test_memory_is_bounded_by_the_tile():
    doubler = Doubler()
    found = upscale(shots(1, 50, 40), doubler, tile=16)
    np.testing.assert_array_equal(found, shots(1, 50, 40).repeat(2, 1).repeat(2, 2))
    assert len(doubler.sizes) == 4 * 3
    assert max(max(size) for size in doubler.sizes) == 18


# ---- arrays and files --------------------------------------------------------------------------


def test_a_picture_comes_out_the_same_in_any_company(run):
    together = upscale(shots(), run)
    assert together.shape == (3, 20, 28, 3) and together.dtype == np.uint8
    for i in range(3):
        assert upscale(shots()[i : i + 1], run).tobytes() == together[i].tobytes()


def test_folders_keep_their_names(tmp_path):
    names = {"2.png": "2.png", "10.webp": "10.png", "sub/a.png": "sub/a.png"}
    for name, picture in zip(names, shots(), strict=True):
        save_image(tmp_path / "in" / name, picture)
    (tmp_path / "in" / "generated.json").write_text("{}")
    (tmp_path / "in" / ".hidden.png").write_text("no picture")
    out = tmp_path / "out"
    written = upscale(tmp_path / "in", Doubler(), out=out)
    assert written == [out / name for name in names.values()]
    assert sorted(f for f in out.rglob("*") if f.is_file()) == sorted(written)
    for path, picture in zip(written, shots(), strict=True):
        with Image.open(path) as found:
            assert found.format == "PNG"
            np.testing.assert_array_equal(found, picture.repeat(2, 0).repeat(2, 1))


def test_files_arrays_and_transparency(tmp_path):
    clear = Image.new("RGBA", (6, 4), (255, 0, 0, 0))
    clear.save(tmp_path / "clear.png")
    (found,) = upscale(tmp_path / "clear.png", Doubler())
    assert found.shape == (8, 12, 4) and not found[..., 3].any()
    (one,) = upscale([str(tmp_path / "clear.png")], Doubler(), out=tmp_path / "larger")
    assert one == tmp_path / "larger" / "clear.png"
    with Image.open(one) as stored:
        assert stored.mode == "RGBA" and stored.size == (12, 8)
    numbered = upscale(shots(2), Doubler(), out=tmp_path / "numbered")
    assert [path.name for path in numbered] == ["000000.png", "000001.png"]


def test_alpha_is_enlarged_and_hidden_colours_stay_hidden(tmp_path):
    # A red disc on nothing, where nothing happens to be stored as green.
    y, x = np.mgrid[:40, :40]
    alpha = np.clip((12 - np.hypot(y - 19.5, x - 19.5)) * 255, 0, 255).astype(np.uint8)
    picture = np.full((40, 40, 4), (255, 0, 0, 0), np.uint8)
    picture[alpha == 0] = (0, 255, 0, 0)
    picture[..., 3] = alpha
    Image.fromarray(picture).save(tmp_path / "disc.png")

    class Smooth(Doubler):
        def __call__(self, pictures):
            half = (pictures + np.roll(pictures, 1, 2)) / 2
            return half.repeat(2, axis=1).repeat(2, axis=2)

    (found,) = upscale(tmp_path / "disc.png", Smooth(), tile=16)
    assert found.shape == (80, 80, 4)
    assert found[..., :3][found[..., 3] > 0].tolist() == [[255, 0, 0]] * (found[..., 3] > 0).sum()
    assert found[40, 40, 3] == 255 and found[2, 2, 3] == 0
    share = found[..., 3].mean() / alpha.mean()
    assert abs(share - 1) < 0.01
    (opaque,) = upscale([_saved(tmp_path / "opaque.png", picture[..., :3])], Doubler())
    assert opaque.shape == (80, 80, 3)


def _saved(path, picture):
    save_image(path, picture)
    return path


def test_colours_of_a_profile_are_enlarged_in_srgb(tmp_path):
    stored = Image.new("RGB", (6, 4), (200, 60, 63))
    stored.save(tmp_path / "p3.png", icc_profile=profiles.display_p3())
    (written,) = upscale(tmp_path / "p3.png", Doubler(), out=tmp_path / "larger")
    with Image.open(written) as found:
        np.testing.assert_allclose(found.getpixel((5, 5)), (217, 42, 56), atol=2)
        assert "icc_profile" not in found.info


def test_nothing_is_overwritten_unasked(tmp_path):
    save_image(tmp_path / "in" / "a.png", shots()[0])
    out = tmp_path / "out"
    upscale(tmp_path / "in", Doubler(), out=out)
    before = (out / "a.png").read_bytes()
    save_image(tmp_path / "in" / "a.png", shots()[1])
    with pytest.raises(
        ValueError, match=r"1 of 1 files exist already, the first .*a\.png.*--overwrite"
    ):
        upscale(tmp_path / "in", Doubler(), out=out)
    assert (out / "a.png").read_bytes() == before
    upscale(tmp_path / "in", Doubler(), out=out, overwrite=True)
    assert (out / "a.png").read_bytes() != before
    with pytest.raises(ValueError, match="out is another folder than that of the images"):
        upscale(tmp_path / "in", Doubler(), out=tmp_path / "in", overwrite=True)


def test_damaged_files_are_named_and_the_others_written(tmp_path):
    save_image(tmp_path / "in" / "a.png", shots()[0])
    (tmp_path / "in" / "b.png").write_bytes(b"")
    (tmp_path / "in" / "c.jpg").write_text("words")
    with pytest.raises(
        ValueError,
        match=r"2 of 3 images cannot be read: b.png \(empty file.*; c.jpg \(not a picture: text.*"
        "others are in",
    ):
        upscale(tmp_path / "in", Doubler(), out=tmp_path / "out")
    assert [f.name for f in (tmp_path / "out").iterdir()] == ["a.png"]


def test_what_cannot_be_done_is_said(tmp_path):
    save_image(tmp_path / "in" / "a.png", shots()[0])
    save_image(tmp_path / "in" / "a.webp", shots()[0])
    for arguments, message in [
        ({"pictures": tmp_path / "in", "out": tmp_path / "out"}, "a.png and a.webp, .*one file"),
        ({"pictures": tmp_path / "in", "tile": 4}, "tile is at least 16 pixels. Received: 4"),
        ({"pictures": [], "out": tmp_path / "out"}, "at least one image"),
        ({"pictures": shots(), "out": tmp_path / "in" / "a.png"}, "out is a folder"),
        ({"pictures": [tmp_path / "in" / "a.png"] * 2, "out": tmp_path / "out"}, "given once"),
        ({"pictures": shots()[0]}, "Images are .n, height, width, 3. uint8"),
    ]:
        with pytest.raises(ValueError, match=message):
            upscale(**{"run": Doubler(), **arguments})
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="at least one image.*none.*holds none"):
        upscale(tmp_path / "none", Doubler())
    assert not (tmp_path / "out").exists()


def test_reduced_pictures_are_means_on_request_worse(tmp_path):
    flat = np.full((2, 8, 12, 3), 77, np.uint8)
    np.testing.assert_array_equal(reduced(flat, 2), flat[:, ::2, ::2])
    worse = reduced(flat, 4, share=1.0)
    assert worse.shape == (2, 2, 3, 3) and (worse != 77).any()
    np.testing.assert_array_equal(worse, reduced(flat, 4, share=1.0))


# ---- what is saved -----------------------------------------------------------------------------


def test_an_upscaler_survives_being_saved(run):
    loaded = tfanime.load_upscaler(run)
    assert (loaded.factor, loaded.name, kind_of(run)) == (2, "srgan", "upscaler")
    pictures = to_float(shots())
    expected = np.clip(network()(pictures), -1, 1)
    np.testing.assert_allclose(loaded(pictures), expected, atol=1e-6)
    assert np.abs(expected).max() == 1


def test_an_upscaler_trained_in_bfloat16_computes_in_float32(tmp_path):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        save_upscaler(tmp_path, network(), 2, "srgan")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    pictures = to_float(shots())
    np.testing.assert_allclose(
        load_upscaler(tmp_path)(pictures), np.clip(network()(pictures), -1, 1), atol=1e-6
    )


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generator")
    latents = keras.Input((4,))
    x = keras.layers.Reshape((8, 8, 3))(keras.layers.Dense(192, activation="tanh")(latents))
    save_generator(folder, keras.Model(latents, x), None, "tiny")
    return folder


def test_the_two_kinds_are_not_confused(run, generator, tmp_path):
    for load in (load_generator, load_schema):
        with pytest.raises(ValueError, match="A run of a generator is needed.*tfanime upscale"):
            load(run)
    with pytest.raises(ValueError, match="A run of an upscaler is needed.*tfanime generate"):
        load_upscaler(generator)
    with pytest.raises(FileNotFoundError, match="tfanime train srgan"):
        load_upscaler(tmp_path)


def test_a_model_saved_before_there_were_kinds_is_a_generator(generator):
    from tfanime.core.files import read_json, write_json

    description = read_json(generator / "generator.json")
    assert description.pop("kind") == "generator"
    write_json(generator / "generator.json", description)
    assert kind_of(generator) == "generator" and load_generator(generator).latent_dim == 4


def test_generated_pictures_are_enlarged_like_files(run, generator, tmp_path):
    plain = tfanime.generate(generator, n=3, seed=5, out=tmp_path / "plain")
    large = tfanime.generate(generator, n=3, seed=5, upscale=run, out=tmp_path / "large")
    assert large.images.shape == (3, 16, 16, 3)
    np.testing.assert_array_equal(large.images, upscale(plain.images, run))
    written = upscale(tmp_path / "plain", run, out=tmp_path / "files")
    for path in written:
        assert path.read_bytes() == (tmp_path / "large" / path.name).read_bytes()


# ---- an upscaler that the model names ------------------------------------------------------------


@pytest.fixture
def named(run, generator, tmp_path, monkeypatch):
    """A generator that names an upscaler; both as if they shipped."""
    from shutil import copytree

    from tfanime import zoo

    monkeypatch.setattr(zoo.shipped, "PLACES", (tmp_path / "zoo",))
    for name, source in (("painter", generator), ("enlarger", run)):
        copytree(source, tmp_path / "zoo" / name)
        (tmp_path / "zoo" / name / "MODEL_CARD.md").write_text("# A model\n")
    store_upscaler("painter", "enlarger")
    return tmp_path / "zoo" / "painter"


def test_pictures_are_shown_through_the_upscaler_that_the_model_names(named, run, tmp_path):
    assert load_generator("painter").upscaler == upscaler_of("painter") == "enlarger"
    shown = tfanime.generate("painter", n=3, seed=5)
    small = tfanime.generate("painter", n=3, seed=5, upscale="none")
    assert small.images.shape == (3, 8, 8, 3) and shown.images.shape == (3, 16, 16, 3)
    np.testing.assert_array_equal(shown.images, upscale(small.images, run))
    np.testing.assert_array_equal(shown.latents, small.latents)
    np.testing.assert_array_equal(
        tfanime.generate("painter", n=3, seed=5, upscale=Doubler()).images,
        small.images.repeat(2, 1).repeat(2, 2),
    )
    assert tfanime.generate("painter", n=1, scale=2).images.shape == (1, 32, 32, 3)
    loop = tfanime.interpolate("painter", seeds=[1, 2], frames=2)
    assert loop.images.shape == (4, 16, 16, 3)
    still = tfanime.interpolate("painter", seeds=[1, 2], frames=2, upscale="none")
    assert still.images.shape == (4, 8, 8, 3)


def test_pictures_that_are_measured_are_not_enlarged(named):
    from tfanime.evaluation.subject import Generator

    subject = Generator(named)
    [(drawn, _)] = subject.chunks(2, seed=5)
    assert drawn.shape == (2, 8, 8, 3) and subject.asked({}, 2, 5).shape == (2, 8, 8, 3)


def test_what_names_an_upscaler_that_is_not_here(named, generator):
    from tfanime.core.files import read_json, write_json

    with pytest.raises(ValueError, match="ships with tfanime is one of: enlarger, painter"):
        store_upscaler("painter", "elsewhere")
    with pytest.raises(ValueError, match="A run of an upscaler is needed"):
        store_upscaler("painter", "painter")
    described = read_json(named / "generator.json")
    write_json(named / "generator.json", {**described, "upscaler": "elsewhere"})
    with pytest.raises(ValueError, match="through the upscaler 'elsewhere'.*--no-upscale"):
        tfanime.generate("painter", n=1)
    assert tfanime.generate("painter", n=1, upscale="none").images.shape == (1, 8, 8, 3)
    for wrong in (7, "../painter", ""):
        write_json(named / "generator.json", {**described, "upscaler": wrong})
        with pytest.raises(ValueError, match=r"generator.json' names no upscaler that ships"):
            load_generator("painter")
    write_json(named / "generator.json", described)
    store_upscaler("painter", None)
    assert load_generator("painter").upscaler is None
    described.pop("upscaler")
    assert read_json(named / "generator.json") == described


def test_command_line_leaves_the_upscaler_out(named, run, tmp_path):
    for words, side in (([], 16), (["--no-upscale"], 8), (["--no-upscale", "--scale", 3], 24)):
        result = invoke("generate", "painter", "--n", 1, *words, "--out", tmp_path / str(side))
        assert result.exit_code == 0, result.stderr
        with Image.open(tmp_path / str(side) / "seed0_000000.png") as found:
            assert found.size == (side, side)
    sheet = tmp_path / "row.png"
    moving = ["interpolate", "painter", "--seeds", "1,2", "--frames", 1, "--no-upscale"]
    assert invoke(*moving, "--grid", sheet).exit_code == 0
    with Image.open(sheet) as found:
        assert found.size == (2 * 10 + 2, 12)
    both = invoke("generate", "painter", "--no-upscale", "--upscale", run, "--grid", sheet)
    assert both.exit_code == 2 and "Give --upscale or --no-upscale, not both." in both.stderr


# ---- the command line --------------------------------------------------------------------------


def test_command_line(run, generator, tmp_path):
    save_image(tmp_path / "in" / "a.png", shots()[0])
    words = ["upscale", tmp_path / "in", run, "--out", tmp_path / "out"]
    done = invoke(*words)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"1 images in {tmp_path / 'out'}\n"
    again = invoke(*words)
    assert again.exit_code == 1 and "exist already" in again.stderr
    assert "Traceback" not in again.stderr and invoke(*words, "--overwrite").exit_code == 0
    other = invoke("upscale", tmp_path / "in", generator, "--out", tmp_path / "other")
    assert other.exit_code == 1 and "A run of an upscaler is needed" in other.stderr
    drawn = invoke("generate", run, "--grid", tmp_path / "x.png")
    assert drawn.exit_code == 1 and "A run of a generator is needed" in drawn.stderr
    sheet = tmp_path / "sheet.png"
    both = invoke("generate", generator, "--n", 4, "--upscale", run, "--grid", sheet)
    assert both.exit_code == 0, both.stderr
    with Image.open(sheet) as found:
        assert found.size == (2 * 16 + 6, 2 * 16 + 6)


@pytest.mark.parametrize(
    "words", [["upscale"], ["upscale", "missing/", ".", "--out", "x"], ["upscale", ".", "."]]
)
def test_wrong_usage(words):
    assert invoke(*words).exit_code == 2
