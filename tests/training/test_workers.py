"""Several workers and several devices train what one does, and end together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from runs import arrays_of, assert_same_bits
from worker_runs import SETTINGS, STEPS, run

from tfanime.training import cluster
from tfanime.training.checkpoint import checkpoints

HERE = Path(__file__).parent
EQUAL = [name for name in SETTINGS if name not in ("own-statistics", "killed")]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def start():
    """`start(folder, names, environment, ...)` starts a process for each environment. What it
    returns waits until all have ended, and returns their exit codes and what each said."""
    command = [sys.executable, HERE / "worker_runs.py"]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    pipe = subprocess.PIPE
    answers = {}
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as parent:

        def run(folder, names, *environments):
            job = {"folder": str(folder), "names": list(names), "environments": environments}
            print(json.dumps(job), file=parent.stdin, flush=True)

            def ended():
                while str(folder) not in answers:
                    answer = json.loads(parent.stdout.readline())
                    answers[answer["folder"]] = answer["codes"]
                codes = answers.pop(str(folder))
                return codes, [(folder / f"said{i}.txt").read_text() for i in range(len(codes))]

            return ended

        yield run


def two_workers(**environment):
    workers = cluster.local(2)
    return [{"TF_CONFIG": cluster.config(workers, i), **environment} for i in range(2)]


@pytest.fixture(scope="module")
def killed(start, request, tmp_path_factory):
    """Where one of two workers is killed before it has written its checkpoint of step 4."""
    folder = tmp_path_factory.mktemp("workers")
    ended = start(folder, ["killed"], *two_workers(DIE_AT="4"))
    for others in ("by_devices", "by_one"):  # meanwhile: to miss a worker is mostly waiting
        request.getfixturevalue(others)
    codes, said = ended()
    for i in range(2):
        (folder / f"worker{i}.txt").unlink()
    return folder, codes, said, int(arrays_of(newest(folder / "killed"))["gan/0000"])


@pytest.fixture(scope="module")
def by_workers(start, killed):
    """The same two, started again, train every setting, and last the rest of the killed one."""
    folder = killed[0]
    codes, said = start(folder, SETTINGS, *two_workers())()
    assert codes == [0, 0], said
    return folder


@pytest.fixture(scope="module")
def by_devices(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices")
    codes, said = start(folder, EQUAL, {"REPLICAS": "2"})()
    assert codes == [0], said
    return folder


@pytest.fixture(scope="module")
def by_one(eager, tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    for name in EQUAL:
        run(folder, name)
    return folder


def newest(run):
    return checkpoints(run)[-1]


@pytest.mark.parametrize("name", EQUAL)
@pytest.mark.parametrize("kind", ["by_workers", "by_devices"])
def test_as_one_process_with_the_same_global_batch(request, kind, name):
    # With one thread a sum is added up in another order than with two.
    atol = 3e-5 if name.endswith("sgd") else 1e-3
    mine, theirs = (
        arrays_of(newest(request.getfixturevalue(which) / name)) for which in (kind, "by_one")
    )
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
