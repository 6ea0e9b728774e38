"""What the recipes' papers and the works themselves say of their models."""

from __future__ import annotations

import re

import pytest

from tfanime import recipes
from tfanime.recipes.config import parse_overrides
from tfanime.training.build import build_gan
from tfanime.training.grids import cell_config, cells, parse_grid


@pytest.mark.parametrize(
    "name, expected",
    [
        ("dcgan", {"g_lr": 2e-4, "d_lr": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "latent_dim": 100}),
        (
            "wgan",
            {
                "optimizer": "rmsprop",
                "g_lr": 5e-5,
                "d_lr": 5e-5,
                "weight_clip": 0.01,
                "critic_steps": 5,
                "batch_size": 64,
            },
        ),
        ("wgan-gp", {"penalty": "wgan-gp", "loss": "wasserstein", "beta_1": 0.0, "beta_2": 0.9}),
        ("clsgan", {"loss": "least_squares", "conditioning": "concat"}),
        ("infogan", {"conditioning": "infogan"}),
        ("ac-infogan", {"conditioning": "ac"}),
        (
            "srgan",
            {
                "g_lr": 2e-3,
                "lr_decay_rate": 0.1,
                "lr_end": 2e-4,
                "jitter": 0.1,
                "degraded": 0.5,
                "conditioning": "none",
            },
        ),
        (
            "makegirlsmoe",
            {
                "adversarial_weight": None,  # the number of attributes
                "penalty": "dragan",
                "penalty_weight": 0.5,
                "updates": "simultaneous",
                "batch_size": 64,
                "g_lr": 2e-4,
                "beta_1": 0.5,
                "lr_decay_start": 50_000,
                "multilabel": True,
                "prior": "training",
            },
        ),
    ],
)
def test_specifications(name, expected):
    config = recipes.get(name)
    assert {key: getattr(config, key) for key in expected} == expected


def test_what_the_works_say_of_their_models():
    best = {name for name in recipes.names() if "study's best" in recipes.headline(name)}
    assert best == {"wgan", "cdcgan-sn"}  # of the Stanford study, of the poster study
    assert "monotonous" in recipes.headline("dcgan-sn")
    assert "the two classes are mixed up" in " ".join(recipes.describe("cdcgan-sn").split())
    for name in recipes.names():  # the Anime Faces project names no model
        assert "Anime Faces" not in recipes.describe(name)


def test_the_stanford_tables_are_grids():
    """What the docstrings say can be typed, and becomes the numbers of the study's tables."""

    def axes(name):
        text = " ".join(recipes.describe(name).split())
        return parse_grid(re.findall(r"--grid ([\w.]+=[\w.,-]*\w)", text))

    found = axes("dcgan")
    assert found.pop("lr") == [0.0025, 0.002, 0.0015] and found.pop("optimizer") == ["adam", "sgd"]
    assert found == {"generator.depth": [6, 7]}
    assert axes("srgan") == {f"jitter.{n}": [0, 0.1] for n in ("contrast", "saturation", "hue")}
    settings = re.findall(r"--set (\S+)", recipes.describe("dcgan-sn").partition("--out")[2])
    config = recipes.get("dcgan-sn").override(**parse_overrides(settings))
    assert (config.generator["depth"], config.discriminator["depth"]) == (5, 8)  # a pair of theirs
    assert (config.g_lr, config.d_lr, config.lr_end) == (2e-3, 2e-3, 2e-4)


def test_one_axis_ties_both_rates():
    config = cell_config("dcgan", next(iter(cells({"lr": [0.0025, 0.002]}))), {"image_size": 16})
    gan = build_gan(config.override(generator={"channels": 4}, discriminator={"channels": 4}))
    for optimizer in (gan.g_optimizer, gan.d_optimizer):
        assert float(optimizer.learning_rate) == pytest.approx(0.0025)
