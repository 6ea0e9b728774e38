from __future__ import annotations

import numpy as np
import pytest
from samples import gaussian, pictures

from tfanime.metrics import mean_feature_distance, mean_ms_ssim, ms_ssim
from tfanime.metrics.diversity import WEIGHTS, ssim


@pytest.mark.parametrize(("size", "scales"), [(11, 1), (43, 2), (64, 3), (176, 5)])
def test_agrees_with_tensorflow(size, scales):
    import tensorflow as tf

    a = pictures(3, size, seed=1)
    b = (a // 2 + pictures(3, size, seed=2) // 3).astype(np.uint8)
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    expected = tf.image.ssim_multiscale(a, b, 255, power_factors=weights.tolist())
    np.testing.assert_allclose(ms_ssim(a, b), expected, rtol=2e-4)


def test_ssim_agrees_with_tensorflow():
    import tensorflow as tf

    a, b = pictures(3, 40, seed=1), pictures(3, 40, seed=2)
    b = (a // 2 + b // 3).astype(np.uint8)
    np.testing.assert_allclose(ssim(a, b), tf.image.ssim(a, b, 255), rtol=2e-4)


def test_equal_pictures_are_fully_similar():
    a = pictures(4, 64)
    np.testing.assert_allclose(ssim(a, a), 1)
    np.testing.assert_allclose(ms_ssim(a, a), 1)
    assert mean_ms_ssim(np.repeat(a[:1], 6, axis=0)) == pytest.approx(1)


def test_the_mean_goes_over_all_pairs_or_as_many_as_asked():
    x = pictures(5, 16)
    first, second = np.triu_indices(5, 1)
    assert mean_ms_ssim(x) == pytest.approx(ms_ssim(x[first], x[second]).mean())
    assert mean_ms_ssim(x, pairs=4, seed=1) == mean_ms_ssim(x, pairs=4, seed=1)
    assert mean_ms_ssim(x, pairs=4, seed=1) != mean_ms_ssim(x, pairs=4, seed=2)


def test_a_collapsed_set_is_less_diverse():
    varied = np.stack([np.full((32, 32, 3), 10 * i) for i in range(20)]).astype(np.uint8)
    varied[:, :16] = 255 - varied[:, :16]
    collapsed = varied[5:6] // 2 + pictures(20, 32) // 128
    assert mean_ms_ssim(collapsed) > mean_ms_ssim(varied) + 0.1
    rows = [x.reshape(20, -1) / 255.0 for x in (collapsed, varied)]
    assert mean_feature_distance(rows[0]) < mean_feature_distance(rows[1])


def test_mean_feature_distance_is_the_mean_of_all_pairs():
    x = gaussian(30, 5, 1, 7)
    first, second = np.triu_indices(30, 1)
    expected = np.linalg.norm(x[first] - x[second], axis=1).mean()
    assert mean_feature_distance(x) == pytest.approx(expected, rel=1e-12)
    assert mean_feature_distance(np.ones((3, 4))) == 0


def test_wrong_sets_are_named():
    with pytest.raises(ValueError, match="at least 11 x 11"):
        ms_ssim(pictures(1, 10), pictures(1, 10))
    with pytest.raises(ValueError, match="equal shapes"):
        ms_ssim(pictures(1, 16), pictures(2, 16))
    with pytest.raises(ValueError, match="at least 2 images. Received: 1"):
        mean_ms_ssim(pictures(1, 16))
    with pytest.raises(ValueError, match="pairs must be at least 1"):
        mean_ms_ssim(pictures(3, 16), pairs=0)
    with pytest.raises(ValueError, match="at least 2 images. Received: 1"):
        mean_feature_distance(np.zeros((1, 4)))
    with pytest.raises(ValueError, match="finite"):
        mean_feature_distance(np.full((2, 4), np.nan))
