"""The guides: their files are written, and their commands run, as a reader would.

Of the commands only what takes long is changed: fewer steps, fewer drawn faces, no built page.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime import registries
from tfanime.cli import main
from tfanime.core import programs
from tfanime.core.files import read_json

GUIDES = Path(__file__).resolve().parents[1] / "docs" / "guides"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
QUICK = {
    "--minutes 5": "--steps 2 --batch 4 --set generator.channels=8 --no-tensorboard",
    "my_pictures/ --minutes 30": "small --steps 1 --no-tensorboard",
    "--data drawn --size 32": "--data drawn:16 --size 16",
    "--against drawn": "--against small --n 4",
    "export web runs/mine": "export web runs/mine --no-site",
}


@pytest.fixture
def anew(monkeypatch, tmp_path):
    """An empty folder, and registries that hold what tfanime brings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(programs, "_programs", {})
    for one in vars(registries).values():
        if isinstance(one, registries.Registry):
            monkeypatch.setattr(one, "registered", {})
    return tmp_path


def run(line: str) -> str:
    for long, short in QUICK.items():
        line = line.replace(long, short)
    result = CliRunner().invoke(main, shlex.split(line)[1:])
    assert result.exit_code == 0, (line, result.output)
    return result.output


def follow(guide: str, folder: Path) -> dict[str, str]:
    """Writes a guide's files and runs its commands; what each printed."""
    said = {}
    for kind, code in BLOCK.findall((GUIDES / f"{guide}.md").read_text(encoding="utf-8")):
        if kind == "python":
            name = code.splitlines()[0].removeprefix("# ")
            (folder / name).write_text(code, encoding="utf-8")
        for line in code.splitlines() if kind == "bash" else ():
            said[line] = run(line)
    return said


def faces(size: int) -> None:
    """Data that the evaluations of a guide compare with."""
    tfanime.load_data("drawn:16", size=size, progress=False)
    source = next(Path("cache").glob(f"drawn-{size}x{size}-16-*"))
    Path("small").symlink_to(source.resolve())


@pytest.mark.slow
def test_own_recipe(anew):
    faces(16)
    said = follow("own_recipe", anew)
    assert "Logits held to 1 and 0" in said["tfanime recipes my_recipe.py"]
    stored = read_json("runs/mine/config.json")["config"]
    text = Path("my_recipe.py").read_bytes()
    assert Path("runs/mine/recipe/my_recipe.py").read_bytes() == text
    assert stored["recipe_file"].startswith("my_recipe.py ")
    assert (stored["loss"], stored["penalty"]) == ("absolute", "zero-between")
    assert (stored["penalty_weight"], stored["conditioning"]) == (10.0, "none")
    assert Path("site/tfanime.json").is_file() and Path("serving/mine/1").is_dir()
    drawn = tfanime.generate("runs/mine", 2).images

    # Continued by the same file; by a changed one, refused.
    line = "tfanime train my_recipe.py --data drawn --size 32 --minutes 5 --out runs/mine"
    longer = line.replace("--minutes 5", QUICK["--minutes 5"].replace("--steps 2", "--steps 3"))
    assert "runs/mine: step 3," in run(longer)
    assert (tfanime.generate("runs/mine", 2).images != drawn).any()
    Path("my_recipe.py").write_bytes(text + b"# changed\n")
    quick = longer.replace("--data drawn --size 32", QUICK["--data drawn --size 32"])
    refused = CliRunner().invoke(main, shlex.split(quick)[1:])
    assert refused.exit_code == 2
    assert "it has changed. Choose another --out, or go on with the copy" in refused.output

    # In another process the file has not been run, and nothing runs the copy by itself.
    for known in (
        programs._programs,
        registries.LOSSES.registered,
        registries.GENERATORS.registered,
    ):
        known.clear()
    assert tfanime.generate("runs/mine", 1).images.shape == (1, 16, 16, 3)
    with pytest.raises(ValueError, match="was made with my_recipe.py, and it is a program, which"):
        tfanime.fine_tune("runs/mine", "small", out="again", steps=1)
    assert registries.LOSSES.registered == {}
    tfanime.recipes.load("my_recipe.py")  # the changed one
    with pytest.raises(ValueError, match="my_recipe.py has changed since. Name it as it was"):
        tfanime.fine_tune("runs/mine", "small", out="again", steps=1)


