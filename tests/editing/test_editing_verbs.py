"""`directions`, `invert`, and what `generate` and `figure` have to do with them."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

import tfanime
from tests.command_line import invoke
from tests.editing.tiny_editing import DIM, SCHEMA
from tfanime.core.decode import read_image
from tfanime.core.files import write_json
from tfanime.sampling.face import Face, save_faces
from tfanime.zoo.directions import weights_digest


@pytest.fixture
def calls(monkeypatch):
    seen = {}

    def stand_in(name, result=None):
        def called(*arguments, **options):
            seen[name] = (arguments, options)
            return result

        monkeypatch.setitem(vars(tfanime), name, called)

    stand_in("generate")
    stand_in("character_sheet")
    found = {"name": "smile", "fit": 0.5, "stays": 0.9, "changes": {"smile": 0.1, "hat": -0.01}}
    stand_in("find_directions", [SimpleNamespace(**found)])
    figures = {"psnr": 20.0, "distance": 0.25, "draws_distance": 0.5}
    stand_in("invert", [SimpleNamespace(picture="a.png", **figures)])
    return seen


@pytest.fixture
def faces(folder, tmp_path):
    """A file of two faces."""
    digest, latent = weights_digest(folder), np.ones(DIM, np.float32)
    rows = np.float32([[1, 0, 1], [0, 1, 0]])
    save_faces(tmp_path / "f.json", [Face("tiny", digest, latent, SCHEMA.columns, x) for x in rows])
    return tmp_path / "f.json"


def test_directions(calls, folder):
    done = invoke("directions", folder, "--n", 500, "--sefa", 0, "--measured", 9)
    assert done.exit_code == 0, done.output
    expected = {"n": 500, "sefa": 0, "pca": 8, "n_measured": 9, "seed": 0, "tagger": None}
    assert calls["find_directions"] == ((folder,), expected | {"progress": True})
    assert "smile +0.100, hat -0.010" in done.output


def test_invert(calls, folder, tmp_path):
    words = ["--model", folder, "--tags", "hair=blue,no-hat", "--out", tmp_path / "f.json"]
    done = invoke("invert", "a.png", *words, "--steps", 9)
    assert done.exit_code == 0, done.output
    arguments, options = calls["invert"]
    assert arguments == ("a.png", folder) and options["tags"] == {"hair": "blue", "hat": False}
    assert options["steps"] == 9 and options["out"] == str(tmp_path / "f.json")
    assert "a.png: PSNR 20.00 dB, distance 0.250 (nearest of the draws 0.500)" in done.output
    assert options["encoder"] is True
    invoke("invert", "a.png", "b.png", *words, "--no-encoder")
    arguments, options = calls["invert"]
    assert arguments[0] == ["a.png", "b.png"]
    assert (options["encoder"], options["steps"], options["tune"]) == (False, None, None)
    done = invoke("invert", "a.png", *words, "--tune", tmp_path / "me", "--tune-steps", 7)
    assert f"model that draws them: {tmp_path / 'me'}" in done.output
    options = calls["invert"][1]
    assert (options["tune"], options["tune_steps"]) == (str(tmp_path / "me"), 7)


def test_encoder(calls, folder, tmp_path, monkeypatch):
    copy = shutil.copytree(folder, tmp_path / "copy")

    def train(run, **options):
        calls["train_encoder"] = ((run,), options)
        (copy / "encoder.keras").write_bytes(b"12345")
        off = dict.fromkeys(("latents", "labels", "pixels", "features"), 0.25)
        write_json(copy / "encoder.json", {"trained": {"steps": 7, **off}})

    monkeypatch.setitem(vars(tfanime), "train_encoder", train)
    done = invoke("encoder", copy, "--data", "drawn", "--steps", 7, "--from", folder)
    assert done.exit_code == 0, done.output
    expected = {"data": "drawn", "steps": 7, "minutes": None, "start": folder, "seed": 0}
    expected |= {"tagger": None, "progress": True}
    assert calls["train_encoder"] == ((copy,), expected)
    assert "encoder.keras: 5 bytes, 7 steps" in done.output and "latents   0.250 off" in done.output


def test_moves_reach_generate(calls, folder):
    words = ["generate", folder, "--grid", "a.png", "--move", "smile=1.5", "--move", "pca-1=-1"]
    assert invoke(*words).exit_code == 0
    assert calls["generate"][1]["move"] == {"smile": 1.5, "pca-1": -1.0}
    assert invoke(*words[:4]).exit_code == 0 and "move" not in calls["generate"][1]
    done = invoke(*words[:4], "--move", "smile")
    assert done.exit_code == 2 and "is no DIRECTION=X, such as smile=1.5" in done.output


def test_faces_reach_generate(calls, folder, faces):
    done = invoke("generate", folder, "--face", faces, "--hair", "red", "--out", "out")
    assert done.exit_code == 0 and "2 images in out" in done.output, done.output
    assert calls["generate"][1]["face"] == str(faces)
    for words in (["--n", 2], ["--seed", 1], ["--name", "Ada"], ["--first", 1]):
        done = invoke("generate", folder, "--face", faces, "--out", "out", *words)
        assert done.exit_code == 2 and f"--face takes no {words[0]}: leave" in done.output


def test_labels_of_one_face_with_the_latents_of_others(calls, folder, faces):
    done = invoke("generate", folder, "--n", 2, "--labels-from", faces, "--grid", "a.png")
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(calls["generate"][1]["labels"], [[1, 0, 1], [0, 1, 0]])
    done = invoke("generate", folder, "--n", 3, "--labels-from", faces, "--grid", "a.png")
    assert done.exit_code == 1 and "as many as are drawn, 3. Received" in done.output


def test_a_sheet_of_one_face(calls, folder):
    words = ["generate", folder, "--sheet-of", 7, "--vary", "hat,hair", "--grid", "a.png"]
    done = invoke(*words, "--no-upscale", "--move", "smile=1")
    assert done.exit_code == 0 and "sheet: a.png" in done.output, done.output
    arguments, options = calls["character_sheet"]
    assert arguments == (folder,) and options["vary"] == ["hat", "hair"]
    expected = {"seed": 7, "out": "a.png", "upscale": "none", "move": {"smile": 1.0}}
    assert options.items() >= (expected | {"face": None, "tags": None, "scale": 1}).items()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--sheet-of", 7, "--grid", "a.png"], "says what varies: --vary"),
        (["--sheet-of", 7, "--vary", 0.5, "--grid", "a.png"], "says what varies: --vary"),
        (["--vary", "hair", "--grid", "a.png"], "needs one face: --sheet-of SEED"),
        (["--sheet-of", 7, "--vary", "hair", "--grid", "a.png", "--n", 3], "takes no --n"),
        (["--sheet-of", 7, "--vary", "hair", "--out", "a"], "takes no --out"),
        (["--vary", 1.5, "--grid", "a.png"], "1.5 is not in the range 0<=x<=1"),
    ],
)
def test_sheets_that_cannot_be(calls, folder, words, says):
    done = invoke("generate", folder, *words)
    assert done.exit_code == 2 and says in done.output, done.output


def test_a_sheet_is_really_drawn(folder, tmp_path):
    out = tmp_path / "s.png"
    done = invoke("generate", folder, "--sheet-of", 7, "--vary", "hat,hair", "--grid", out)
    assert done.exit_code == 0 and read_image(out).width > 40, done.output


def test_the_figure_of_directions(with_directions, folder, tmp_path):
    out = tmp_path / "d.png"
    done = invoke("figure", "directions", with_directions, "--out", out)
    assert done.exit_code == 0, done.output
    both = read_image(out).size
    invoke("figure", "directions", with_directions, "--only", "smile", "--out", out)
    assert both[0] > 5 * 16 and both[1] == read_image(out).height + 20
    done = invoke("figure", "directions", folder, "--out", out)
    assert done.exit_code == 1 and "Find them: tfanime directions" in done.output


def test_an_error_is_one_sentence(folder, tmp_path):
    done = invoke("generate", folder, "--move", "smile=1", "--grid", tmp_path / "a.png")
    assert done.exit_code == 1 and "Traceback" not in done.output
    assert done.output.count("Error: ") == 1 and "tfanime directions" in done.output
