"""The convolutions of the site are those of NumPy, in one memory whose places are used again; and
how many threads compute changes no bit of them."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

TWIN = Path(__file__).with_name("winograd_twin.mjs")
SIDES = [  # height, width, channels, outputs
    (2, 2, 4, 4),  # one tile, of the four that are computed at a time; half of eight outputs
    (4, 6, 8, 12),
    (16, 16, 20, 8),  # a block to the number
    (18, 12, 4, 16),  # two blocks, the second smaller
    (6, 140, 4, 8),  # a row wider than a block
    (4, 6, 8, 12),  # the first one's place, which holds another filter by now
    (18, 16, 64, 64),  # rows of tiles that threads share, nine among four
]


def test_convolutions_are_numpys():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the site's convolutions cannot run")
    random, questions, expected = np.random.default_rng(0), [], []
    for height, width, channels, outputs in SIDES:
        x, kernel = (
            random.normal(size=(height, width, channels)),
            random.normal(size=(3, 3, channels, outputs)),
        )
        bias, slope = random.normal(size=(2, outputs))
        slope[:2] = 0, 1  # a rectifier, and none
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(x, ((1, 1), (1, 1), (0, 0))), (3, 3), axis=(0, 1)
        )
        y = np.einsum("yxcij,ijco->yxo", windows, kernel) + bias
        expected.append(np.where(y > 0, y, slope * y).ravel())
        sides = {"height": height, "width": width, "channels": channels, "outputs": outputs}
        arrays = {"x": x, "kernel": kernel, "bias": bias, "slope": slope}
        questions.append(sides | {name: one.ravel().tolist() for name, one in arrays.items()})
    done = subprocess.run(
        [node, str(TWIN)], input=json.dumps(questions), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert answers["plain"] == answers["shared"]  # to the bit
    for answer in answers.values():
        for found, right in zip(answer, expected, strict=True):
            np.testing.assert_allclose(found, right, rtol=0, atol=1e-4)
