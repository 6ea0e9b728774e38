"""TensorFlow's own command line runs what is exported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tiny_models import HEIGHT, WIDTH

import tfanime

# ---- the official command line -------------------------------------------------------------------


SAVED_MODEL_CLI = """
import sys
from tensorflow.python.tools.saved_model_cli import main
for words in {lines}:
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as end:
        assert not end.code
    print("==== said")
"""


def saved_model_cli(*lines):
    """What the tool prints for each, in one process: it starts for far longer than it works."""
    code = SAVED_MODEL_CLI.format(lines=lines)
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split("==== said\n")[: len(lines)]


@pytest.mark.slow
def test_saved_model_cli(exported, runs):
    path = str(exported[1].path)
    asked = "seed=[7];n=[2];first=[0];truncation=[1.0];tags=['hair=blue']"
    shown, said = saved_model_cli(
        ["show", "--dir", path, "--all"],
        ["run", "--dir", path, "--tag_set", "serve", "--signature_def", "generate",
         "--input_exprs", asked],
    )  # fmt: skip
    for name in exported[1].signatures:
        assert f"signature_def['{name}']" in shown
    assert "Result for output key png_bytes" in said
    drawn = tfanime.generate(runs / "girls", n=2, seed=7, tags={"hair": "blue"})
    assert f"{drawn.latents[0, 0]:.6f}"[:7] in said
    assert drawn.images.shape[1:3] == (HEIGHT, WIDTH)
