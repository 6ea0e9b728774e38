"""Several workers and several devices train what one does, and end together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from runs import arrays_of, assert_same_bits
from worker_runs import SETTINGS, run

from tfanime.training import cluster
from tfanime.training.checkpoint import checkpoints

HERE = Path(__file__).parent
EQUAL = [name for name in SETTINGS if name not in ("own-statistics", "killed")]
STEPS = 4
WAIT = 600  # seconds; a lost worker is noticed within half a minute

pytestmark = pytest.mark.slow


def start(folder, names, steps=STEPS, **environment):
    command = [sys.executable, HERE / "worker_runs.py", folder, str(steps), *names]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), **environment}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


def two(folder, names, steps=STEPS, **environment):
    """Two workers from beginning to end; their exit codes and what each said."""
    folder.mkdir(exist_ok=True)
    workers = cluster.local(2)
    pair = [
        start(folder, names, steps, TF_CONFIG=cluster.config(workers, i), **environment)
        for i in range(2)
    ]
    try:
        said = [worker.communicate(timeout=WAIT)[1] for worker in pair]
    finally:
        for worker in pair:
            worker.kill()
    return [worker.returncode for worker in pair], said


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Where one of two workers is killed before it has written its checkpoint of step 4."""
    folder = tmp_path_factory.mktemp("workers")
    codes, said = two(folder, ["killed"], DIE_AT="4")
    for i in range(2):
        (folder / f"worker{i}.txt").unlink()
    return folder, codes, said, int(arrays_of(newest(folder / "killed"))["gan/0000"])


@pytest.fixture(scope="module")
def by_workers(killed):
    """The same two, started again, train every setting, and last the rest of the killed one."""
    folder = killed[0]
    codes, said = two(folder, SETTINGS)
    assert codes == [0, 0], said
    return folder


@pytest.fixture(scope="module")
def by_devices(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices")
    process = start(folder, EQUAL, REPLICAS="2")
    said = process.communicate(timeout=WAIT)[1]
    assert process.returncode == 0, said
    return folder


@pytest.fixture(scope="module")
def by_one(eager, tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    for name in EQUAL:
        run(folder, name, STEPS)
    return folder


def newest(run):
    return checkpoints(run)[-1]


@pytest.mark.parametrize("name", EQUAL)
@pytest.mark.parametrize("kind", ["by_workers", "by_devices"])
def test_as_one_process_with_the_same_global_batch(request, by_one, kind, name):
    # With one thread a sum is added up in another order than with two.
    atol = 3e-5 if name.endswith("sgd") else 1e-3
    mine = arrays_of(newest(request.getfixturevalue(kind) / name))
    theirs = arrays_of(newest(by_one / name))
    assert mine.keys() == theirs.keys() and mine["gan/0000"] == STEPS
    for key in mine:
        np.testing.assert_allclose(mine[key], theirs[key], rtol=0, atol=atol, err_msg=key)


def test_workers_are_equal_to_the_last_bit_at_every_checkpoint(by_workers):
    one, other = ((by_workers / f"worker{i}.txt").read_text().splitlines() for i in range(2))
    assert one == other
    # Of each run: the untrained networks, two checkpoints, and the last again at the end. Of the
    # one that was killed: what it goes on from, and the end.
    whole = 4 * (len(SETTINGS) - 1)
    steps = [line.split()[0] for line in one]
    assert steps[:whole] == ["0", "2", "4", "4"] * (len(SETTINGS) - 1)
    assert set(steps[whole:]) == {"2", "4"}
    # Two settings begin with the same weights.
    assert len({line.split()[1] for line in one[:whole]}) == 3 * (len(SETTINGS) - 1) - 1


def test_only_the_chief_writes_and_writes_everything(by_workers):
    found = {file.name for file in (by_workers / "dcgan-dragan-adam").iterdir()}
    assert found >= {"config.json", "report.md", "final.png", "samples", "checkpoints"}
    assert [folder.name[-1] for folder in checkpoints(by_workers / "dcgan-dragan-adam")] == list(
        "024"
    )


def test_a_killed_worker_stops_the_other_and_a_new_launch_continues(killed, by_workers):
    _, codes, said, step = killed
    assert codes == [1, -9]
    last = said[0].strip().splitlines()[-1]
    assert "Worker 0 of 2 stops" in last and "continues from its newest checkpoint" in last
    assert step == 2
    assert_same_bits(newest(by_workers / "killed"), newest(by_workers / "dcgan-dragan-adam"))
