"""The command line: what it accepts, what it passes on, how it fails."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import tfanime
from tests.command_line import invoke
from tfanime import cli, recipes
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.prepare.pack import pack
from tfanime.sampling.generate import generate
from tfanime.sampling.interpolate import interpolate
from tfanime.zoo import saved


@pytest.fixture
def calls(monkeypatch):
    """Replaces the functions behind the verbs; `calls[verb]` is what each was called with."""
    seen = {}

    def stand_in(verb, result):
        def called(*arguments, **options):
            seen[verb] = (arguments, options)
            return result

        # Not monkeypatch.setattr: it would first load what is there, and TensorFlow with it.
        monkeypatch.setitem(vars(tfanime), verb, called)

    class Packed(SimpleNamespace):
        def __len__(self):
            return 1234

    stand_in("pack", Packed(width=64, height=96, schema=None))
    finished = {"step": 10, "images": 640, "seconds": 90.0, "finished": True, "warnings": ()}
    stand_in("train", SimpleNamespace(**finished))
    stand_in("generate", None)
    stand_in("interpolate", None)
    return seen


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    """A folder that passes for a run trained with MakeGirlsMoe's labels."""
    monkeypatch.setattr(saved, "load_schema", lambda folder: MAKEGIRLSMOE)
    return tmp_path


@pytest.mark.parametrize(
    "verb", [None, "prepare", "train", "generate", "interpolate", "upscale", "recipes"]
)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_has_examples(verb, flag):
    result = invoke(*filter(None, [verb]), flag)
    assert result.exit_code == 0
    assert f"  tfanime {verb or ''}" in result.stdout and "Examples:" in result.stdout


def test_version():
    assert invoke("--version").stdout == f"tfanime {tfanime.__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["prepare"],
        ["prepare", "missing/", "--out", "x"],
        ["prepare", ".", "--out", "x", "--size", "small"],
        ["prepare", ".", "--out", "x", "--mode", "stretch"],
        ["train", "dcgan", "--out", "x"],
        ["train", "dcgann", "--data", "drawn", "--out", "x"],
        ["train", "dcgan", "--data", "missing/", "--out", "x"],
        ["train", "dcgan", "--data", "drawn", "--out", "x", "--steps", "0"],
        ["train", "dcgan", "--data", "drawn", "--out", "x", "--seed", "-1"],
        ["train", "dcgan", "--data", "drawn", "--out", "x", "--set", "g_lr"],
        ["train", "dcgan", "--data", "drawn", "--out", "x", "--seed", "1", "--set", "seed=2"],
        ["generate", "missing/", "--grid", "x.png"],
        ["generate", "."],
        ["generate", ".", "--n", "0", "--grid", "x.png"],
        ["generate", ".", "--truncation", "3", "--grid", "x.png"],
        ["interpolate", ".", "--seeds", "1,two", "--out", "x.gif"],
        ["interpolate", ".", "--from", "hair=blue", "--out", "x.gif"],
        ["interpolate", "."],
        ["recipes", "missing"],
    ],
)
def test_wrong_usage_exits_with_2(calls, words):
    result = invoke(*words)
    assert result.exit_code == 2
    assert "Error: " in result.stderr and "Traceback" not in result.stderr
    assert result.stdout == "" and calls == {}


def test_prepare(calls, tmp_path):
    result = invoke("prepare", tmp_path, "--out", "packed", "--size", "64x96", "--strict")
    assert result.exit_code == 0, result.stderr
    (source, out), options = calls["pack"]
    assert (source, out) == (str(tmp_path), "packed")
    assert options == {
        "labels": None,
        "most_tags": 64,
        "size": (96, 64),
        "mode": "crop",
        "focus": (0.5, 0.5),
        "smallest": 0,
        "near_duplicates": False,
        "strict": True,
        "overwrite": False,
    }
    assert result.stdout.startswith("packed: 1,234 images of 64x96\n")


