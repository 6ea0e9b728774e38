"""Losses against golden values and independent NumPy formulas."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfanime.core.labels import Field, LabelSchema
from tfanime.gans import losses

REAL = np.array([-5.0, 1.4, 12.5, 2.7], np.float32)
FAKE = np.array([10.0, 4.4, -5.5, 3.6], np.float32)

# Five decimals. The discriminator's minimax loss is also the non-saturating one.
GOLDEN = {
    "non_saturating": (5.83387, 1.38582),
    "minimax": (5.83387, None),
    "least_squares": (41.73375, 17.69625),
    "wasserstein": (0.225, -3.125),
    "hinge": (6.75, -3.125),
    "relativistic": (4.82244, 4.59744),
}


def log_sigmoid(x):
    """log s(x) in float64, exact for any x."""
    return -np.logaddexp(0.0, -np.asarray(x, np.float64))


# Written from the papers, not from the code: name -> (discriminator, generator).
NUMPY = {
    "non_saturating": (
        lambda r, f: -log_sigmoid(r).mean() - log_sigmoid(-f).mean(),
        lambda r, f: -log_sigmoid(f).mean(),
    ),
    "minimax": (
        lambda r, f: -log_sigmoid(r).mean() - log_sigmoid(-f).mean(),
        lambda r, f: log_sigmoid(-f).mean(),
    ),
    "least_squares": (
        lambda r, f: 0.5 * ((r - 1) ** 2).mean() + 0.5 * (f**2).mean(),
        lambda r, f: 0.5 * ((f - 1) ** 2).mean(),
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
    "hinge": (
        lambda r, f: np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + f).mean(),
        lambda r, f: -f.mean(),
    ),
    "relativistic": (
        lambda r, f: -log_sigmoid(r - f).mean(),
        lambda r, f: -log_sigmoid(f - r).mean(),
    ),
}


def test_every_loss_is_tested():
    assert set(GOLDEN) == set(NUMPY) == set(losses.LOSSES)


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_golden_values(name, shape):
    pair = losses.get(name)
    d_loss, g_loss = GOLDEN[name]
    found = pair.discriminator(REAL.reshape(shape), FAKE.reshape(shape))
    assert found.shape == () and found.dtype == tf.float32
    np.testing.assert_allclose(found, d_loss, atol=5e-6, rtol=0)
    if g_loss is not None:
        found = pair.generator(FAKE.reshape(shape), REAL.reshape(shape))
        np.testing.assert_allclose(found, g_loss, atol=5e-6, rtol=0)


@pytest.mark.parametrize("name", NUMPY)
def test_against_numpy(name):
    pair = losses.get(name)
    for scale in (0.1, 1.0, 20.0):
        rng = np.random.default_rng(3)
        real, fake = (scale * rng.standard_normal((64, 1)).astype(np.float32) for _ in range(2))
        exact = (real.astype(np.float64), fake.astype(np.float64))
        d_loss, g_loss = NUMPY[name][0](*exact), NUMPY[name][1](*exact)
        np.testing.assert_allclose(pair.discriminator(real, fake), d_loss, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(pair.generator(fake, real), g_loss, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NUMPY)
@pytest.mark.parametrize("real, fake", [(50.0, -50.0), (-50.0, 50.0), (50.0, 50.0), (0.0, 0.0)])
def test_extreme_logits_keep_value_and_gradient(name, real, fake):
    pair = losses.get(name)
    real, fake = tf.fill([3, 1], real), tf.fill([3, 1], fake)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        d_loss, g_loss = pair.discriminator(real, fake), pair.generator(fake, real)
    exact = real.numpy().astype(np.float64), fake.numpy().astype(np.float64)
    np.testing.assert_allclose(d_loss, NUMPY[name][0](*exact), rtol=1e-6, atol=1e-20)
    np.testing.assert_allclose(g_loss, NUMPY[name][1](*exact), rtol=1e-6, atol=1e-20)
    for gradient in (*tape.gradient(d_loss, [real, fake]), tape.gradient(g_loss, fake)):
        assert np.isfinite(gradient).all()


def test_the_non_saturating_loss_still_teaches_where_minimax_does_not():
    fake = tf.fill([1, 1], -20.0)  # the discriminator is sure that it is a fake
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake)
        strong = losses.non_saturating_generator_loss(fake)
        weak = losses.minimax_generator_loss(fake)
    np.testing.assert_allclose(tape.gradient(strong, fake), [[-1.0]], atol=1e-6)
    assert -1e-8 < float(tape.gradient(weak, fake)[0, 0]) < 0


@pytest.mark.parametrize("name", NUMPY)
def test_bfloat16_logits_are_widened_first(name):
    rng = np.random.default_rng(0)
    real, fake = (
        tf.cast(rng.normal(2, 4, (256, 1)).astype(np.float32), tf.bfloat16) for _ in range(2)
    )
    pair = losses.get(name)
    d_loss, g_loss = pair.discriminator(real, fake), pair.generator(fake, real)
    assert d_loss.dtype == g_loss.dtype == pair.score(real).dtype == tf.float32
    # Computed in bfloat16 the relative error would be about 4e-3.
    exact = tf.cast(real, tf.float64).numpy(), tf.cast(fake, tf.float64).numpy()
    np.testing.assert_allclose(d_loss, NUMPY[name][0](*exact), rtol=1e-5)
    np.testing.assert_allclose(g_loss, NUMPY[name][1](*exact), rtol=1e-5)


def test_only_the_relativistic_generator_sees_real_logits():
    real = tf.constant([[0.5], [-2.0]])
    for pair in losses.LOSSES.values():
        with tf.GradientTape() as tape:
            tape.watch(real)
            loss = pair.generator(tf.constant([[1.0], [3.0]]), real)
        assert (tape.gradient(loss, real) is not None) == pair.paired
    assert [name for name, pair in losses.LOSSES.items() if pair.paired] == ["relativistic"]


def test_a_generator_that_is_as_real_as_the_real_ones_pays_log_2():
    pair, logits = losses.get("relativistic"), REAL.reshape(4, 1)
    np.testing.assert_allclose(pair.generator(logits, logits), np.log(2), rtol=1e-6)
    np.testing.assert_allclose(pair.discriminator(logits, logits), np.log(2), rtol=1e-6)


@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_weights_of_pictures(name):
    """Equal ones change nothing; 0 and 1 leave the mean of those that count."""
    pair = losses.get(name)
    fake, real = (tf.reshape(x, (4, 1)) for x in (FAKE, REAL))
    whole = pair.generator(fake, real)
    np.testing.assert_allclose(pair.generator(fake, real, weights=tf.ones(4)), whole, rtol=1e-6)
    some = pair.generator(fake, real, weights=tf.constant([1.0, 0.0, 1.0, 0.0]))
    chosen = pair.generator(tf.gather(fake, [0, 2]), tf.gather(real, [0, 2]))
    np.testing.assert_allclose(some, chosen, rtol=1e-6)


@pytest.mark.parametrize(
    "share, kept",
    [(1.0, [1, 1, 1, 1]), (0.5, [1, 1, 0, 0]), (0.6, [1, 1, 0, 1]), (0.01, [1, 0, 0, 0])],
)
def test_top_weights_keep_what_looks_most_real(share, kept):
    np.testing.assert_array_equal(losses.top_weights(FAKE, share), kept)  # 10, 4.4, -5.5, 3.6
    patches = np.stack([FAKE - 1, FAKE + 1], axis=1)
    np.testing.assert_array_equal(losses.top_weights(patches, tf.constant(share)), kept)
    assert losses.top_weights(np.zeros((10, 1), np.float32), 0.3).numpy().sum() == 3  # equals


def test_lecam_by_hand():
    # (1 - 0.5)^2, (3 - 0.5)^2 and (2 + 1)^2, (0 + 1)^2.
    real, fake = tf.constant([[1.0], [3.0]]), tf.constant([[2.0], [0.0]])
    assert float(losses.lecam_penalty(real, fake, -1.0, 0.5)) == pytest.approx(3.25 + 5.0)


@pytest.mark.parametrize("name", ["non_saturating", "minimax"])
def test_label_smoothing_of_the_cross_entropy(name):
    smooth = 0.1
    expected = (
        -(1 - smooth) * log_sigmoid(REAL).mean()
        - smooth * log_sigmoid(-REAL).mean()
        - log_sigmoid(-FAKE).mean()  # one-sided: fakes keep the target 0
    )
    found = losses.get(name).discriminator(REAL, FAKE, label_smoothing=smooth)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_label_smoothing_of_least_squares():
    expected = 0.5 * np.square(REAL - 0.9).mean() + 0.5 * np.square(FAKE).mean()
    found = losses.least_squares_discriminator_loss(REAL, FAKE, label_smoothing=0.1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["wasserstein", "hinge"])
def test_losses_without_targets_refuse_smoothing(name):
    with pytest.raises(ValueError, match=f"{name} loss has none. Received: 0.1"):
        losses.get(name).discriminator(REAL, FAKE, label_smoothing=0.1)


def test_score_is_a_probability_only_where_it_is_one():
    np.testing.assert_allclose(
        losses.get("non_saturating").score(REAL), (1 / (1 + np.exp(-REAL))).mean(), rtol=1e-6
    )
    np.testing.assert_allclose(losses.get("wasserstein").score(REAL), REAL.mean(), rtol=1e-6)


def test_get_lists_the_known_losses():
    with pytest.raises(ValueError, match="non_saturating, .*hinge, relativistic. Received: 'bce'"):
        losses.get("bce")
    assert losses.get(losses.LOSSES["hinge"]) is losses.LOSSES["hinge"]


# ---- labels --------------------------------------------------------------------------------

SCHEMA = LabelSchema(
    (
        Field("hair", "group", ("red", "blue", "green")),
        Field("smile", "flag"),
        Field("year", "value", low=1990, high=2010),
    )
)
OUTPUTS = np.array([[0.5, -1.0, 2.0, 0.7, 0.3], [60.0, -60.0, 0.0, -50.0, -4.0]], np.float32)


def by_hand(outputs, hair, smile, year):
    """-log P of one sample; None for what is not known."""
    total, x = 0.0, outputs.astype(np.float64)
    if hair is not None:
        total -= x[hair] - np.log(np.exp(x[:3]).sum())
    if smile is not None:
        total -= log_sigmoid(x[3] if smile else -x[3])
    if year is not None:
        total += 0.5 * (np.tanh(x[4]) - year) ** 2
    return total


def test_label_loss_by_hand():
    labels = np.array([[-1, 1, -1, 1, 0.5], [1, -1, -1, -1, -0.9]], np.float32)
    expected = (by_hand(OUTPUTS[0], 1, True, 0.5) + by_hand(OUTPUTS[1], 0, False, -0.9)) / 2
    found = losses.label_loss(OUTPUTS, labels, SCHEMA)
    assert found.dtype == tf.float32 and found.shape == ()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_unknown_labels_add_nothing():
    labels = np.array([[0, 0, 0, 1, 0], [1, -1, -1, 0, -0.9]], np.float32)
    expected = (by_hand(OUTPUTS[0], None, True, None) + by_hand(OUTPUTS[1], 0, None, -0.9)) / 2
    outputs = tf.constant(OUTPUTS)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        found = losses.label_loss(outputs, labels, SCHEMA)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    gradient = tape.gradient(found, outputs).numpy()
    assert (gradient[0, [0, 1, 2, 4]] == 0).all() and gradient[1, 3] == 0
    assert gradient[0, 3] != 0 and gradient[1, 4] != 0


def test_multilabel_has_a_sigmoid_per_column():
    labels = np.array([[-1, 1, -1, 1, 0.5], [0, 0, 0, -1, 0]], np.float32)
    x = OUTPUTS.astype(np.float64)
    expected = -log_sigmoid([-x[0, 0], x[0, 1], -x[0, 2], x[0, 3]]).sum()
    expected += 0.5 * (np.tanh(x[0, 4]) - 0.5) ** 2
    expected -= log_sigmoid(-x[1, 3])
    found = losses.label_loss(OUTPUTS, labels, SCHEMA, multilabel=True)
    np.testing.assert_allclose(found, expected / 2, rtol=1e-6)


def test_a_sure_head_knows_the_information_bound():
    # InfoGAN, eq. 5: H(c) - E[-log Q(c|x)] is 0 for an ignorant head and H(c) for a perfect one.
    code = LabelSchema((Field("code", "group", tuple("abcd")),))
    labels = 2 * np.eye(4, dtype=np.float32) - 1
    ignorant = losses.label_loss(np.zeros((4, 4), np.float32), labels, code)
    perfect = losses.label_loss(50 * labels, labels, code)
    np.testing.assert_allclose(np.log(4) - ignorant, 0.0, atol=1e-6)
    np.testing.assert_allclose(np.log(4) - perfect, np.log(4), atol=1e-6)


def test_label_loss_widens_bfloat16():
    outputs = tf.cast(OUTPUTS, tf.bfloat16)
    labels = np.array([[-1, 1, -1, 1, 0.5], [1, -1, -1, -1, -0.9]], np.float32)
    found = losses.label_loss(outputs, labels, SCHEMA)
    assert found.dtype == tf.float32
    exact = tf.cast(outputs, tf.float64).numpy()
    expected = (by_hand(exact[0], 1, True, 0.5) + by_hand(exact[1], 0, False, -0.9)) / 2
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_label_loss_of_a_vector_by_hand():
    schema = LabelSchema((Field("smile", "flag"), Field("plot", "vector", length=2)))
    outputs = np.float32([[0.0, 1.0, -2.0], [0.0, 3.0, 1.0]])
    labels = np.float32([[0.0, 2.0, -2.5], [0.0, 0.0, 0.0]])
    # Half the squared distance; what is not known adds nothing.
    expected = 0.5 * ((1 - 2) ** 2 + (-2 + 2.5) ** 2) / 2
    found = losses.label_loss(outputs, labels, schema, vector_loss="squared")
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def matching_by_hand(x, y):
    """Pair by pair in float64, written from the formula; rows of zeros take no part."""
    x, y = np.float64(x), np.float64(y)
    losses_of, there = np.zeros(len(x)), [i for i in range(len(x)) if y[i].any()]
    agreement = {(i, j): x[i] @ y[j] / np.sqrt(x.shape[1]) for i in there for j in there}
    for i in there:
        to_vectors = np.logaddexp.reduce([agreement[i, j] for j in there])
        to_pictures = np.logaddexp.reduce([agreement[j, i] for j in there])
        losses_of[i] = 0.5 * (to_vectors + to_pictures) - agreement[i, i]
    return losses_of


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_matching_against_numpy(scale):
    random = np.random.default_rng(5)
    x = (scale * random.standard_normal((12, 7))).astype(np.float32)
    y = random.standard_normal((12, 7)).astype(np.float32)
    y[[3, 8]] = 0.0
    found = losses.matching_loss(x, y)
    assert found.shape == (12,) and found.dtype == tf.float32
    np.testing.assert_allclose(found, matching_by_hand(x, y), rtol=1e-6, atol=1e-6 * scale)
    assert (found.numpy()[[3, 8]] == 0).all()


def test_matching_where_the_answer_is_known():
    eye = np.eye(4, dtype=np.float32)
    guess, sure = losses.matching_loss(0 * eye, eye), losses.matching_loss(100 * eye, eye)
    np.testing.assert_allclose(guess, np.log(4), rtol=1e-6)
    np.testing.assert_allclose(sure, 0.0, atol=1e-6)
    # s_ii is c/2 and all others are 0: -log(e / (e + 3)).
    c = np.float32(2.0 * np.log(3.0))
    np.testing.assert_allclose(losses.matching_loss(c * eye, eye), np.log(2), rtol=1e-6)
    # Two texts that are the same: one is as good as the other.
    twins = eye[[0, 0, 1, 2]]
    found = losses.matching_loss(100 * twins, twins)
    np.testing.assert_allclose(found, [np.log(2), np.log(2), 0, 0], atol=1e-6)
    np.testing.assert_allclose(losses.matching_loss(eye[:1], eye[:1]), [0.0], atol=0)


def test_matching_teaches_nothing_about_what_is_not_known():
    random = np.random.default_rng(6)
    outputs = tf.constant(random.standard_normal((5, 3)), tf.float32)
    labels = random.standard_normal((5, 3)).astype(np.float32)
    labels[2] = 0.0
    schema = LabelSchema((Field("plot", "vector", length=3),))
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        found = losses.label_loss(outputs, labels, schema)
    np.testing.assert_allclose(found, matching_by_hand(outputs, labels).mean(), rtol=1e-6)
    gradient = tape.gradient(found, outputs).numpy()
    assert (gradient[2] == 0).all() and (np.abs(np.delete(gradient, 2, 0)).max(1) > 1e-3).all()
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        nothing = losses.label_loss(outputs, 0 * labels, schema)
    assert float(nothing) == 0 and (tape.gradient(nothing, outputs).numpy() == 0).all()


def test_texts_that_are_matched_join_the_other_labels():
    schema = LabelSchema((Field("smile", "flag"), Field("plot", "vector", length=2)))
    outputs = np.float32([[0.5, 1.0, -2.0], [-1.0, 3.0, 1.0]])
    labels = np.float32([[1.0, 2.0, -2.5], [-1.0, 1.0, 0.5]])
    flags = -log_sigmoid([0.5, 1.0])
    expected = (flags + matching_by_hand(outputs[:, 1:], labels[:, 1:])).mean()
    np.testing.assert_allclose(losses.label_loss(outputs, labels, schema), expected, rtol=1e-6)
