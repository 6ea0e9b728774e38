"""What scripts/train_tagger.py does to pictures and targets."""

import numpy as np
import pytest

from tests import scripts
from tfanime.labels import MAKEGIRLSMOE

COLUMN = MAKEGIRLSMOE.columns.index


@pytest.fixture(scope="module")
def script():
    return scripts.load("train_tagger")


def test_frequencies_are_set_right_and_the_order_stays(script):
    probabilities = np.random.default_rng(0).uniform(0, 1, (500, MAKEGIRLSMOE.size))
    found = script.aligned(probabilities)
    for name, wanted in (("hat", 0.045), ("glasses", 0.054)):
        before, after = probabilities[:, COLUMN(name)], found[:, COLUMN(name)]
        assert after.mean() == pytest.approx(wanted, abs=1e-5)
        offset = np.log(after / (1 - after)) - np.log(before / (1 - before))
        assert np.ptp(offset) < 1e-3
    same = [COLUMN("smile"), COLUMN("blue_hair")]
    assert np.array_equal(found[:, same], probabilities[:, same].astype(np.float32))


def test_labels_that_are_not_known_stay_so(script):
    labels = np.array([[1, 0, np.nan]])
    assert script.targets_of(labels).tolist() == [[1, 0, -1]]


def test_cutting_out(script):
    pictures = np.zeros((2, 128, 128, 3), np.uint8)
    pictures[1, 32:96, 64:] = 200  # from a quarter to three quarters, right half
    found = script.cut_out(pictures, (0.25, 0.25, 0.75, 0.75))
    assert found.shape == (2, 64, 64, 3) and found.dtype == np.uint8
    assert not found[0].any()
    assert (found[1, :, :31] == 0).all() and (found[1, :, 33:] == 200).all()
    whole = pictures[:, ::2, ::2]
    assert script.cut_out(whole, (0.0, 0.0, 1.0, 1.0)) is whole