def test_train(calls):
    words = "train dcgan --data drawn --size 32 --steps 10 --batch 8 --seed 3 --out runs/a"
    settings = ["--set", "g_lr=1e-4", "--set", "generator.channels=16", "--set", "flip=false"]
    result = invoke(*words.split(), *settings)
    assert result.exit_code == 0, result.stderr
    arguments, options = calls["train"]
    assert arguments == ("dcgan", "drawn")
    assert options == {
        "out": "runs/a",
        "size": (32, 32),
        "steps": 10,
        "epochs": None,
        "minutes": None,
        "batch_size": 8,
        "seed": 3,
        "precision": None,
        "strategy": "auto",
        "sample_every": None,
        "checkpoint_every": None,
        "evaluate_every": None,
        "tensorboard": True,
        "g_lr": 1e-4,
        "generator": {"channels": 16},
        "flip": False,
    }
    assert "runs/a: step 10, 640 images, 1.5 minutes" in result.stdout


def test_interrupted_training_exits_with_130(monkeypatch):
    stopped = SimpleNamespace(step=5, images=40, seconds=3.0, finished=False, warnings=("thin",))
    monkeypatch.setitem(vars(tfanime), "train", lambda *a, **k: stopped)
    result = invoke("train", "dcgan", "--data", "drawn", "--steps", 9, "--out", "runs/a")
    assert result.exit_code == 130
    assert "Warning: thin" in result.stderr and "The same command continues" in result.stderr


def test_dry_run_trains_nothing(calls):
    words = "train dcgan --data drawn --size 32 --minutes 2 --set g_lr=0.001 --out x --dry-run"
    result = invoke(*words.split())
    assert result.exit_code == 0, result.stderr
    assert calls == {}
    shown = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if "  " in line)
    assert (shown["image_size"], shown["g_lr"], shown["minutes"]) == ("[32, 32]", "0.001", "2.0")


@pytest.mark.parametrize(
    ("words", "tags"),
    [
        ([], None),
        (["--hair", "blue", "--smile"], {"hair": "blue", "smile": True}),
        (["--hair=blue", "--no-smile"], {"hair": "blue", "smile": False}),
        (["--smile", "true", "--hat", "no"], {"smile": "true", "hat": "no"}),
        (["--open-mouth", "--no-long_hair"], {"open_mouth": True, "long_hair": False}),
        (["--smile", "--no-smile"], {"smile": False}),
    ],
)
def test_generate(calls, run_folder, words, tags):
    options = ["--n", 4, "--seed", 2**53 - 1, "--grid", "sheet.png"]
    # Attributes before, between and after the options that are always there.
    for mixed in (words + options, options[:2] + words + options[2:], options + words):
        result = invoke("generate", run_folder, *mixed)
        assert result.exit_code == 0, result.stderr
        arguments, given = calls["generate"]
        assert arguments == (run_folder,)
        assert given == {
            "n": 4,
            "seed": 2**53 - 1,
            "tags": tags,
            "truncation": 1.0,
            "typical": False,
            "first": 0,
            "name": None,
            "sliders": None,
            "out": None,
            "grid": "sheet.png",
            "upscale": None,
            "scale": 1,
            "progress": True,
            "choose": None,
        }
        assert result.stdout == "sheet: sheet.png\n"


