"""The tagger's loss against hand-computed values."""

import numpy as np
import pytest

from tfanime.core.labels import Field, LabelSchema
from tfanime.models import tagger

SCHEMA = LabelSchema(
    (Field("hair", "group", ("red", "blue")), Field("smile", "flag"), Field("hat", "flag"))
)


def test_labels_probabilities_and_what_is_not_known():
    logits = np.log(np.array([[3, 1, 2, 1], [3, 1, 2, 4], [3, 1, 2, 4]], np.float32))
    targets = np.array([[0, 1, 1, -1], [-1, -1, -1, 0.25], [0.5, 0.5, 0, -1]], np.float32)
    found = np.asarray(tagger.loss(SCHEMA, targets, logits))
    # The softmax is 3/4 and 1/4; the sigmoids of log 2 and log 4 are 2/3 and 4/5.
    expected = [
        -np.log(1 / 4) - np.log(2 / 3),
        -0.25 * np.log(4 / 5) - 0.75 * np.log(1 / 5),
        -0.5 * np.log(3 / 4) - 0.5 * np.log(1 / 4) - np.log(1 / 3),
    ]
    assert found == pytest.approx(expected, rel=1e-6)
    assert found.shape == (3,)
