"""`tfanime.poster`, `imagine` without a run, and their command."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import tfanime
from tfanime import cli
from tfanime.core.labels import Field, LabelSchema
from tfanime.posters.poster import _manner, _most_symmetrical
from tfanime.sampling.phrases import GENRES, Phrases, shipped, stem
from tfanime.zoo.saved import save_generator

POSTERS = LabelSchema(
    (
        Field("medium", "group", ("anime", "film"), (0.2, 0.8)),
        Field("male", "flag", (), (0.3,)),
        *(Field(genre, "flag", (), (0.3,)) for genre in GENRES),
    )
)
FACES = LabelSchema((Field("hair", "group", ("blue", "pink"), (0.5, 0.5)),))


def save(folder, schema, height, width):
    """A generator that shows its labels as soft colour."""
    latents, labels = keras.Input((4,)), keras.Input((schema.size,))
    both = keras.layers.Concatenate()([latents, labels])
    x = keras.layers.Dense(2 * 2 * 3, activation="tanh")(both)
    x = keras.layers.Reshape((2, 2, 3))(x)
    grow = keras.layers.UpSampling2D((height // 2, width // 2), interpolation="bilinear")
    save_generator(folder, keras.Model([latents, labels], grow(x)), schema, folder.name)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    keras.utils.set_random_seed(1)
    folder = tmp_path_factory.mktemp("runs")
    return save(folder / "drafts", POSTERS, 48, 32), save(folder / "faces", FACES, 32, 32)


# ---- reading -------------------------------------------------------------------------------------


def test_a_table_of_words_is_read_as_naive_bayes():
    table = Phrases({"genres": ["action", "drama"], "frequencies": [0.5, 0.2], "words": {
        "sword": [10, 0], "tear": [-5, 20],
    }})  # fmt: skip
    reading = table.read("The swords and tears, and a xyzzy!")
    # Logits: log-odds of the genre, and tenths of the words.
    expected = {"action": 0.5, "drama": np.log(0.25) + 2.0}
    for genre, logit in expected.items():
        assert reading.odds[genre] == pytest.approx(1 / (1 + np.exp(-logit)))
    assert reading.known == ("swords", "tears") and reading.unknown == ("xyzzy",)
    assert reading.chosen == ("drama", "action")
    assert table.read("xyzzy").chosen == ()
    assert table.read("xyzzy").odds == pytest.approx({"action": 0.5, "drama": 0.2})


@pytest.mark.parametrize(
    "phrase, genre",
    [
        ("a lonely swordsman under a red moon", "action"),
        ("two girls fall in love at school", "romance"),
        ("a detective hunts a serial killer", "thriller"),
        ("robots in a space war", "sci_fi"),
        ("a dragon and a princess", "fantasy"),
        ("ghosts in an abandoned house", "horror"),
        ("a funny high school club", "comedy"),
        ("a long journey with pirates", "adventure"),
    ],
)
def test_phrases_have_the_genre_that_anybody_would_say(phrase, genre):
    assert genre in shipped().read(phrase).chosen


def test_endings_are_taken_off():
    assert [stem(word) for word in ("swords", "hunting", "cities", "bus", "ring")] == [
        *("sword", "hunt", "city", "bus", "ring")
    ]


def test_a_phrase_chooses_genres_and_what_is_named_goes_before(runs):
    drafts, _ = runs
    found = tfanime.imagine("a dragon and a princess", drafts, n=3, seed=2)
    for tags in found.pictures.tags:
        assert tags["fantasy"] and not tags["horror"] and tags["medium"] == "anime"
    told = found.explanation()
    assert "words that it knew: dragon, princess" in told and "genres: fantasy 9" in told
    assert "no horror" not in told
    assert found.read_as["genres"]["fantasy"] > 0.9
    named = tfanime.imagine("a dragon, no fantasy, film", drafts, n=2)
    assert all(not t["fantasy"] and t["medium"] == "film" for t in named.pictures.tags)
    tagged = tfanime.imagine("a dragon", drafts, n=2, tags={"horror": True})
    assert all(t["horror"] for t in tagged.pictures.tags)
    with pytest.raises(ValueError, match="that says something .* is needed: medium, male, action"):
        tfanime.imagine("xyzzy", drafts)


# ---- posters -------------------------------------------------------------------------------------


def made(runs, **changes):
    options = {"run": runs[0], "figure_run": runs[1], "size": "200x300", "drafts": 2}
    return tfanime.poster("a red dragon", "Red", **{**options, **changes})


def test_words_beside_an_attribute_still_say_genres(runs):
    """ "Lonely" says nothing of a face, and was lost where the phrase named one."""
    alone = tfanime.imagine("a lonely swordsman", runs[0], n=1)
    beside = tfanime.imagine("a lonely swordsman, male", runs[0], n=1)
    assert beside.chosen["male"] is True
    assert beside.genres.known == alone.genres.known == ("lonely", "swordsman")


def test_the_draft_that_looks_ahead_is_taken():
    rng = np.random.default_rng(0)
    drafts = rng.integers(0, 256, (3, 72, 48, 3), np.uint8).repeat(4, 1).repeat(4, 2)
    drafts[1] = (drafts[1] // 2) + (drafts[1, :, ::-1] // 2)  # less contrast, and symmetrical
    assert _most_symmetrical(drafts) == 1
    assert _most_symmetrical(np.full((2, 72, 48, 3), 90, np.uint8)) == 0


def test_a_person_is_no_genre(runs):
    """Without a genre, type goes by how dark the draft is."""
    bright, dark = np.full((9, 6, 3), 200, np.uint8), np.full((9, 6, 3), 20, np.uint8)
    read = tfanime.imagine("male", runs[0], n=1)
    assert read.chosen["male"] is True
    assert _manner(read, dark) == ("bold", "print")
    assert _manner(read, bright) == ("classic", "mist")


def test_same_seed_same_bytes(runs):
    one = made(runs, figure="blue hair", seed=4)
    two = made(runs, figure="blue hair", seed=4)
    np.testing.assert_array_equal(one.image, two.image)
    assert one.image.shape == (300, 200, 3) and one.image.dtype == np.uint8
    assert (made(runs, figure="blue hair", seed=5).image != one.image).any()
    assert one.figure.chosen == {"hair": "blue"}
    assert "figure, drawn as: hair blue" in one.explanation()
    assert (made(runs, pick=0).image != made(runs, pick=1).image).any()


def test_prints_say_their_size(runs, tmp_path):
    poster = made(runs, print="a3", dpi=72, out=tmp_path / "a3.png")
    with Image.open(tmp_path / "a3.png") as image:
        assert image.size == (842, 1191)
        assert image.info["dpi"] == pytest.approx((72, 72), abs=0.01)
    poster.save(tmp_path / "a3.jpg")
    with Image.open(tmp_path / "a3.jpg") as image:
        assert image.info["dpi"] == (72, 72)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"layout": "left"}, "layout is one of auto, top"),
        ({"style": "oil"}, "style is one of print, mist, paint. Received: 'oil'"),
        ({"font": "comic"}, "A font is one of bold"),
        ({"pick": 2}, "pick is a draft from 0 to 1. Received: 2"),
        ({"size": "300x200"}, "A poster is upright"),
        ({"print": "a9"}, "A print is one of a3, a2, b2. Received: 'a9'"),
        ({"print": "a3", "dpi": 9}, "dpi is a whole number from 72 to 600. Received: 9"),
        ({"dpi": 300}, "dpi is of a print"),
        ({"credits": "x" * 700}, "credits is a text of at most 600 characters. Received: 700"),
        ({"tagline": "赤"}, "lacks '赤'"),
        ({"out": "poster.gif"}, "out, a poster, ends in"),
        ({"figure": "xyzzy"}, "about this run's attributes is needed: hair"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(runs, changes, said):
    with pytest.raises(ValueError, match=said):
        made(runs, **changes)


def test_a_poster_has_a_title(runs):
    with pytest.raises(ValueError, match="A poster has a title. Received: '  '"):
        tfanime.poster("a dragon", "  ", run=runs[0])
    with pytest.raises(ValueError, match="at most 120 characters. Received: 130"):
        tfanime.poster("a dragon", "x" * 130, run=runs[0])


def test_a_draft_that_is_shown_larger_is_the_picture(runs, tmp_path, monkeypatch):
    from tfanime.posters import poster as module

    drafts, faces = runs
    plain = tfanime.poster("a war", "Red", run=drafts, drafts=1, size="200x300")
    larger = np.full((96, 64, 3), (10, 120, 10), np.uint8)
    monkeypatch.setattr(module, "upscaler_of", lambda folder: "upscaler")
    monkeypatch.setattr(module.upscaling, "loaded", lambda folder: "loaded")
    monkeypatch.setattr(module.upscaling, "enlarge", lambda upscaler, draft: larger)
    made = tfanime.poster("a war", "Red", run=drafts, drafts=1, size="200x300")
    middle = (slice(100, 140), slice(80, 120))
    assert np.abs(np.float64(made.image[middle]) - (10, 120, 10)).mean() < 8
    asked = tfanime.poster("a war", "Red", run=drafts, drafts=1, size="200x300", style="print")
    np.testing.assert_array_equal(asked.image, plain.image)


def test_an_upscaler_that_cannot_be_used_is_missed_only_where_it_is_needed(runs, monkeypatch):
    from tfanime.posters import poster as module

    def damaged(folder):
        raise ValueError("Its file is damaged.")

    monkeypatch.setattr(module, "upscaler_of", lambda folder: "upscaler")
    monkeypatch.setattr(module.upscaling, "loaded", damaged)
    options = {"run": runs[0], "drafts": 1, "size": "200x300"}
    with pytest.raises(ValueError, match=r"'upscaler' of its run.*\(Its file is damaged\).*'mist'"):
        tfanime.poster("a war", "Red", **options)
    assert tfanime.poster("a war", "Red", style="print", **options).pick == 0
    monkeypatch.undo()
    monkeypatch.setattr(module, "_shown", damaged)
    made = tfanime.poster("a war", "Red", figure="blue hair", figure_run=runs[1], **options)
    assert made.figure is not None


# ---- on the command line -------------------------------------------------------------------------


def run_command(*words):
    return CliRunner().invoke(cli.main, ["imagine", *map(str, words)])


def test_a_sheet_and_a_poster_on_the_command_line(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_command("a dragon", "--run", runs[0], "--n", 2)
    assert done.exit_code == 0, done.output
    assert "sheet: imagined.png" in done.output and (tmp_path / "imagined.png").is_file()
    words = ["--run", runs[0], "--n", 2, "--title", "Red", "--layout", "top", "--pick", 1]
    done = run_command("a dragon", *words)
    assert done.exit_code == 0, done.output
    assert "draft 1 of 0 to 1; layout: top" in done.output
    with Image.open(tmp_path / "poster.png") as image:
        assert image.size == (1000, 1500)


def test_options_of_one_kind_are_refused_with_the_other(runs):
    done = run_command("a dragon", "--run", runs[0], "--figure", "blue hair")
    assert done.exit_code == 2 and "--figure is of a poster: give its --title too" in done.stderr
    done = run_command("a dragon", "--run", runs[0], "--title", "Red", "--grid", "sheet.png")
    assert done.exit_code == 2 and "--grid is of drafts" in done.stderr


@pytest.mark.slow
def test_the_model_that_ships_needs_no_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_command("a lonely swordsman under a red moon")
    assert done.exit_code == 0, done.output
    assert "words that it knew: lonely, swordsman, red, moon" in done.output
    with Image.open("imagined.png") as sheet:
        assert 3 * 192 <= sheet.width < 4 * 192  # as its upscaler shows them, and no larger
