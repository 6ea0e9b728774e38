"""What the training tests compare runs by."""

import numpy as np


def arrays_of(checkpoint):
    with np.load(checkpoint / "state.npz") as stored:
        return {name: stored[name] for name in stored.files}


def assert_same_bits(one, other):
    one, other = arrays_of(one), arrays_of(other)
    assert set(one) == set(other)
    different = [name for name in one if one[name].tobytes() != other[name].tobytes()]
    assert different == []
