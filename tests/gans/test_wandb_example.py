"""The example of docs/hub.md for Weights & Biases, with a stub in its place."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import keras
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_callback_is_told_the_losses(tmp_path, monkeypatch):
    told, begun = [], []

    class WandbMetricsLogger(keras.callbacks.Callback):
        def __init__(self, log_freq):
            super().__init__()
            assert log_freq == 10

        def on_train_batch_end(self, batch, logs=None):
            told.append(logs)

        def on_epoch_end(self, epoch, logs=None):
            told.append(logs)

    for name in ("wandb", "wandb.integration", "wandb.integration.keras"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["wandb"].init = lambda **options: begun.append(options)
    sys.modules["wandb.integration.keras"].WandbMetricsLogger = WandbMetricsLogger
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path))
    page = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
    exec(re.search(r"```python\n(.*?)```", page, re.S)[1], {})
    assert begun == [{"project": "faces"}]
    assert len(told) == 2 * (4 + 1)  # 64 images in batches of 16, and the epoch itself
    assert all(float(logs["d_loss"]) > 0 and float(logs["g_loss"]) > 0 for logs in told)
