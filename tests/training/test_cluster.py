"""Who trains together: lists of workers, Slurm's variables."""

from __future__ import annotations

import json
import socket

import pytest

from tfanime.training import cluster


def test_config_is_what_tensorflow_reads():
    found = json.loads(cluster.config(["a:1", "b:2"], 1))
    assert found == {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}


@pytest.mark.parametrize(
    ("workers", "index", "sentence"),
    [
        (["a"], 0, "written host:port. Received: 'a'"),
        (["a:0"], 0, "written host:port. Received: 'a:0'"),
        (["a:70000"], 0, "written host:port"),
        (["a b:1"], 0, "written host:port"),
        (["a:1", "a:1"], 0, "address of its own. Received twice: 'a:1'"),
        (["a:1", "b:1"], 2, "from 0 to 1, a place in the list of 2 workers. Received: 2"),
    ],
)
def test_wrong_lists(workers, index, sentence):
    with pytest.raises(ValueError, match=sentence):
        cluster.config(workers, index)


def test_workers_are_counted():
    assert cluster.workers_of(None) == cluster.workers_of("") == cluster.workers_of("{}") == 1
    assert cluster.workers_of(cluster.config(["a:1", "b:2", "c:3"], 0)) == 3
    assert cluster.workers_of('{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}}') == 2
    for text in ("{", "[]", '{"cluster": 3}'):
        with pytest.raises(ValueError, match="TF_CONFIG is JSON such as"):
            cluster.workers_of(text)


def test_own_index():
    name = socket.gethostname()
    assert cluster.own_index(["elsewhere.invalid:1", f"{name}:1"]) == 1
    for workers in (["elsewhere.invalid:1"], [f"{name}:1", f"{name}:2"]):
        with pytest.raises(ValueError, match="--index"):
            cluster.own_index(workers)


def test_local_ports_differ_and_are_free():
    workers = cluster.local(3)
    ports = {int(worker.removeprefix("localhost:")) for worker in workers}
    assert len(ports) == 3
    for port in ports:
        with socket.socket() as one:
            one.bind(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ["a"]),
        ("a,b-1", ["a", "b-1"]),
        ("node[08-10]", ["node08", "node09", "node10"]),
        ("a[1-2,07],b", ["a1", "a2", "a07", "b"]),
        ("r[1-2]n[1,3].x", ["r1n1.x", "r1n3.x", "r2n1.x", "r2n3.x"]),
    ],
)
def test_hosts(text, names):
    assert cluster.hosts(text) == names


@pytest.mark.parametrize("text", ["a[1-", "a[b]", "a[1-x]", "a,,b", "a]"])
def test_wrong_hosts(text):
    with pytest.raises(ValueError, match="looks like node"):
        cluster.hosts(text)


def test_tasks_per_node():
    assert cluster.tasks_per_node("2(x3),1") == [2, 2, 2, 1]
    with pytest.raises(ValueError, match="Received: 'two'"):
        cluster.tasks_per_node("two")


def test_slurm():
    step = {
        "SLURM_PROCID": "2",
        "SLURM_JOB_NODELIST": "n[1-9]",
        "SLURM_STEP_NODELIST": "n[1-2]",
        "SLURM_STEP_TASKS_PER_NODE": "2,1",
    }
    assert cluster.from_slurm(step, 5000) == (["n1:5000", "n1:5001", "n2:5000"], 2)
    with pytest.raises(ValueError, match="which srun sets"):
        cluster.from_slurm({})
    with pytest.raises(ValueError, match="as many nodes"):
        cluster.from_slurm({**step, "SLURM_STEP_TASKS_PER_NODE": "2"})
