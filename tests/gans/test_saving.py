"""A GAN is a Keras model: saved, loaded, compiled and fitted like one."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import tfanime
from tfanime import gans
from tfanime.core.labels import Field, LabelSchema
from tfanime.core.schedules import Schedule
from tfanime.gans import losses, penalties
from tfanime.gans.augment import diff_augment
from tfanime.gans.objective import Term
from tfanime.models import dcgan, modern, srgan
from tfanime.models.heads import label_head
from tfanime.recipes import Config
from tfanime.registries import TERMS
from tfanime.training.build import build_gan

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = LabelSchema((Field("hair", "group", ("red", "blue")), Field("hat", "flag")))
LABELS = np.tile(np.array([[1, -1, 1], [-1, 1, -1]], np.float32), (4, 1))


def images(seed=0, count=8, side=16):
    values = np.random.default_rng(seed).uniform(-1, 1, (count, side, side, 3))
    return values.astype(np.float32)


def labelled(**options):
    generator = modern.generator(16, 16, 8, label_dim=3, channels=4)
    discriminator = modern.discriminator(16, 16, channels=4)
    head = label_head(discriminator.output["features"].shape[-1], 3)
    return gans.GAN(generator, discriminator, head=head, schema=SCHEMA, **options)


def plain(**options):
    discriminator = dcgan.discriminator(16, 16, channels=4, normalisation="layer")
    return gans.GAN(dcgan.generator(16, 16, 8, channels=4), discriminator, **options)


def values(gan):
    gan_values = [v.numpy() for v in gan.variables]
    return gan_values + [v.numpy() for o in (gan.g_optimizer, gan.d_optimizer) for v in o.variables]


def fit(gan, **options):
    batch = {"images": images(), "labels": LABELS}
    return gan.fit(batch, batch_size=4, verbose=0, shuffle=False, **options)


def test_a_saved_gan_goes_on_bit_for_bit(tmp_path):
    gan = labelled(
        penalty=(penalties.r1(Schedule(1.0, 0.5, images=100)), penalties.r2(0.5)),
        augment=diff_augment("color,translation"),
        augment_target=0.6,
        more_averages=(5.0,),
        updates="simultaneous",
    )
    rates = keras.optimizers.Adam(1e-3, beta_1=0.0), keras.optimizers.RMSprop(1e-3)
    gan.compile(*rates, run_eagerly=True)  # six steps take less than two graphs to trace
    fit(gan, callbacks=[keras.callbacks.ModelCheckpoint(tmp_path / "gan.keras")])
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert type(loaded) is gans.GAN and loaded.schema == SCHEMA
    assert loaded.penalties == gan.penalties and loaded.augment.policy == "color,translation"
    assert int(loaded.steps_done.numpy()) == 2
    for there, here in zip(values(loaded), values(gan), strict=True):
        np.testing.assert_array_equal(there, here)
    loaded.run_eagerly = True
    fit(gan), fit(loaded)
    for there, here in zip(values(loaded), values(gan), strict=True):
        np.testing.assert_array_equal(there, here)


def test_a_subclass_keeps_what_its_paper_chose(tmp_path):
    discriminator = dcgan.discriminator(16, 16, channels=4, normalisation="layer")
    gan = gans.WGANGP(dcgan.generator(16, 16, 8, channels=4), discriminator, penalty_weight=3.0)
    gan.compile()
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert type(loaded) is gans.WGANGP and loaded.critic_steps == 5
    assert loaded.penalties == (penalties.wgan_gp(3.0),)
    assert float(loaded.d_optimizer.learning_rate) == pytest.approx(1e-4)


def test_an_upscaler_too(tmp_path):
    generator = srgan.generator(16, 16, factor=2, channels=4, blocks=1)
    discriminator = dcgan.discriminator(16, 16, channels=4, normalisation="none")
    gan = gans.SRGAN(generator, discriminator, content_weight=2.0, jitter=0.1)
    gan.compile()
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert type(loaded) is gans.SRGAN and loaded.factor == 2 and loaded.content_weight == 2.0
    assert loaded.jitter == gan.jitter and loaded.matches_features


@pytest.mark.slow
def test_keras_knows_our_classes_after_import_tfanime_alone(tmp_path):
    gan = labelled()
    gan.compile()
    gan.save(tmp_path / "gan.keras")
    code = (
        "import sys, tfanime; assert 'keras' not in sys.modules\n"
        f"import keras; gan = keras.models.load_model({str(tmp_path / 'gan.keras')!r})\n"
        "print(type(gan).__name__, tfanime.generate(gan, n=2, tags={'hair': 'red'}).images.shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "GAN (2, 16, 16, 3)\n", done.stderr


def test_what_has_no_name_is_refused_when_it_is_saved(tmp_path):
    own = losses.AdversarialLoss("mine", lambda *_, **__: 0.0, lambda *_: 0.0, False, False)
    gan = plain(loss=own)
    gan.compile()
    with pytest.raises(ValueError, match="a loss of your own, 'mine'. Register it"):
        gan.save(tmp_path / "gan.keras")
    gan = plain(augment=lambda x, noise, probability=None: x)
    gan.compile()
    with pytest.raises(ValueError, match="policy of its augment"):
        gan.save(tmp_path / "gan.keras")


class Grey(Term):
    """Draws generated images to middle grey."""

    def generator(self, on_fake, on_real, part):
        return part.now(self.weight) * keras.ops.mean(keras.ops.square(on_fake.images)), {}


def test_terms_of_ones_own_are_saved_and_set_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(TERMS, "registered", {})
    weight = Schedule(2.0, 0.0, 100)
    gan = plain(terms=[Grey(weight)])
    gan.compile()
    with pytest.raises(ValueError, match="a term of your own, 'Grey'. Register its class"):
        gan.save(tmp_path / "gan.keras")
    with pytest.raises(ValueError, match="terms is 'none' or some of.*Received: 'grey'"):
        Config(recipe="mine", terms="grey")
    TERMS.register("grey", Grey)
    gan.save(tmp_path / "gan.keras")
    (term,) = keras.models.load_model(tmp_path / "gan.keras").terms
    assert type(term) is Grey and term.weight == weight
    small = {"name": "dcgan", "channels": 8}
    config = Config(
        recipe="mine", image_size=(16, 16), generator=small, discriminator=small, terms="grey"
    )
    (term,) = build_gan(config.override(terms_weight=weight.to_json())).terms
    assert type(term) is Grey and term.weight == weight


def test_one_optimizer_for_both_is_one_for_each():
    gan = plain()
    gan.compile(optimizer="adam")
    assert gan.g_optimizer is not gan.d_optimizer
    rate = keras.optimizers.RMSprop(3e-4)
    gan.compile(optimizer=rate)
    assert gan.g_optimizer is rate and gan.d_optimizer is not rate
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(3e-4)
    with pytest.raises(ValueError, match="Choose one way"):
        gan.compile("sgd", optimizer="adam")
    with pytest.raises(ValueError, match=r"Received: loss, metrics\. Leave it out"):
        gan.compile(loss="mse", metrics=["accuracy"])


@pytest.mark.parametrize("kind", [gans.WGAN, gans.WGANGP])
def test_one_optimizer_takes_the_place_of_those_of_a_paper(kind):
    gan = kind(plain().generator, plain().discriminator)
    gan.compile(optimizer=keras.optimizers.SGD(0.1))
    assert [type(o) for o in (gan.g_optimizer, gan.d_optimizer)] == 2 * [keras.optimizers.SGD]
    gan.compile()
    assert keras.optimizers.SGD not in (type(gan.g_optimizer), type(gan.d_optimizer))


def test_what_a_gan_cannot_do_it_says_in_a_sentence():
    gan = plain()
    gan.compile()
    with pytest.raises(ValueError, match=r"tfanime\.evaluate\(gan, data\)"):
        gan.evaluate(images())
    for option in ({"validation_data": images()}, {"validation_split": 0.5}):
        with pytest.raises(ValueError, match="Received: validation data"):
            gan.fit(images(), **option)


@pytest.mark.parametrize("form", ["array", "dictionary", "dataset", "generator"])
@pytest.mark.parametrize(
    "wrong, received",
    [
        ((images() * 127.5 + 127.5).astype(np.uint8), "uint8 from 0 to 25"),
        (images() * 127.5 + 127.5, "float32 from 0.0"),
    ],
)
def test_images_of_another_range_are_refused_before_anything_is_learnt(form, wrong, received):
    import tensorflow as tf

    gan = plain()
    gan.compile()
    x = {"images": wrong} if form == "dictionary" else wrong
    if form == "dataset":
        x = tf.data.Dataset.from_tensor_slices(wrong).batch(4)
    if form == "generator":
        x = ((wrong[i : i + 4],) for i in (0, 4))
    with pytest.raises(ValueError, match=rf"float32 in \[-1, 1\]\. Received: {received}"):
        gan.fit(x, batch_size=4, verbose=0)
    assert int(gan.steps_done.numpy()) == 0


def test_a_generator_is_fitted_on_from_its_first_batch_on():
    gan = plain()
    gan.compile(run_eagerly=True)
    batches = ((images(seed, 4),) for seed in range(3))
    gan.fit(batches, verbose=0, shuffle=False)
    assert int(gan.steps_done.numpy()) == 3


def test_drawing_with_a_gan_is_drawing_with_its_average():
    gan = labelled(ema_half_life=1.0)
    gan.compile(run_eagerly=True)
    fit(gan)
    drawn = tfanime.generate(gan, n=3, seed=5, tags={"hair": "blue"})
    assert drawn.tags[0]["hair"] == "blue" and drawn.images.shape == (3, 16, 16, 3)
    from tfanime.core.images import to_uint8
    from tfanime.core.labels import to_signed

    expected = to_uint8(np.asarray(gan([drawn.latents, to_signed(drawn.labels)])))
    assert np.abs(drawn.images.astype(int) - expected).max() <= 1
    unnamed = gans.GAN(
        dcgan.generator(16, 16, latent_dim=8, label_dim=2, channels=4),
        dcgan.discriminator(16, 16, label_dim=2, channels=4),
    )
    with pytest.raises(ValueError, match="a GAN made without a schema"):
        tfanime.generate(unnamed, n=1)
