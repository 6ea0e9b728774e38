"""The simulations of docs/scale.md against what queues and failures obey in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from tests import scripts

serving = scripts.load("serving/simulate_serving")
training = scripts.load("cluster/simulate_training")


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_without_batches_it_is_an_m_d_1_queue(load):
    """Pollaczek and Khinchine: the mean wait is load * service / (2 (1 - load))."""
    replica = serving.Replica(call=0.0, picture=0.01)
    found = serving.latencies(replica, load * 100, arrivals=100_000).mean()
    assert found == pytest.approx(0.01 + load * 0.01 / (2 * (1 - load)), rel=0.05)


def test_a_lonely_request_waits_for_others_in_vain():
    replica = serving.Replica(call=0.01, picture=0.02, batch=8, wait=0.05)
    found = serving.latencies(replica, rate=0.01, arrivals=200)
    np.testing.assert_allclose(np.median(found), 0.05 + 0.03)


def test_batches_carry_what_single_calls_cannot():
    single, batched = (serving.Replica(0.01, 0.001, batch) for batch in (1, 16))
    assert batched.capacity > 5 * single.capacity
    seen = serving.latencies(batched, 0.6 * batched.capacity)
    assert np.quantile(seen, 0.99) < 0.1
    assert np.median(serving.latencies(single, 0.6 * batched.capacity)) > 1


def test_fewest_replicas():
    replica = serving.Replica(0.005, 0.005)
    count = serving.replicas(replica, rate=1000, slowest=0.1)
    assert count > 1000 / replica.capacity
    assert np.quantile(serving.latencies(replica, 1000 / count), 0.99) <= 0.1
    assert np.quantile(serving.latencies(replica, 1000 / (count - 1)), 0.99) > 0.1
    with pytest.raises(ValueError, match="fits into the time allowed, 0.001 s. Received: 0.01 s."):
        serving.replicas(replica, 1, 0.001)


def test_a_day():
    rates = serving.hourly(8.64e6, peak=2)
    assert rates.mean() == pytest.approx(100) and 180 < rates.max() < 200


def test_without_failures_only_writing_costs():
    share = training.lost(interval=90, write=10, restart=5, between=1e9)
    assert share == pytest.approx(0.1, rel=1e-4)


def test_the_simulation_agrees_with_the_exact_mean():
    """Memoryless failures: a segment of t seconds takes (between + restart) (e^(t/between) - 1)."""
    between, interval, write, restart = 1000.0, 300.0, 20.0, 50.0
    exact = (between + restart) * np.expm1((interval + write) / between) / interval
    found = 1 / (1 - training.lost(interval, write, restart, between))
    assert found == pytest.approx(exact, rel=0.02)


def test_daly_is_where_the_least_is_lost():
    """Its interval minimises the exact mean: e^(t/between) / (t - write)."""
    write, between = 30.0, 3600.0
    intervals = np.linspace(60, 1500, 20_000)
    exact = np.expm1((intervals + write) / between) / intervals
    assert training.daly(write, between) == pytest.approx(intervals[exact.argmin()], rel=0.01)
    assert training.young(write, between) == pytest.approx(np.sqrt(2 * 30 * 3600))
    assert training.daly(10, 4) == 4


def test_ring_all_reduce():
    assert training.all_reduce(1e9, 2, 1e9) == 1 and training.all_reduce(1e9, 1, 1e9) == 0


def test_copying_to_storage(tmp_path):
    """There and back over TensorFlow's file system in memory, then only what changed."""
    storage = scripts.load("cluster/object_storage")
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "dataset.json").write_text("{}")
    (tmp_path / "a" / "deep" / "images.bin").write_bytes(b"\0" * 1000)
    for _ in range(2):
        assert storage.copy(f"{tmp_path}/a/", "ram://copies/a/") == (2, 0)  # it keeps no times
    assert storage.copy("ram://copies/a", f"{tmp_path}/b") == (2, 0)
    assert (tmp_path / "b" / "deep" / "images.bin").read_bytes() == b"\0" * 1000
    assert storage.copy(f"{tmp_path}/a", f"{tmp_path}/b") == (0, 2)
    (tmp_path / "a" / "dataset.json").write_text('{"count": 1}')
    assert storage.copy(f"{tmp_path}/a", f"{tmp_path}/b") == (1, 1)
    assert (tmp_path / "b" / "dataset.json").read_text() == '{"count": 1}'
    with pytest.raises(ValueError, match="A folder is copied"):
        storage.copy(f"{tmp_path}/missing", "ram://x")