def test_own_metric(anew):
    faces(64)
    (said,) = follow("own_metric", anew).values()
    assert "colourfulness" in said
    figure = read_json("reports/colour/metrics.json")["figures"][0]
    # By hand: grey has none; red alone has spreads 0 and means 255 and 127.5.
    measure = registries.METRICS.get("colourfulness").__globals__["colourfulness"]
    grey, red = np.full((2, 4, 4, 3), 99, np.uint8), np.zeros((1, 4, 4, 3), np.uint8)
    red[..., 0] = 255
    np.testing.assert_allclose(measure(grey), 0, atol=1e-12)
    np.testing.assert_allclose(measure(red), 0.3 * np.hypot(255, 127.5))
    assert figure["name"] == "colourfulness" and figure["value"] > 0


@pytest.mark.slow
def test_own_data_source(anew, monkeypatch):
    # A recipe that tfanime brings need not become a graph.
    monkeypatch.setattr("tfanime.gans.backend.compiled", lambda gan: gan.train_step)
    follow("own_data_source", anew)
    data = tfanime.load_data("rings:64", size=16)
    assert read_json("runs/rings/config.json")["data"] == {"count": 64, "sha256": data.sha256}
    assert read_json("runs/rings/generator.json")["schema"]["fields"][0]["name"] == "large"
    with pytest.raises(ValueError, match="'rings' images have their own labels"):
        tfanime.load_data("rings", labels="folders")
    registries.DATA_SOURCES.register("wrong", lambda *_: data)
    with pytest.raises(ValueError, match="asked for images of 32x32. Received: 16x16"):
        tfanime.load_data("wrong", size=32)
    line = "train modern --data rings --size 16 --batch 300 --steps 1 --out x"
    refused = CliRunner().invoke(main, ["--load", "my_data.py", *line.split()])
    assert refused.exit_code == 2 and "takes 300 images and the data hold 200" in refused.output


def test_own_export_format(anew):
    (said,) = follow("own_export_format", anew).values()
    assert said.startswith("numpy: ") or "numpy: " in said
    with np.load("numpy/check.npz") as check:
        drawn = tfanime.load_generator("faces-64").model([check["latents"], check["labels"]])
        assert np.abs(127.5 * (np.asarray(drawn) + 1) - check["images"]).max() < 0.6
    assert "numpy" in CliRunner().invoke(main, ["export", "--help"]).output


LAYER = """
import keras
from tfanime.recipes import Config

@keras.saving.register_keras_serializable("mine")
class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x

RECIPE = Config(recipe="doubled")
"""


def test_a_layer_of_ones_own_needs_its_file(anew):
    """It is named in one sentence; --load, or its import, makes the run drawable again."""
    import keras

    from tfanime.core.files import write_json
    from tfanime.zoo.saved import save_generator

    Path("doubled.py").write_text(LAYER)
    config = tfanime.recipes.get("doubled.py")
    doubled = programs.load("doubled.py").module.Doubled
    latents = keras.Input((3,))
    x = doubled()(keras.layers.Dense(16 * 16 * 3)(latents))
    images = keras.layers.Activation("tanh")(keras.layers.Reshape((16, 16, 3))(x))
    save_generator("run", keras.Model(latents, images), None, "doubled")
    write_json("run/config.json", {"config": config.to_json()})
    keras.saving.get_custom_objects().pop("mine>Doubled")
    programs._programs.clear()
    refused = CliRunner().invoke(main, ["generate", "run", "--n", "1", "--grid", "x.png"])
    assert refused.exit_code == 1 and "'run' was made with doubled.py" in refused.stderr
    assert "tfanime --load FILE" in refused.stderr and len(refused.stderr.splitlines()) == 1
    words = ["--load", "doubled.py", "generate", "run", "--n", "1", "--grid", "x.png"]
    assert CliRunner().invoke(main, words).exit_code == 0 and Path("x.png").is_file()
