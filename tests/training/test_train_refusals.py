"""What `train` refuses, and what it says of a run."""

import numpy as np
import pytest

import tfanime
from tfanime import recipes
from tfanime.core.files import write_json
from tfanime.core.images import save_image
from tfanime.training import distribution
from tfanime.training.plan import check_plan, say_ignored_labels
from tfanime.training.run_folder import refuse_others

# ---- refusals ----------------------------------------------------------------------------------


def test_other_settings_are_refused_by_name(train, faces):
    train("dcgan", faces, steps=1)
    with pytest.raises(ValueError, match=r"g_lr \(there 0.0002, now 0.001\)"):
        train("dcgan", faces, steps=2, g_lr=1e-3)
    with pytest.raises(ValueError, match="recipe.*dcgan.*dcgan-sn"):
        train("dcgan-sn", faces, steps=2)


def test_options_in_tuples_are_not_other_settings(tmp_path):
    """JSON gives lists back, and the same call was refused."""
    config = recipes.get("modern").override(size=32, generator={"channels": (64, 32, 16)})
    write_json(tmp_path / "config.json", {"config": config.to_json()})
    refuse_others(tmp_path, "config", config.to_json())
    other = config.override(generator={"channels": (64, 32, 8)})
    with pytest.raises(ValueError, match=r"there .*\[64, 32, 16\].*, now .*\[64, 32, 8\]"):
        refuse_others(tmp_path, "config", other.to_json())


def test_a_run_from_before_a_setting_existed_goes_on(tmp_path):

    config = recipes.get("dcgan")
    old = {k: v for k, v in config.to_json().items() if k not in ("condition_on", "kl_weight")}
    write_json(tmp_path / "config.json", {"config": old})
    refuse_others(tmp_path, "config", config.to_json())
    with pytest.raises(ValueError, match=r"condition_on \(there 'all', now 'hair'\)"):
        refuse_others(tmp_path, "config", config.override(condition_on="hair").to_json())


def test_other_data_are_refused(train, faces):
    train("dcgan", faces, steps=1)
    other = tfanime.from_arrays(255 - faces.images(slice(None)))
    with pytest.raises(ValueError, match="holds a run on other data: 48 images there, 48 here"):
        train("dcgan", other, steps=2)


def test_foreign_folder_is_refused(train, faces, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("precious")
    with pytest.raises(ValueError, match="not empty and holds no run"):
        train("dcgan", faces, steps=1)
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "needs a budget"),
        ({"steps": 0}, "steps is greater than 0, and finite. Received: 0"),
        ({"minutes": float("nan")}, "minutes is greater than 0"),
        ({"epochs": float("inf")}, "epochs is greater than 0, and finite. Received: inf"),
        ({"minutes": float("inf")}, "minutes is greater than 0, and finite. Received: inf"),
        ({"steps": 1, "batch_size": 64}, "One step takes 64 images and the data hold 48"),
        ({"steps": 1, "batch_size": 0}, "batch_size is at least 1. Received: 0"),
        ({"steps": 1, "g_rate": 1}, "Unknown setting: g_rate. Known: .*g_lr"),
        ({"steps": 1, "strategy": "tpu"}, "strategy is one of"),
        ({"steps": 1, "loss": "l3"}, "loss is one of"),
        ({"steps": 1, "size": 32}, "The images are 16x16 and the run is to be 32x32"),
        ({"steps": 1, "generator": {"wings": 2}}, "does not take these options: .*wings"),
    ],
)
def test_bad_settings_are_one_sentence(train, faces, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        train("dcgan", faces, **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": 50}, "multiples of 4 and at least 16. Received: 50x50"),
        ({"size": 16, "generator": {"wings": 2}}, "does not take these options: .*wings"),
        ({"image_size": 16, "batch_size": 99}, r"takes 99 .* hold 3. Lower batch_size \(--batch\)"),
    ],
)
def test_what_cannot_be_trained_is_not_packed_first(
    train, tmp_path, monkeypatch, options, sentence
):
    for name in "abc":
        save_image(tmp_path / "here" / f"{name}.png", np.zeros((60, 60, 3), np.uint8))
    monkeypatch.setattr("tfanime.training.train.load_data", None)
    with pytest.raises(ValueError, match=sentence):
        train("dcgan-sn", tmp_path / "here", steps=1, **options)
    assert not (tmp_path / "run").exists()


def test_conditional_recipe_needs_labels(train, faces):
    plain = tfanime.from_arrays(faces.images(slice(None)))
    with pytest.raises(ValueError, match="conditioned on labels and the data have none"):
        train("dcgan-dragan", plain, steps=1)
    assert train("dcgan-dragan", plain, "free", steps=1, conditioning="none").step == 1


def test_rare_labels_that_there_are_not_leave_no_run_behind(train, faces):
    """It was found in the first step: the folder held a run, which refused the right settings."""
    plain = tfanime.from_arrays(faces.images(slice(None)))
    with pytest.raises(ValueError, match="rare_share repeats .* have none. Received: 0.05"):
        train("dcgan", plain, steps=1, rare_share=0.05)
    assert train("dcgan", plain, steps=1).step == 1
    assert train("dcgan", faces, "labelled", steps=1, rare_share=0.05).step == 1


def test_batch_must_divide_by_the_replicas():
    class Two:
        num_replicas_in_sync = 2

    with pytest.raises(ValueError, match="multiple of 2. Received: 7"):
        distribution.check_batch(Two(), 7)


def test_a_recipe_that_ignores_labels_says_so(capsys):
    schema = tfanime.core.labels.MAKEGIRLSMOE
    say_ignored_labels(recipes.get("dcgan"), schema)
    said = capsys.readouterr().err
    assert "'dcgan' ignores the labels" in said and "hair, long_hair" in said
    assert said.count("\n") == 1
    say_ignored_labels(recipes.get("dcgan"), None)
    say_ignored_labels(recipes.get("modern"), schema)
    say_ignored_labels(recipes.get("srgan"), schema)
    assert capsys.readouterr().err == ""


def test_a_dry_run_refuses_what_a_run_refuses(tmp_path):
    config = recipes.get("dcgan-sn").override(size=64)
    with pytest.raises(ValueError, match="takes 7000 images and the data hold 6000"):
        check_plan(config.override(batch_size=7000), "drawn", tmp_path / "run")
    check_plan(config, "drawn", tmp_path / "run")
    assert not (tmp_path / "run").exists()