def test_generate_fine_tuning(calls, run_folder):
    words = ["--vary", 0.25, "--vary-seed", 9, "--slider", "blue-hair=-0.5", "--slider", "smile=1"]
    result = invoke("generate", run_folder, "--grid", "sheet.png", *words)
    assert result.exit_code == 0, result.stderr
    given = calls["generate"][1]
    assert (given["vary"], given["vary_seed"]) == ([0.25], [9])
    assert given["sliders"] == {"blue_hair": -0.5, "smile": 1.0}
    for bad in ("smile", "smile=much", "=1="):
        result = invoke("generate", run_folder, "--grid", "sheet.png", "--slider", bad)
        assert result.exit_code == 2 and "is no COLUMN=X" in result.stderr
    steps = ["--vary", 0.3, "--vary-seed", "9:4", "--vary", 0.2, "--vary-seed", 5]
    result = invoke("generate", run_folder, "--grid", "sheet.png", "--name", "Ada", *steps)
    assert result.exit_code == 0, result.stderr
    given = calls["generate"][1]
    assert (given["vary"], given["vary_seed"]) == ([0.3, 0.2], [(9, 4), 5])
    assert (given["name"], given["seed"]) == ("Ada", 0)
    assert invoke("generate", run_folder, "--grid", "a.png", "--vary", 0.5).exit_code == 0
    assert (calls["generate"][1]["vary"], calls["generate"][1]["vary_seed"]) == ([0.5], [0])
    result = invoke("generate", run_folder, "--grid", "sheet.png", "--vary-seed", "9:x")
    assert result.exit_code == 2 and "is no SEED or SEED:INDEX" in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--smiel"], "No such option: --smiel. Attributes of"),
        (["--smiel"], "twintails"),
        (["--no-hair"], "No such option: --no-hair."),
        (["--no-smile", "yes"], "No such option: --no-smile."),
        (["--hair", "plaid"], "'hair' is one of: blonde, brown"),
        (["--hair"], "--hair needs a value: blonde, brown"),
        (["--smile", "perhaps"], "'smile' is true or false. Received: 'perhaps'."),
        (["stray"], "unexpected extra argument (stray)"),
        (["--hair", "blue", "posters"], "(posters). A model comes before its attributes."),
        (["--smile", "yes", "stray"], "unexpected extra argument (stray)"),
    ],
)
@pytest.mark.parametrize("verb", ["generate", "interpolate"])
def test_wrong_attributes_exit_with_2(calls, run_folder, verb, words, says):
    result = invoke(verb, run_folder, "--grid", "x.png", *words)
    assert result.exit_code == 2 and calls == {}
    assert says in result.stderr


def test_attributes_of_a_run_without_labels(calls, tmp_path, monkeypatch):
    monkeypatch.setattr(saved, "load_schema", lambda folder: None)
    result = invoke("generate", tmp_path, "--grid", "x.png", "--smile")
    assert result.exit_code == 2 and calls == {}
    assert "No such option: --smile." in result.stderr and "without labels" in result.stderr


def test_attributes_need_a_run(calls, tmp_path):
    result = invoke("generate", tmp_path, "--grid", "x.png", "--smile")
    assert result.exit_code == 1 and calls == {}
    assert result.stderr.startswith("Error: ") and str(tmp_path) in result.stderr


@pytest.mark.parametrize(
    ("words", "seeds", "tags"),
    [
        (["--seeds", "1,2,3"], [1, 2, 3], None),
        (["--seeds", "1,2", "--hair", "pink"], [1, 2], {"hair": "pink"}),
        (
            ["--from", "hair=blue, smile", "--to", "hair=red,no-smile"],
            None,
            [{"hair": "blue", "smile": True}, {"hair": "red", "smile": False}],
        ),
        (
            ["--seeds", "5", "--from", "hair=blue", "--to", "hair=red", "--hat"],
            [5],
            [{"hat": True, "hair": "blue"}, {"hat": True, "hair": "red"}],
        ),
    ],
)
def test_interpolate(calls, run_folder, words, seeds, tags):
    result = invoke("interpolate", run_folder, "--out", "a.gif", *words)
    assert result.exit_code == 0, result.stderr
    arguments, options = calls["interpolate"]
    assert arguments == (run_folder,)
    assert (options["seeds"], options["tags"], options["frames"]) == (seeds, tags, 24)
    assert (options["out"], options["grid"]) == ("a.gif", None)
    assert result.stdout == "animation: a.gif\n"


def test_recipes():
    result = invoke("recipes")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(recipes.names())


