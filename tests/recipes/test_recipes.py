"""One battery for every recipe, with tiny networks; and `build_gan`."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.frozen_twin import through_it
from tfanime import models, recipes
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema
from tfanime.recipes.config import Config
from tfanime.training.build import build_gan
from tfanime.training.schedules import DelayedDecay

SCHEMA = LabelSchema(
    (
        Field("hair", "group", ("red", "blue", "green")),
        Field("smile", "flag"),
        Field("year", "value", low=1990, high=2010),
    )
)
BATCH = 4
# Sides of the images, where 16 pixels leave a network without one of its parts.
SIZES = {"makegirlsmoe": 32, "projected": 32, "srgan": 32}
HEADS = {"ac", "auto", "infogan"}  # the kinds of conditioning that have one


@pytest.fixture(autouse=True)
def _global_policy():
    yield
    keras.mixed_precision.set_global_policy("float32")


def tiny(name, **overrides):
    config = recipes.get(name)
    options = {"channels": 4}
    judge = dict(options)
    if config.projected is not None:  # from the first step on
        overrides = {
            "projected": through_it(),
            "projected_weight": 1.0,
            "projected_every": 1,
            **overrides,
        }
    if config.generator["name"] in ("srresnet", "srgan", "compact", "r3gan"):
        options["blocks"] = 1
    if config.critic_steps > 1:  # two show what five do
        overrides = {"critic_steps": 2, **overrides}
    if name == "lineart":  # which asks no discriminator by itself
        overrides = {"adversarial_weight": 0.5, "feature_model": None, **overrides}
    return config.override(
        size=SIZES.get(name, 16),
        latent_dim=6,
        batch_size=BATCH,
        generator=options,
        discriminator=options if config.discriminator["name"] in ("srresnet", "r3gan") else judge,
        **overrides,
    )


def batch(config, seed=0):
    rng = np.random.default_rng(seed)
    count = config.batch_size * config.critic_steps
    shape = (count, *config.image_size, 3)
    found = {"images": np.tanh(rng.standard_normal(shape)).astype(np.float32)}
    if config.conditioning != "none":
        for name in ("labels", "condition"):
            hair = 2 * np.eye(3)[rng.integers(3, size=count)] - 1
            others = np.stack([rng.choice([-1, 1], count), rng.uniform(-1, 1, count)], axis=1)
            found[name] = np.concatenate([hair, others], axis=1).astype(np.float32)
    return {name: tf.constant(value) for name, value in found.items()}


def kernels(variables):
    return {v.path: v.numpy() for v in variables if v.name == "kernel"}


EVERY = pytest.mark.parametrize("name", recipes.names())
# Their losses, penalties, normalisations and ways of conditioning are all in other recipes too,
# which the quick run takes.
COMBINED = ("dcgan", "dcgan-sn", "cdcgan-sn", "ac-infogan", "dcgan-dragan")
LARGE = ("modern", "projected", "r3gan")  # which take as long as all others that it takes


def in_time(names, argument="name", **options):
    """All of these recipes, of which the quick run leaves some out."""
    slow = (*COMBINED, *LARGE)
    marked = [pytest.param(n, marks=[pytest.mark.slow] if n in slow else []) for n in names]
    return pytest.mark.parametrize(argument, marked, **options)


EVERY_IN_TIME = in_time(recipes.names())
EVERY_BUILT = in_time(recipes.names(), "built", indirect=True)


@pytest.fixture(scope="module")
def built(request):
    """A recipe's configuration and GAN, built once for the two tests behind: that takes as long as
    two steps."""
    # The generator hardly moves.
    config = tiny(request.param, d_lr=2e-3, g_lr=1e-5, critic_steps=1)
    return config, build_gan(config, SCHEMA)


@EVERY_BUILT
def test_every_layer_trains_and_the_discriminator_learns_to_separate(built):
    # Pictures that are nothing like the generator's own.
    config, gan = built
    variables = gan.generator_variables + gan.discriminator_variables
    before = kernels(variables)
    data = batch(config)
    data["images"] = 0.2 * data["images"] + 0.7
    step = gan.train_step  # to trace it, as test_battery does, takes longer than six steps
    # Nothing passes a layer that begins with zeros before the second step.
    logs = [{key: float(value) for key, value in step(data).items()} for _ in range(2)]
    unchanged = [path for path, new in kernels(variables).items() if (new == before[path]).all()]
    assert not unchanged
    logs += [{key: float(value) for key, value in step(data).items()} for _ in range(4)]
    assert all(np.isfinite(value) for value in logs[-1].values()), logs[-1]
    assert all(np.isfinite(v.numpy()).all() for v in variables)
    gap = [row["d_real"] - row["d_fake"] for row in (logs[0], logs[-1])]
    assert gap[1] > gap[0]
    assert logs[-1]["d_loss"] < logs[0]["d_loss"]
    assert ("d_penalty" in logs[0]) == (config.penalty != "none")
    assert ("g_label_loss" in logs[0]) == (config.conditioning in HEADS)
    assert ("d_label_loss" in logs[0]) == (config.conditioning in HEADS - {"infogan"})
    if config.weight_clip:
        largest = max(np.abs(v.numpy()).max() for v in gan.discriminator_variables)
        assert largest <= np.float32(config.weight_clip)


@EVERY_BUILT
def test_pictures_and_logits(built):
    config, gan = built
    data = batch(config)
    assert gan.conditional_generator == (config.conditioning != "none")
    assert gan.conditional_discriminator == (config.conditioning == "concat")
    if config.generator["name"] in models.UPSCALERS:
        step = gan.factor
        pictures = gan(data["images"][:, ::step, ::step])  # not confined to [-1, 1]
    else:
        latents = np.zeros((BATCH, 6), np.float32)
        pictures = gan([latents, data["labels"]] if gan.conditional_generator else latents)
        assert np.abs(pictures).max() <= 1
    assert pictures.shape == (BATCH, *config.image_size, 3)
    seen = [pictures, data["labels"]] if gan.conditional_discriminator else pictures
    assert gan.discriminator(seen)["logits"].shape == (BATCH, 1)
    if config.projected is not None:  # 16 places of each of two maps
        assert gan.projected(pictures)["logits"].shape == (BATCH, 2 * 16)


CONDITIONED = [name for name in recipes.names() if recipes.get(name).conditioning != "none"]


@in_time(CONDITIONED)
def test_labels_are_optional(name):
    config = tiny(name, conditioning="none", critic_steps=1)
    gan = build_gan(config)
    logs = gan.train_step(batch(config))
    assert np.isfinite(float(logs["g_loss"])) and gan.head is None


def test_auto_conditioning_follows_the_data():
    assert build_gan(tiny("modern"), SCHEMA).head is not None
    plain = build_gan(tiny("modern"))
    assert plain.head is None and not plain.conditional_generator


# `auto` goes without labels, and `infogan` then has codes of its own.
FREE = ("auto", "infogan")
NEEDING = [name for name in CONDITIONED if recipes.get(name).conditioning not in FREE]


@pytest.mark.parametrize("name", NEEDING)
def test_labels_that_are_needed_and_missing(name):
    with pytest.raises(ValueError, match=f"'{name}' is conditioned on labels.*conditioning=none"):
        build_gan(tiny(name))


def test_the_seed_decides_the_initial_weights():
    config = tiny("dcgan-dragan")
    first, again = (build_gan(config, SCHEMA).get_weights() for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    other = build_gan(config.override(seed=1), SCHEMA).get_weights()
    kernel = next(i for i, w in enumerate(first) if w.ndim > 1)
    assert not np.array_equal(first[kernel], other[kernel])


@EVERY
def test_the_docstring_says_what_a_reader_needs(name):
    text = recipes.describe(name)
    assert f"tfanime train {name} " in text
    assert "arXiv:" in text or "Ours" in text
    assert recipes.headline(name) == text.splitlines()[0] and text.splitlines()[1] == ""
    assert recipes.get(name).recipe == name


@EVERY
def test_configurations_survive_json(name):
    config = recipes.get(name)
    assert Config.from_json(config.to_json()) == config


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(ValueError, match="recipe is one of: dcgan, .*Received: 'stylegan'"):
        recipes.get("stylegan")


# ---- the figures of the papers ---------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, schema, weight",
    [
        ({}, MAKEGIRLSMOE, 34.0),
        ({}, SCHEMA, 5.0),
        ({}, LabelSchema((*SCHEMA.fields, Field("tags", "vector", length=7))), 5.0),
        ({"conditioning": "none"}, SCHEMA, 1.0),
        ({"adversarial_weight": 34}, SCHEMA, 34.0),
    ],
)
@pytest.mark.parametrize("name", ["makegirlsmoe", "dcgan-dragan"])
def test_makegirlsmoes_adversarial_weight_is_the_number_of_attributes(
    name, changes, schema, weight
):
    assert build_gan(tiny(name, **changes), schema).adversarial_weight == weight


def test_srgan_falls_to_its_floor_and_stays():
    gan = build_gan(tiny("srgan"))
    for steps, factor in ((0, 1.0), (5_000, 0.1**0.5), (10_000, 0.1), (50_000, 0.1)):
        for optimizer, rate in ((gan.g_optimizer, 2e-3), (gan.d_optimizer, 2e-4)):
            optimizer.iterations.assign(steps)
            assert float(optimizer.learning_rate) == pytest.approx(rate * factor)
    below = build_gan(tiny("srgan", g_lr=1e-4)).g_optimizer
    below.iterations.assign(10_000)
    assert float(below.learning_rate) == pytest.approx(1e-4)


# ---- build_gan -------------------------------------------------------------------------------


def test_options_reach_the_gan():
    config = tiny("modern").override(
        discriminator={"name": "modern", "channels": 4},
        loss="non_saturating",
        penalty="r1",
        penalty_every=5,
        penalty_weight=2.0,
        augment_target=0.6,
        ema_half_life=7,
        instance_noise=0.1,
        seed=3,
    )
    gan = build_gan(config)
    (penalty,) = gan.penalties
    assert (penalty.at, penalty.every, penalty.weight) == ("real", 5, 2.0)
    assert (gan.ema_half_life, gan.instance_noise, gan.seed) == (7.0, 0.1, 3)
    assert gan.augment is not None and build_gan(tiny("dcgan")).augment is None
    assert gan.augment_target == 0.6
    # Turned off, the target means nothing.
    assert build_gan(config.override(augment="none")).augment_p is None


def test_conditional_norms_are_trained():
    config = tiny("modern", conditioning="ac")
    gan = build_gan(config.override(generator={"normalisation": "conditional"}), SCHEMA)
    scales = [v for v in gan.generator_variables if v.path.endswith("_scale/kernel")]
    before = [v.numpy() for v in scales]
    gan.train_step(batch(config))
    assert len(scales) == 3
    assert all((v.numpy() != old).any() for v, old in zip(scales, before, strict=True))


@pytest.mark.parametrize(
    "optimizer, kind", [("adam", "Adam"), ("rmsprop", "RMSprop"), ("sgd", "SGD")]
)
def test_optimizers(optimizer, kind):
    gan = build_gan(tiny("dcgan", optimizer=optimizer, g_lr=0.01, d_lr=0.02, beta_1=0.3))
    assert type(gan.g_optimizer).__name__ == type(gan.d_optimizer).__name__ == kind
    rates = [float(o.learning_rate) for o in (gan.g_optimizer, gan.d_optimizer)]
    assert rates == pytest.approx([0.01, 0.02])
    if kind != "RMSprop":
        assert getattr(gan.g_optimizer, "beta_1", None) == 0.3 or gan.g_optimizer.momentum == 0.3


@pytest.mark.parametrize(
    "changes",
    [
        dict.fromkeys(("g_lr", "d_lr"), {"start": 1e-3, "end": 1e-4, "images": 32}),
        {
            "lr_decay_start": 1,
            "lr_decay_steps": 1,
            "lr_decay_rate": 0.5,
            "g_lr": 1e-3,
            "d_lr": 1e-3,
        },
    ],
)
def test_rates_of_both_networks_fall_alike(changes):
    """Also where the critic is updated twice in a step, with four images each time."""
    config = tiny("wgan-gp", critic_steps=2, conditioning="none", **changes)
    gan = build_gan(config)
    for _ in range(2):
        gan.train_step(batch(config))
    rates = [float(o.learning_rate) for o in (gan.g_optimizer, gan.d_optimizer)]
    # A schedule is half way after 16 of 32 images; a decay has halved the rate once.
    assert rates == pytest.approx(2 * [5.5e-4 if "lr_decay_start" not in changes else 5e-4])


def test_bfloat16_recipe():
    config = tiny("dcgan-dragan", precision="mixed_bfloat16")
    gan = build_gan(config, SCHEMA)
    assert gan.discriminator.get_layer("down0").compute_dtype == "bfloat16"
    assert gan.head.get_layer("labels").compute_dtype == "float32"
    for name, value in gan.train_step(batch(config)).items():
        assert value.dtype == "float32" and np.isfinite(float(value)), name


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"generator": "stylegan"}, "generator's name is one of: dcgan, .*Received: 'stylegan'"),
        ({"generator": {"width_multiplier": 2}}, "does not take these options.*width_multiplier"),
        ({"penalty": "gp"}, "penalty is 'none' or some of: wgan-gp.*Received: 'gp'"),
        ({"penalty": "wgan-gp"}, "batch norm mixes them.*normalisation='layer'"),
        ({"augment": "blur"}, "augment is a list of: color.*Received: 'blur'"),
        ({"loss": "bce"}, "loss is one of"),
        ({"updates": "never"}, "updates is one of"),
        ({"generator": {"name": "srgan", "factor": 3}}, "factor is 2 or 4. Received: 3"),
        ({"generator": "srgan", "pixel_loss": "l3"}, "pixel_loss is one of: l1, mse"),
        (
            {"generator": "srgan", "feature_model": "missing.keras"},
            "feature_model is 'lite0' or the path of a Keras model. Received: 'missing.keras'",
        ),
    ],
)
def test_what_cannot_be_built_is_said(changes, message):
    with pytest.raises(ValueError, match=message):
        build_gan(recipes.get("dcgan").override(image_size=32, **changes))


def test_delayed_decay():
    schedule = DelayedDecay(2e-4, start=100, decay_steps=50, decay_rate=0.5)
    found = [float(schedule(step)) for step in (0, 100, 125, 150, 250)]
    np.testing.assert_allclose(found, [2e-4, 2e-4, 2e-4 * 0.5**0.5, 1e-4, 0.25e-4], rtol=1e-5)
    floored = DelayedDecay(2e-4, 100, 50, 0.5, end=0.9e-4)
    found = [float(floored(step)) for step in (0, 150, 175, 10_000)]
    np.testing.assert_allclose(found, [2e-4, 1e-4, 0.9e-4, 0.9e-4], rtol=1e-5)
    assert float(DelayedDecay.from_config(floored.get_config())(250)) == float(floored(250))
    twin = DelayedDecay.from_config(schedule.get_config())
    assert float(twin(250)) == float(schedule(250))
    with pytest.raises(ValueError, match="decay_rate is between 0 and 1. Received: 1.5"):
        DelayedDecay(2e-4, 0, 1, 1.5)
    gan = build_gan(tiny("dcgan", lr_decay_start=1, lr_decay_steps=1, lr_decay_rate=0.5))
    for expected in (1.0, 1.0, 0.5, 0.25):
        assert float(gan.d_optimizer.learning_rate) == pytest.approx(2e-4 * expected)
        gan.train_step(batch(tiny("dcgan")))
