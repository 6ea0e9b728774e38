"""Paths between latents, and truncation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tfanime.core import seeds

# ---- transitions and truncation ----------------------------------------------------------------


def test_slerp_between_axes_by_hand():
    t = np.asarray([0, 1 / 3, 0.5, 1])
    arc = seeds.slerp([1, 0], [0, 1], t)
    expected = np.stack((np.cos(t * np.pi / 2), np.sin(t * np.pi / 2)), axis=1)
    np.testing.assert_allclose(arc, expected, atol=1e-7)


def test_slerp_keeps_angle_and_length_on_straight_lines():
    a, b = seeds.latents(1, 2, 100).astype(np.float64) * [[1], [2]]
    t = np.linspace(0, 1, 11)
    arc = seeds.slerp(a, b, t).astype(np.float64)
    length = np.linalg.norm(arc, axis=1)
    np.testing.assert_allclose(length, (1 - t) * length[0] + t * length[-1], rtol=1e-6)
    whole = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    angle = np.arccos(np.clip(arc @ a / np.linalg.norm(a) / length, -1, 1))
    np.testing.assert_allclose(angle, t * whole, atol=1e-3)
    assert (arc[[0, -1]] == np.float32([a, b])).all()


@pytest.mark.parametrize("b", [[1, 2], [2, 4], [-1, -2], [0, 0], [1, 2 + 1e-9]])
def test_slerp_of_parallel_opposite_and_zero_vectors_is_the_straight_line(b):
    t = np.linspace(0, 1, 5)
    np.testing.assert_array_equal(seeds.slerp([1, 2], b, t), seeds.lerp([1, 2], b, t))
    assert np.isfinite(seeds.slerp(b, [1, 2], t)).all()


def test_slerp_joins_the_straight_line_smoothly():
    t = np.linspace(0, 1, 7)
    a, nearly = np.asarray([1.0, 0]), np.asarray([1.0, 2e-6])
    np.testing.assert_allclose(seeds.slerp(a, nearly, t), seeds.lerp(a, nearly, t), atol=1e-9)


def test_truncation_scales():
    z = seeds.latents(1, 3, 4)
    np.testing.assert_array_equal(seeds.truncate(z, 0.5), z / 2)
    np.testing.assert_array_equal(seeds.truncate(z, 0), np.zeros_like(z))
    assert seeds.truncate(z, 1).dtype == np.float32


def test_truncation_towards_a_typical_latent_keeps_lengths():
    z, typical = seeds.latents(1, 3, 64), seeds.latents(2, 1, 64)[0]
    np.testing.assert_array_equal(seeds.truncate(z, 1, typical), z)
    np.testing.assert_array_equal(seeds.truncate(z, 1.5, typical), z * np.float32(1.5))
    np.testing.assert_allclose(seeds.truncate(z, 0, typical), np.stack([typical] * 3), atol=1e-6)
    half = seeds.truncate(z, 0.5, typical)
    assert half.dtype == np.float32
    lengths = [np.linalg.norm(x, axis=-1) for x in (half, z, typical)]
    np.testing.assert_allclose(lengths[0], (lengths[1] + lengths[2]) / 2, rtol=1e-5)
    # Half way, each is as far from one end as from the other.
    cosines = [np.sum(half * end, axis=-1) / np.linalg.norm(end, axis=-1) for end in (z, typical)]
    np.testing.assert_allclose(cosines[0], cosines[1], rtol=1e-4)


@pytest.mark.parametrize("truncation", [-0.1, 2.1, math.nan, math.inf, "1", None])
def test_a_bad_truncation_is_refused(truncation):
    with pytest.raises(ValueError, match="truncation is a number from 0 to 2"):
        seeds.truncate(np.ones(3, np.float32), truncation)
