import types

import pytest

from tfanime.training.watch import REPEAT, SETTLE, CollapseWatch, Diverged

HEALTHY = {"diversity": 0.9, "d_real": 0.7, "d_fake": 0.3, "d_loss": 1.0}


def watch(probabilistic=True, state=None):
    pair = types.SimpleNamespace(probabilistic=probabilistic)
    return CollapseWatch(types.SimpleNamespace(loss_pair=pair), state)


def feed(watching, logs, steps, first=1):
    """All warnings of so many equal steps, with the step they came at."""
    found = []
    for step in range(first, first + steps):
        found += [(step, warning) for warning in watching.see(step, logs)]
    return found


def test_healthy_run_has_no_warnings():
    assert feed(watch(), HEALTHY, 3 * SETTLE) == []


def test_collapse_is_called_once_the_run_has_settled_and_not_at_every_step():
    found = feed(watch(), {**HEALTHY, "diversity": 0.1}, SETTLE + REPEAT)
    assert [step for step, _ in found] == [SETTLE, SETTLE + REPEAT]
    assert "mode collapse" in found[0][1] and "spread 0.10 of real" in found[0][1]


def test_a_moment_of_little_variety_is_no_collapse():
    watching = watch()
    assert feed(watching, HEALTHY, 2 * SETTLE) == []
    assert feed(watching, {**HEALTHY, "diversity": 0.1}, 10, first=2 * SETTLE + 1) == []


def test_saturation():
    certain = {**HEALTHY, "d_real": 0.999, "d_fake": 0.001}
    found = feed(watch(), certain, SETTLE)
    assert len(found) == 1 and "gradient vanishes" in found[0][1]
    # The scores of a critic are no probabilities.
    assert feed(watch(probabilistic=False), certain, 2 * SETTLE) == []


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_what_is_not_finite_stops_at_once(broken):
    with pytest.raises(Diverged, match="d_loss became NaN or infinite at step 3"):
        watch().see(3, {**HEALTHY, "d_loss": broken})


def test_interrupted_watch_goes_on_where_it_was():
    poor = {**HEALTHY, "diversity": 0.1}
    whole = feed(watch(), poor, SETTLE + 5)
    first = watch()
    parts = feed(first, poor, 100)
    parts += feed(watch(state=first.state()), poor, SETTLE - 95, first=101)
    assert parts == whole and len(whole) == 1
