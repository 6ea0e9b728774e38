import json
import types

import pytest

from tfanime.training.collapse import REPEAT, SETTLE, CollapseWatch, Diverged

HEALTHY = {"diversity": 0.9, "d_real": 0.7, "d_fake": 0.3, "d_loss": 1.0, "g_grad_norm": 5.0}


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


@pytest.mark.parametrize("probabilistic", [True, False])
def test_vanishing_gradients_are_called_whatever_the_loss(probabilistic):
    """A critic's scores say nothing of it, the generator's gradient does."""
    watching = watch(probabilistic)
    assert feed(watching, HEALTHY, 2 * SETTLE) == []
    weaker = {**HEALTHY, "g_grad_norm": 0.5}  # a tenth is nothing unusual
    assert feed(watching, weaker, 1000, first=2 * SETTLE + 1) == []
    found = feed(watching, {**HEALTHY, "g_grad_norm": 1e-3}, 1000, first=2 * SETTLE + 1001)
    assert len(found) == 1 and "hardly any gradient reaches the generator" in found[0][1]
    assert "at most 5 so far" in found[0][1]


def test_a_generator_that_never_got_a_gradient():
    found = feed(watch(False), {**HEALTHY, "g_grad_norm": 0.0}, SETTLE)
    assert len(found) == 1 and "hardly any gradient" in found[0][1]


def test_the_first_steps_gradients_are_no_measure():
    watching = watch()
    assert feed(watching, {**HEALTHY, "g_grad_norm": 1e4}, 10) == []
    assert feed(watching, HEALTHY, 2 * SETTLE, first=11) == []


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_what_is_not_finite_stops_at_once(broken):
    with pytest.raises(Diverged, match="d_loss became NaN or infinite at step 3"):
        watch().see(3, {**HEALTHY, "d_loss": broken})


def test_interrupted_watch_remembers_the_gradients():
    first = watch()
    feed(first, HEALTHY, SETTLE)
    weak = {**HEALTHY, "g_grad_norm": 1e-3}
    state = json.loads(json.dumps(first.state()))
    whole = feed(first, weak, 500, first=SETTLE + 1)
    assert feed(watch(state=state), weak, 500, first=SETTLE + 1) == whole and len(whole) == 1
    # A state of before the gradients were watched is taken up too.
    del state["peak"], state["means"]["g_grad_norm"]
    assert feed(watch(state=state), HEALTHY, 10, first=SETTLE + 1) == []


def test_interrupted_watch_goes_on_where_it_was():
    poor = {**HEALTHY, "diversity": 0.1}
    whole = feed(watch(), poor, SETTLE + 5)
    first = watch()
    parts = feed(first, poor, 100)
    parts += feed(watch(state=first.state()), poor, SETTLE - 95, first=101)
    assert parts == whole and len(whole) == 1
