"""`Sampler`: what everybody draws through."""

from types import SimpleNamespace

import numpy as np
import pytest

from tfanime.core import seeds
from tfanime.core.labels import Field, LabelSchema, to_signed
from tfanime.sampling.sampler import CHUNK, Sampler

SCHEMA = LabelSchema((Field("hair", "group", ("red", "blue")), Field("hat", "flag")))


class Recorder:
    """A generator whose image says which latents and labels it was given, and in which row."""

    latent_dim, name = 3, "recorder"

    def __init__(self, schema):
        self.schema, self.calls = schema, []

    def __call__(self, latents, labels=None):
        self.calls.append((latents, labels))
        rows = np.arange(len(latents)) / len(latents)
        image = np.stack([latents[:, 0] / 8, rows, np.zeros(len(rows))], axis=-1)
        return image[:, None, None].astype(np.float32)


def test_every_call_has_a_whole_chunk_and_an_image_its_own_row():
    generator = Recorder(None)
    z = seeds.latents(7, 21, 3, first=5)
    parts = list(Sampler(generator).parts(z, first=5))
    assert [len(latents) for latents, _ in generator.calls] == [CHUNK] * len(generator.calls)
    assert [low for low, _ in parts] == [0, 3, 11, 19]
    drawn = np.concatenate([part for _, part in parts])[:, 0, 0]
    np.testing.assert_allclose(drawn[:, 0], z[:, 0] / 8, rtol=1e-6)
    np.testing.assert_allclose(drawn[:, 1], (np.arange(5, 26) % CHUNK) / CHUNK)


def test_labels_reach_the_network_in_its_own_coding():
    generator = Recorder(SCHEMA)
    rows = np.array([[0, 1, np.nan], [1, 0, 0]], np.float32)
    z, signed = Sampler(generator).inputs(3, 2, rows)
    np.testing.assert_array_equal(z, seeds.latents(3, 2, 3))
    np.testing.assert_array_equal(signed, to_signed(seeds.sample_labels(3, 2, SCHEMA, rows=rows)))
    assert signed[0, :2].tolist() == [-1, 1] and abs(signed[0, 2]) == 1
    Sampler(generator).images(3, 2, rows)
    np.testing.assert_array_equal(generator.calls[0][1][:2], signed)


def test_labels_may_come_in_the_coding_that_people_write():
    rows = np.array([[0, 1, 0.5], [1, 0, np.nan]], np.float32)
    z = seeds.latents(3, 2, 3)
    for draw in (Sampler.decode, Sampler.values, lambda *a, **o: list(Sampler.parts(*a, **o))):
        generator = Recorder(SCHEMA)
        draw(Sampler(generator), z, labels=rows)
        labels = generator.calls[0][1][:2]
        np.testing.assert_allclose(labels, [[-1, 1, 0], [1, -1, 0]], atol=1e-6)
        assert labels[0, 2] != 0 == labels[1, 2]  # known to be in the middle; not known


def test_what_is_not_finite_is_drawn_as_something():
    generator = SimpleNamespace(latent_dim=1, schema=None)
    draw = Sampler(generator)
    draw.generator = lambda z, _: np.full((len(z), 1, 1, 3), np.nan, np.float32)
    assert draw.images(0, 1).tolist() == [[[[128, 128, 128]]]]


def test_labels_of_a_generator_without_any_are_refused():
    draw = Sampler(Recorder(None))
    assert draw.labels(0, 2) is None
    with pytest.raises(ValueError, match=r"Received: \{'hair': 'blue'\}\. Leave them out"):
        draw.labels(0, 2, {"hair": "blue"})
    with pytest.raises(ValueError, match="Received: label rows"):
        draw.labels(0, 2, rows=np.zeros((2, 3), np.float32))
