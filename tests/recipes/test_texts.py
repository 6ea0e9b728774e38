"""Texts and rectangular pictures, in every recipe that is conditional."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.recipes.test_recipes import in_time, tiny
from tfanime import models, recipes
from tfanime.core.images import grid, to_uint8
from tfanime.core.labels import Field, LabelSchema
from tfanime.training.build import build_gan
from tfanime.zoo.saved import load_generator, save_generator

HEIGHT, WIDTH = 24, 16  # of a poster, two by three
SCHEMA = LabelSchema(
    (
        Field("mood", "group", ("light", "heavy")),
        Field("tags", "vector", length=3),
        Field("description", "vector", length=4),
    )
)
SCENARIOS = (("mood", "tags"), ("mood", "description"), ("mood", "tags", "description"))
CONDITIONED = [
    name
    for name in recipes.names()
    if recipes.get(name).conditioning != "none"
    and recipes.get(name).generator["name"] not in models.UPSCALERS
]
ROWS = 6


@pytest.fixture(autouse=True)
def _global_policy():
    yield
    keras.mixed_precision.set_global_policy("float32")


def tiny_poster(name, **overrides):
    config = tiny(name, label_embedding=5, text_augmentation=2, **overrides)
    return config.override(image_size=(HEIGHT, WIDTH), batch_size=ROWS)


def batch(config, schema, seed=0):
    random = np.random.default_rng(seed)
    count = ROWS * config.critic_steps
    found = {"images": np.tanh(random.standard_normal((count, HEIGHT, WIDTH, 3)))}
    for name in ("labels", "condition"):
        moods = 2 * np.eye(2)[random.integers(2, size=count)] - 1
        found[name] = np.concatenate(
            [moods, random.standard_normal((count, schema.vector_size))], axis=1
        )
    found["labels"][0, 2:] = 0.0  # a picture without a text
    return {name: tf.constant(values, tf.float32) for name, values in found.items()}


@in_time(CONDITIONED)
def test_every_recipe_trains_on_rectangular_pictures_with_texts(name, tmp_path):
    scenario = SCENARIOS[CONDITIONED.index(name) % len(SCENARIOS)]
    schema, _ = SCHEMA.select(scenario)
    config = tiny_poster(name)
    gan = build_gan(config, schema)
    logs = gan.train_step(batch(config, schema))
    assert all(np.isfinite(value) for value in logs.values()), logs
    assert "g_kl" in logs
    save_generator(tmp_path, gan.ema_generator, schema, name)
    generator = load_generator(tmp_path)
    assert (generator.height, generator.width) == (HEIGHT, WIDTH)
    latents = np.zeros((2, generator.latent_dim), np.float32)
    labels = batch(config, schema)["condition"][:2].numpy()
    pictures = generator(latents, labels)
    assert pictures.shape == (2, HEIGHT, WIDTH, 3) and np.abs(pictures).max() <= 1
    sheet = grid(to_uint8(pictures), columns=2, padding=2)
    assert sheet.shape == (HEIGHT + 4, 2 * WIDTH + 6, 3)


@pytest.mark.parametrize("loss", ["matching", "squared"])
@pytest.mark.parametrize("name", ["infogan", "ac-infogan"])
def test_a_head_reads_the_text(name, loss):
    config = tiny_poster(name, vector_loss=loss, d_lr=2e-3, g_lr=1e-6)
    schema, _ = SCHEMA.select(["description"])
    gan = build_gan(config, schema)
    data = {key: values[..., -schema.size :] for key, values in batch(config, SCHEMA).items()}
    data["images"] = batch(config, SCHEMA)["images"]
    key = "g_label_loss" if name == "infogan" else "d_label_loss"
    logs = [float(gan.train_step(data)[key]) for _ in range(6)]
    assert logs[-1] < logs[0]
    if loss == "matching":  # it begins by guessing, among five or six texts
        assert logs[0] == pytest.approx(np.log(ROWS), abs=0.5)


def test_the_loss_of_texts_is_one_that_there_is():
    with pytest.raises(ValueError, match="vector_loss is one of: matching, squared"):
        tiny("ac-infogan", vector_loss="cosine")
