"""Quality during training: what is kept, and that a resumed run goes on as if nothing happened."""

import types

import numpy as np
import pytest
from runs import assert_same_bits

from tfanime.core.files import read_json, write_json
from tfanime.core.labels import to_signed
from tfanime.evaluation import figures
from tfanime.metrics import quality
from tfanime.recipes.config import Config
from tfanime.training import quality_curve as evaluation
from tfanime.training.checkpoint import checkpoints
from tfanime.zoo.saved import load_generator

pytestmark = pytest.mark.usefixtures("judges_once")


@pytest.fixture
def measured(train, faces):
    return lambda out, steps: train(
        "dcgan", faces, out=out, steps=steps, evaluate_every=2, checkpoint_every=3, seed=3
    )


def test_curve_and_best_generator(measured):
    run = measured("run", 4)
    rows = evaluation.read(run.path)
    assert [row["step"] for row in rows] == [2, 4]
    assert all(row["fid"] > 0 for row in rows)
    best = min(rows, key=lambda row: row["kid"])
    kept = read_json(run.path / "best" / "quality.json")
    assert (kept["step"], kept["kid"]) == (best["step"], best["kid"])
    assert kept["floor"]["fid"] < best["fid"]
    assert load_generator(run.path / "best").height == 16
    assert (run.path / "quality.png").stat().st_size > 1000


@pytest.mark.slow
def test_resumed_run_has_the_same_curve_and_weights(measured, train, faces):
    whole = measured("whole", 6)
    measured("parts", 3)
    parts = measured("parts", 6)
    assert evaluation.read(whole.path) == evaluation.read(parts.path)
    assert_same_bits(checkpoints(whole.path)[-1], checkpoints(parts.path)[-1])
    # Nothing of the measuring enters training.
    unmeasured = train("dcgan", faces, out="unmeasured", steps=6, seed=3)
    assert_same_bits(checkpoints(whole.path)[-1], checkpoints(unmeasured.path)[-1])


def test_labels_of_the_curve_are_those_of_the_real_pictures(monkeypatch, tmp_path, faces):
    """Drawn one by one, they would be another set, and a perfect generator would be blamed."""
    rows = faces.labels(slice(0, 4))
    meter = types.SimpleNamespace(count=4, labels=rows)
    monkeypatch.setattr(quality, "quality_meter", lambda data, seed: meter)
    takes = types.SimpleNamespace(shape=(None, 3))
    gan = types.SimpleNamespace(ema_generator=types.SimpleNamespace(inputs=[takes, takes]))
    curve = evaluation.QualityCurve(tmp_path, gan, faces, Config("dcgan"), faces.schema)
    np.testing.assert_array_equal(curve.inputs[1], to_signed(rows))


@pytest.mark.slow
def test_rows_after_the_resumed_step_are_dropped(tmp_path, measured):
    run = measured("run", 4)
    text = (run.path / evaluation.FILE).read_text() + "6,0.0,-9.0\n"
    (run.path / evaluation.FILE).write_text(text)
    measured("run", 5)
    assert [row["step"] for row in evaluation.read(run.path)] == [2, 4]
    np.testing.assert_array_less(-9.0, [row["kid"] for row in evaluation.read(run.path)])


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["dcgan", "dcgan-dragan"])
def test_checkpoints_measured_afterwards_give_the_same_curve(train, faces, tmp_path, recipe):
    run = train(recipe, faces, steps=4, evaluate_every=2, checkpoint_every=2)
    found = figures.training(run.path, tmp_path / "curve.png", data=faces)
    by_step = {row["step"]: row for row in found}
    for row in evaluation.read(run.path):
        assert by_step[row["step"]] == pytest.approx(row, rel=1e-2)
    record = read_json(run.path / "config.json")
    record["config"]["generator"]["channels"] = 65_536
    write_json(run.path / "config.json", record)
    with pytest.raises(ValueError, match="does not describe what is in the checkpoints"):
        figures.training(run.path, tmp_path / "curve.png", data=faces)