@pytest.mark.slow
def test_one_recipe():
    result = invoke("recipes", "dcgan")
    assert result.exit_code == 0, result.stderr
    assert recipes.describe("dcgan") in result.stdout
    assert "g_lr" in result.stdout
    assert "generator, " in result.stdout and "discriminator, " in result.stdout
    assert any(line.split()[:2] == ["fc", "Dense"] for line in result.stdout.splitlines())


# ---- defaults ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("prepare", ["--out", "x"]),
        ("train", ["--data", "drawn", "--out", "x", "--steps", "1"]),
        ("generate", ["--out", "x"]),
        ("interpolate", ["--out", "x.gif"]),
    ],
)
def test_defaults_are_those_of_the_function(calls, run_folder, verb, words):
    """Reading them from the functions would import TensorFlow for `--help`."""
    from tfanime.training.train import train

    functions = {
        "pack": pack,
        "train": train,
        "generate": generate,
        "interpolate": interpolate,
    }
    function = "pack" if verb == "prepare" else verb
    there = inspect.signature(functions[function]).parameters
    result = invoke(verb, "dcgan" if verb == "train" else run_folder, *words)
    assert result.exit_code == 0, result.stderr
    for name, value in calls[function][1].items():
        if name not in ("out", "progress", "steps"):
            expected = there[name].default
            square = name == "size" and expected is not None
            assert value == ((expected, expected) if square else expected), name


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_as_documented(shell):
    script = CliRunner().invoke(
        cli.main, [], prog_name="tfanime", env={"_TFANIME_COMPLETE": f"{shell}_source"}
    )
    assert script.exit_code == 0 and "tfanime" in script.stdout and "complete" in script.stdout
    words = {"COMP_WORDS": "tfanime interp", "COMP_CWORD": "1" if shell != "fish" else "interp"}
    found = CliRunner().invoke(
        cli.main, [], prog_name="tfanime", env={"_TFANIME_COMPLETE": f"{shell}_complete", **words}
    )
    assert "interpolate" in found.stdout


@pytest.fixture
def tuned(calls, monkeypatch):
    finished = {"step": 10, "images": 640, "seconds": 90.0, "finished": True, "warnings": ()}

    def fine_tune(*arguments, **options):
        calls["fine_tune"] = (arguments, options)
        return SimpleNamespace(**finished)

    monkeypatch.setitem(vars(tfanime), "fine_tune", fine_tune)
    return calls


def test_train_from_a_model(tuned, tmp_path):
    for words in (
        ["--from", "faces-64", tmp_path, "--minutes", 3, "--out", "x"],
        [tmp_path, "--out", "x", "--minutes", 3, "--from", "faces-64"],
        ["--data", tmp_path, "--out", "x", "--minutes", 3, "--from", "faces-64"],
    ):
        result = invoke("train", *words)
        assert result.exit_code == 0, result.stderr
        (model, data), options = tuned.pop("fine_tune")
        assert (model.name, data, options["minutes"]) == ("faces-64", str(tmp_path), 3.0)
        assert options["out"] == "x" and "train" not in tuned


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--from", "faces-64", "--steps", 1, "--out", "x"], "one DATA"),
        (["--from", "faces-64", "missing/", "--steps", 1, "--out", "x"], "does not exist"),
        (["--from", "face-64", ".", "--steps", 1, "--out", "x"], "Did you mean 'faces-64'?"),
        (["--from", "faces-64", ".", "--data", ".", "--steps", 1, "--out", "x"], "one DATA"),
        (["--from", "faces-64", ".", "--out", "x"], "Say when to stop"),
        (["--from", "faces-64", ".", "--steps", 1, "--out", "x", "--set", "g_lrr=1"], "g_lr'?"),
        (["dcgan", "--steps", 1, "--out", "x"], "Missing option '--data'"),
        (["--data", "drawn", "--steps", 1, "--out", "x"], "Missing argument 'RECIPE'"),
    ],
)
def test_train_says_what_is_missing(tuned, words, says):
    result = invoke("train", *words)
    assert result.exit_code == 2 and says in result.stderr
    assert tuned == {}
