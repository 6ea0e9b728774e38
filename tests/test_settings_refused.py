"""What settings say is checked where they are written down: in Python, and by `tfanime train`
before TensorFlow is imported, with --dry-run and without, with exit code 2."""

from __future__ import annotations

import subprocess
import sys
import tarfile

import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime.cli import main
from tfanime.core.files import write_json
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.core.usage import WrongUsage
from tfanime.data.writer import Writer
from tfanime.prepare.sources import count_files
from tfanime.recipes import Config
from tfanime.registries import TERMS
from tfanime.training import plan

DCGAN = {"name": "dcgan"}
FINE = {"name": "modern", "fine_channels": 8}
LOOKING = {"name": "projected", "features": "lite0"}
LOOKING_INSTEAD = "--set discriminator=projected --set discriminator.features=tagger"
ADAPTED = "--set augment=color --set augment_target=0.6"
UNTIL_1000 = '{"start":0.001,"end":0.0001,"images":"1000"}'
BARE = {"name": "dcgan", "normalisation": "none"}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"loss": "bce"}, "loss is one of: non_saturating, .*Received: 'bce'"),
        ({"loss": "hinge_"}, "Did you mean 'hinge'"),
        ({"penalty": "r3"}, "penalty is 'none' or some of: wgan-gp, .*Received: 'r3'"),
        ({"penalty": "r1,"}, "penalty is 'none' or some of"),
        ({"penalty": "r2"}, "batch norm mixes them: .*normalisation='layer'.*penalty='r2'"),
        ({"penalty": "r1", "discriminator": LOOKING}, "batch norm mixes them: .*and 'projected' w"),
        ({"augment": "blur"}, "augment is a list of: color.*Received: 'blur'"),
        ({"projected_augment": "blur"}, "augment is a list of: color.*Received: 'blur'"),
        ({"updates": "never"}, "updates is one of: alternating, simultaneous"),
        ({"pixel_loss": "l3"}, "pixel_loss is one of: l1, mse"),
        ({"precision": "mixed_float16"}, "precision is one of: .*vanish where losses are not scal"),
        ({"generator": {"name": "dcgam"}}, "generator's name is one of: dcgan, .*mean 'dcgan'"),
        ({"discriminator": {}}, "discriminator's name is one of: dcgan, .*Received: None"),
        ({"generator": 3}, "generator is a mapping with a name and options. Received: 3"),
        ({"generator": {**DCGAN, "chanels": 3}}, "these options: chanels. It takes: channels, de"),
        ({"generator": {"name": "srgan", "factor": 3}}, "factor is 2 or 4. Received: 3"),
        ({"generator": {"name": "srgan"}, "scaling": "unit"}, "does not take these options: scal"),
        ({"generator": {**DCGAN, "depth": 3}}, "DCGAN generator of this size has at least 5 lay"),
        ({"generator": {**DCGAN, "depth": "deep"}}, "does not take these values: {'depth': 'deep'"),
        ({"generator": {"name": "modern", "channels": "many"}}, "at least 1 .*Received: 'many'"),
        ({"discriminator": {**DCGAN, "depth": 2}}, "DCGAN discriminator of this size has at lea"),
        ({"generator": {"name": "modern", "channels": [8, 8]}}, "a number, or 4, one a map"),
        ({"generator": {"name": "srresnet", "upsamplings": 7}}, "both sides must be multiples"),
        ({"generator": {**FINE, "grown": 6}}, "grown is 0 or a multiple of 4. Received: 6"),
        ({"generator": {**FINE, "grown": -4}}, "grown is 0 or a multiple of 4. Received: -4"),
        ({"generator": {**FINE, "grown": "8"}}, "grown is 0 or a multiple of 4. Received: '8'"),
        ({"generator": {"name": "modern", "grown": 8}}, "grown needs fine_channels, .*Received: 8"),
        (
            {"generator": {**FINE, "grown": 8}, "image_size": "32x36"},
            "grown has sides that are multiples of 8 and at least 32. Received: 32x36",
        ),
        (
            {"generator": {**FINE, "grown": 8, "channels": [8] * 4}, "image_size": 64},
            "channels of 32x32 pixels is a number, or 3, one a map",
        ),
        ({"discriminator": {"name": "modern", "grown": 2}}, "grown is 0 or a multiple of 4"),
        (
            {"discriminator": {"name": "modern", "grown": 4}, "image_size": 24},
            "grown has sides that are multiples of 8 and at least 32. Received: 24x24",
        ),
        ({"image_size": 50}, "multiples of 4 and at least 16. Received: 50x50"),
        ({"image_size": "64x8"}, "multiples of 4 and at least 16. Received: 64x8"),
        ({"batch_size": 10, "accumulation": 4}, "batch_size is a multiple of it.*accumulation=4"),
        ({"mode_seeking_weight": 0.1, "batch_size": 9}, "needs an even number.*Received: 9"),
        ({"label_smoothing": 0.1, "loss": "hinge"}, "loss with targets .*the hinge loss has none"),
        ({"updates": "simultaneous", "critic_steps": 5}, "exactly 1 with simultaneous updates"),
        ({"joint_batch": True}, "joint_batch needs updates='simultaneous'"),
        ({"projected": {"features": "tagger"}}, "projected needs updates='simultaneous'"),
        (
            {"augment": "color", "augment_target": 0.6, "loss": "relativistic"},
            "augment_target needs a loss whose .*: non_saturating, minimax, hinge. Received",
        ),
        (
            {"g_lr": {"start": 1e-3, "end": 1e-4, "images": 10}, "lr_decay_start": 5},
            "A rate that is a schedule has no lr_decay_start. Received: 5",
        ),
        (
            {"conditioning": "concat", "discriminator": {"name": "modern"}},
            "needs a discriminator that looks at labels, such as 'dcgan'. Received: .*'modern'",
        ),
        (
            {"conditioning": "ac", "generator": {"name": "srgan"}},
            "An upscaler takes images only. Received: conditioning='ac'",
        ),
        (
            {"generator": {**DCGAN, "normalisation": "conditional"}},
            "normalisation='conditional' needs labels",
        ),
        ({"penalty_every": 0}, "penalty_every is at least 1. Received: 0"),
        ({"generator": {**DCGAN, "channels": 0}}, "channels of the generator 'dcgan' is a whole n"),
        ({"generator": {**DCGAN, "channels": 1.5}}, "number of at least 1. Received: 1.5"),
        ({"generator": {**DCGAN, "channels": True}}, "number of at least 1. Received: True"),
        ({"generator": {"name": "modern", "channels": 0}}, "each at least 1 and all but the last"),
        ({"generator": {"name": "r3gan", "blocks": 0}}, "blocks of the generator 'r3gan' is a who"),
        ({"generator": {"name": "r3gan", "inner": 0}}, "inner .* number greater than 0. Received"),
        ({"generator": {"name": "srresnet", "long_skip": "yes"}}, "true or false. Received: 'yes'"),
        ({"generator": {**DCGAN, "normalisation": "bach"}}, "one of: batch, conditional, none. R"),
        (
            {"discriminator": {**DCGAN, "normalisation": "bach"}},
            "one of: batch, spectral, layer, n",
        ),
        ({"discriminator": {**LOOKING, "scales": [0]}}, "scales is a list of whole numbers of at"),
        ({"batch_size": "64"}, "batch_size is of type int. Received: '64'"),
        ({"flip": 1}, "flip is of type bool. Received: 1"),
        ({"g_lr": float("inf")}, "g_lr is greater than 0, and finite. Received: inf"),
        ({"head_weight": float("nan")}, "head_weight is at least 0 and below inf. Received: nan"),
        ({"adversarial_weight": -1}, "adversarial_weight is at least 0 and below inf"),
        ({"lr_decay_rate": -0.5}, "lr_decay_rate is at least 1e-12 and below inf"),
        ({"lr_decay_start": -1}, "lr_decay_start is at least 0. Received: -1"),
    ],
)
def test_python_refuses_it_at_once(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Config("mine", **settings)


def test_overrides_and_sizes_are_settings_too():
    with pytest.raises(ValueError, match="loss is one of"):
        tfanime.recipes.get("dcgan").override(loss="bce")
    with pytest.raises(ValueError, match="multiples of 4 and at least 16. Received: 50x50"):
        tfanime.recipes.get("dcgan").override(size=50)
    with pytest.raises(ValueError, match="recipe_file follows from the recipe"):
        tfanime.recipes.get("dcgan").override(recipe_file="x.py 00")


def test_what_fits_together_is_taken():
    Config("mine", penalty="r1,r2", discriminator=BARE, loss="relativistic")
    Config("mine", penalty="none", discriminator=LOOKING)
    Config("mine", augment="ada,cutout", augment_target=0.6)
    Config("mine", augment="none", augment_target=0.6, loss="wasserstein")  # it means nothing
    Config("mine", generator={"name": "srgan"}, conditioning="auto")
    Config("custom", loss="a program's own", image_size=10)  # the program has built it


def test_what_follows_the_discriminator_needs_one_that_an_upscaler_asks(monkeypatch):
    monkeypatch.setattr(TERMS, "registered", {})
    TERMS.register("dark", object())
    alone = {"generator": {"name": "srgan"}, "adversarial_weight": 0, "lecam_weight": 0.3}
    seen_by_another = {"feature_weight": 0.1, "feature_model": "lite0"}
    for more in ({}, seen_by_another, {"augment": "none", "augment_target": 0.6}):
        with pytest.raises(ValueError, match="upscaler asks. Received: lecam_weight=0.3. Leave"):
            Config("mine", **alone, **more)
    second = {"projected": {"features": "lite0"}, "updates": "simultaneous"}
    for asking in ({"adversarial_weight": 1}, {"feature_weight": 0.1}, {"terms": "dark"}, second):
        Config("mine", **{**alone, **asking})
    Config("mine", **{**alone, "generator": DCGAN})  # whose discriminator is always asked


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Eight images of 16x16, once with labels and once without."""
    folder = tmp_path_factory.mktemp("packed")
    for name, schema in (("labelled", MAKEGIRLSMOE), ("plain", None)):
        (folder / name).mkdir()
        writer = Writer(folder / name, 16, 16)
        for image in np.zeros((8, 16, 16, 3), np.uint8):
            writer.add(image)
        rows = None if schema is None else np.zeros((8, schema.size), np.float32)
        writer.finish(rows, schema)
    return folder


def described_run(folder, config):
    """The folder of a run, as far as it is looked at before TensorFlow."""
    (folder / "checkpoints" / "step-000000001").mkdir(parents=True)
    write_json(folder / "config.json", {"config": config.to_json(), "labels": None, "data": {}})
    return folder


LINES = {
    # what follows `tfanime train`: a part of the sentence
    "dcgan --data plain --set loss=bce": "loss is one of",
    "dcgan --data plain --set penalty=r2": "batch norm mixes them",
    f"modern --data plain --batch 4 {LOOKING_INSTEAD}": "penalty='r1', and 'projected' with batch",
    "dcgan --data plain --set augment=blur": "augment is a list of",
    "dcgan --data plain --precision mixed_float16": "'mixed_float16' is not one of",
    "dcgan --data plain --set precision=mixed_float16": "not scaled",
    "modern --data plain --set generator.grown=6": "grown is 0 or a multiple of 4. Received: 6",
    "modern --data drawn --size 64 --set generator.grown=8": "grown needs fine_channels",
    "modern --data plain --set discriminator.grown=8": "at least 32. Received: 16x16",
    "dcgan --data drawn --size 50": "multiples of 4 and at least 16",
    "dcgan --data drawn --size 64x96": "'drawn' faces are square",
    "dcgan --data drawn --size 32 --batch 7000": "takes 7000 images and the data hold 6000",
    "dcgan --data drawn:5 --size 32 --batch 6": "takes 6 images and the data hold 5",
    "dcgan --data drawn:many --size 32": "'drawn:COUNT' names a number of faces. Received: 'many'",
    "dcgan --data eight.tar --size 16 --batch 9": "takes 9 images and the data hold 8",
    "dcgan --data eight.tgz --size 16 --batch 9": "takes 9 images and the data hold 8",
    "dcgan --data plain --set recipe=mine": "recipe is no setting, but the first word",
    "dcgan --data plain --batch 4 --set generator.channels=0": "a whole number of at least 1",
    "dcgan --data plain --batch 4 --set discriminator.normalisation=bach": "batch, spectral, layer",
    "looking.py --data plain --batch 4": "discriminator.features is 'tagger', a folder",
    "srgan --data plain --batch 4 --set feature_model=x.keras": "'x.keras', which is no file",
    "dcgan --data plain --size 32": "The images are 16x16 and the run is to be 32x32",
    "dcgan --data plain --batch 9": "One step takes 9 images and the data hold 8",
    "wgan --data plain --batch 2": "One step takes 10 images and the data hold 8",
    "cdcgan-sn --data plain --batch 4": "conditioned on labels and the data have none",
    "modern --data plain --batch 4 --set rare_share=0.05": "rare labels, and the data have none",
    "modern --data labelled --batch 4 --set condition_on=hairs": "hair",
    "modern --data plain --batch 4 --set start=nowhere": "start is a run folder with checkpoints",
    "modern --data plain --batch 4 --set start=begun": "generator dcgan, here modern",
    "lineart --data plain --batch 4 --set lecam_weight=0.3": "asks. Received: lecam_weight=0.3",
    f"lineart --data plain --batch 4 {ADAPTED}": "upscaler asks. Received: augment_target=0.6",
    "srgan --data plain --batch 4 --evaluate-every 5": "an upscaler draws none",
    "dcgan --data plain --batch 4 --epochs -1": "epochs is greater than 0",
    "dcgan --data plain --batch 4 --epochs inf": "epochs is greater than 0, and finite",
    "dcgan --data plain --batch 4 --minutes inf": "minutes is greater than 0, and finite",
    f"dcgan --data plain --batch 4 --set g_lr={UNTIL_1000}": "A schedule has finite numbers only",
    "missing.py --data plain": "'missing.py' is to be a file of Python and cannot be read",
    "broken.py --data plain": "'broken.py' cannot be run (line 2: NameError: name 'oops'",
    "empty.py --data plain": "sets RECIPE = tfanime.recipes.Config",
    "dcgan --data plain --batch 4 --out begun": "holds a run with other config",
    "dcgan --data plain --batch 4 --out foreign": "not empty and holds no run",
}


def test_the_command_line_refuses_it_before_tensorflow(tmp_path, packed):
    for name in ("labelled", "plain"):
        (tmp_path / name).symlink_to(packed / name)
    described_run(tmp_path / "begun", Config("dcgan", image_size=16, seed=5))
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("precious")
    (tmp_path / "broken.py").write_text("import json\noops\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "looking.py").write_text(
        "from tfanime.recipes import Config\n"
        "SPEC = {'name': 'projected', 'features': 'nowhere'}\n"
        "RECIPE = Config('looking', discriminator=SPEC)\n"
    )
    for name, mode in (("eight.tar", "w"), ("eight.tgz", "w:gz")):
        with tarfile.open(tmp_path / name, mode) as archive:
            for i in range(8):
                archive.addfile(tarfile.TarInfo(f"{i}.png"))
            archive.addfile(tarfile.TarInfo(".DS_Store"))
    lines = []
    for line in LINES:
        words = ["train", *line.split()]
        words += [] if "--epochs" in words else ["--steps", "1"]
        words += [] if "--out" in words else ["--out", "x"]
        lines += [words, [*words, "--dry-run"]]
    code = (
        "import sys\nfrom tfanime.cli import main\n"
        f"for words in {lines}:\n"
        "    try:\n        main(words)\n"
        "    except SystemExit as end:\n        print(end.code)\n"
        "    print('----', file=sys.stderr)\n"
        "print({'tensorflow', 'keras'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    said = [" ".join(one.split()) for one in run.stderr.split("----\n")]
    for i, (line, sentence) in enumerate(LINES.items()):
        plain, dry = said[2 * i : 2 * i + 2]
        assert sentence in plain, (line, plain)
        assert plain == dry and "Traceback" not in plain
    assert run.stdout.split() == ["2"] * len(lines) + ["set()"], run.stderr
    assert not (tmp_path / "x").exists()


def test_a_sweep_refuses_a_cell_that_its_data_cannot_fill(tmp_path, packed):
    words = ["sweep", "dcgan", "--data", str(packed / "plain"), "--grid", "batch_size=4,9"]
    words += ["--steps", "1", "--out", str(tmp_path / "x")]
    for more in ([], ["--dry-run"]):
        refused = CliRunner().invoke(main, [*words, *more])
        assert refused.exit_code == 2
        assert "One step takes 9 images and the data hold 8" in refused.output
    assert not (tmp_path / "x").exists()


def test_what_only_the_networks_tell_is_wrong_usage_too(monkeypatch, tmp_path, packed):
    """`--dry-run` ends with 2, and so does the run."""

    def fail(*_):
        raise ValueError("No such network.")

    monkeypatch.setattr("tfanime.training.train.build_gan", fail)
    words = ["train", "dcgan", "--data", str(packed / "plain"), "--batch", "4", "--steps", "1"]
    refused = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "x")])
    assert refused.exit_code == 2 and "Error: No such network." in refused.output
    with pytest.raises(WrongUsage, match="No such network"):
        tfanime.train("dcgan", packed / "plain", batch_size=4, steps=1, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_large_tar_is_not_read_to_its_end(tmp_path):
    with tarfile.open(tmp_path / "many.tar.gz", "w:gz") as archive:
        for i in range(50):
            archive.addfile(tarfile.TarInfo(f"{i}.png"))
    assert count_files(tmp_path / "many.tar.gz", enough=7) == 7
    assert count_files(tmp_path / "many.tar.gz", enough=99) == 50


def test_a_run_that_is_there_refuses_what_data_decide(tmp_path, packed):
    """A run stores what its data decided; another decision is another run."""
    labelled = tmp_path / "run"
    config = tfanime.recipes.get("modern").override(size=16, batch_size=4)
    described_run(labelled, tfanime.recipes.resolve(config, MAKEGIRLSMOE))
    data = tfanime.data.PackedDataset.open(packed / "labelled")
    plan.refuse_others(labelled, "config", config.to_json())  # "auto" is not another setting
    resolved = tfanime.recipes.resolve(config, data.schema)
    plan.refuse_other_decisions(labelled, resolved, data.schema)
    other = tfanime.recipes.resolve(config.override(conditioning="none"), data.schema)
    with pytest.raises(ValueError, match=r"conditioning \(there 'ac', now 'none'\)"):
        plan.refuse_other_decisions(labelled, other, data.schema)


def test_a_run_of_an_earlier_version_that_left_it_open_goes_on(tmp_path):
    config = tfanime.recipes.get("makegirlsmoe").override(size=32)
    assert config.adversarial_weight is None
    old = {name: x for name, x in config.to_json().items() if name != "recipe_file"}
    described_run(tmp_path / "run", config)
    write_json(tmp_path / "run" / "config.json", {"config": old})
    plan.refuse_others(tmp_path / "run", "config", config.to_json())
    resolved = tfanime.recipes.resolve(config, MAKEGIRLSMOE)
    plan.refuse_other_decisions(tmp_path / "run", resolved, MAKEGIRLSMOE)
    other = tfanime.recipes.resolve(config.override(adversarial_weight=3), MAKEGIRLSMOE)
    with pytest.raises(ValueError, match=r"adversarial_weight \(there 34.0, now 3.0\)"):
        plan.refuse_other_decisions(tmp_path / "run", other, MAKEGIRLSMOE)


def test_a_run_that_goes_on_needs_no_start(tmp_path, packed):
    config = Config("dcgan", image_size=16, batch_size=4, start=str(tmp_path / "gone"))
    with pytest.raises(ValueError, match="start is a run folder with checkpoints"):
        plan.check_settings(config, "drawn", tmp_path / "new")
    begun = described_run(tmp_path / "begun", config)
    plan.check_settings(config, "drawn", begun)


def test_a_start_has_the_same_size_or_half_of_it(tmp_path):
    folder = described_run(tmp_path / "small", Config("dcgan", image_size=32, latent_dim=9))
    for size in (32, 64):
        plan.check_start(Config("x", image_size=size, latent_dim=9, start=str(folder)))
    with pytest.raises(ValueError, match="half the size. .*with images of 32x32, here 128x128"):
        plan.check_start(Config("x", image_size=128, latent_dim=9, start=str(folder)))
    with pytest.raises(ValueError, match="with latent_dim 9, here 10"):
        plan.check_start(Config("x", image_size=32, latent_dim=10, start=str(folder)))


def test_networks_of_a_gan_of_ones_own_are_not_guessed(tmp_path):
    """Its settings name none, and were read as those of a DCGAN."""
    folder = described_run(tmp_path / "own", Config("custom", image_size=32, latent_dim=9))
    start = {"image_size": 32, "latent_dim": 9, "start": str(folder)}
    plan.check_start(Config("x", generator={"name": "modern"}, **start))
    with pytest.raises(ValueError, match="with latent_dim 9, here 10"):
        plan.check_start(Config("x", **{**start, "latent_dim": 10}))
