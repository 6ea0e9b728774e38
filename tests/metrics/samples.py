"""The arrays of the stored golden values.

The values were computed by torch-fidelity 0.4.0, clean-fid 0.1.35, pytorch-fid 0.3.0 and prdc 0.2
(torch 2.15.0, numpy 2.4.6) from these very arrays, float64, so that the tests need no torch.
`RandomState` draws the same numbers in every version of numpy.
"""

from __future__ import annotations

import numpy as np


def gaussian(count: int, shift: float, seed: int, d: int) -> np.ndarray:
    """`(count, d)` float64, rounded to float32."""
    values = np.random.RandomState(seed).standard_normal((count, d)) * np.linspace(0.2, 2, d)
    return (values + shift).astype(np.float32).astype(np.float64)


def many() -> tuple[np.ndarray, np.ndarray]:
    """More pictures than features."""
    return gaussian(300, 0.0, 1, 16), gaussian(250, 0.3, 2, 16)


def few() -> tuple[np.ndarray, np.ndarray]:
    """Fewer pictures than features."""
    return gaussian(20, 0.0, 1, 40), gaussian(30, 0.3, 2, 40)


def pictures(count: int, size: int = 16, seed: int = 0) -> np.ndarray:
    """`(count, size, size, 3)` uint8 noise."""
    random = np.random.RandomState(seed)
    return random.randint(0, 256, (count, size, size, 3)).astype(np.uint8)
