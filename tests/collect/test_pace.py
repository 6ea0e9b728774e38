"""The pace with a clock of our own."""

from __future__ import annotations

import pytest

from tfanime.collect import rate_limit as module
from tfanime.collect.rate_limit import Pace


@pytest.fixture
def clock(monkeypatch):
    """Time stands still but for sleeping."""

    class Clock:
        now = 1000.0

        def time(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_turns_are_an_interval_apart(tmp_path, clock):
    paces = [Pace(tmp_path / "hosts.sqlite", rate=4) for _ in range(2)]  # two processes
    turns = []
    for number in range(6):
        paces[number % 2].wait("a")
        turns.append(clock.now)
    assert turns == [1000.0 + 0.25 * number for number in range(6)]
    paces[0].wait("b")  # another host has its own
    assert clock.now == turns[-1]


def test_a_killed_process_leaves_its_last_turn(tmp_path, clock):
    Pace(tmp_path / "hosts.sqlite", rate=0.5).wait("a")
    Pace(tmp_path / "hosts.sqlite", rate=0.5).wait("a")
    assert clock.now == 1002.0


def test_the_interval_counts_from_the_answer_with_jitter(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(module.random, "uniform", lambda low, high: (low + high) / 2)
    pace = Pace(tmp_path / "hosts.sqlite", rate=2, jitter=0.4)
    pace.wait("a")
    clock.now += 3  # a slow answer
    pace.answered("a")
    pace.wait("a")
    assert clock.now == pytest.approx(1000 + 3 + 0.5 * 1.2)


def test_a_host_may_ask_for_more(tmp_path, clock):
    pace = Pace(tmp_path / "hosts.sqlite", rate=10)
    pace.wait("a", least=5)
    pace.wait("a", least=5)
    assert clock.now == 1005.0
    pace.pause("a", 60)
    pace.pause("a", 10)  # does not shorten the pause
    pace.wait("a")
    assert clock.now == 1065.0
    pace.pause("a", 1000)
    with pytest.raises(RuntimeError, match="another 1,000 seconds"):
        pace.wait("a")


@pytest.mark.parametrize("asked", [3600, 100_000, 999_999_999_999, 1e300, float("inf")])
def test_what_a_host_asks_for_is_capped(tmp_path, clock, asked):
    pace = Pace(tmp_path / "hosts.sqlite", rate=10, jitter=0)
    for _ in range(3):
        pace.wait("a", least=asked)
        pace.answered("a", least=asked)
    assert clock.now == 1000 + 2 * module.LONGEST_DELAY
    pace.pause("a", asked)
    (left,) = pace._table.execute("SELECT next FROM hosts").fetchone()
    assert left <= clock.now + module.LONGEST_PAUSE


@pytest.mark.parametrize("stored", [1e300, 999_999_999_999.0, float("inf"), 1000 + 58 * 3600, "x"])
def test_what_an_earlier_version_stored_is_survived(tmp_path, clock, stored):
    path = tmp_path / "hosts.sqlite"
    Pace(path)._table.execute("INSERT INTO hosts VALUES ('a', ?), ('b', 1002)", (stored,))
    pace = Pace(path, rate=10)
    pace.wait("a")
    assert clock.now == 1000.0
    pace.wait("b")  # a sound one stays
    assert clock.now == 1002.0


@pytest.mark.parametrize("spoilt", ["folder", "table", "damaged"])
def test_a_cache_that_cannot_be_written_is_named(tmp_path, spoilt):
    cache = tmp_path / "cache"
    if spoilt == "folder":
        cache.write_text("a file")
    elif spoilt == "table":
        (cache / "hosts.sqlite").mkdir(parents=True)
    else:
        cache.mkdir()
        (cache / "hosts.sqlite").write_bytes(b"no table " * 999)
    with pytest.raises(OSError, match="can be written.*TFANIME_CACHE") as caught:
        Pace(cache / "hosts.sqlite")
    assert str(cache) in str(caught.value)


def test_a_cache_that_turns_read_only_is_named(tmp_path):
    pace = Pace(tmp_path / "hosts.sqlite")
    pace._table.execute("PRAGMA query_only = 1")
    with pytest.raises(OSError, match="readonly database.*TFANIME_CACHE"):
        pace.pause("a", 1)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), 1e9, 1e-300])
def test_rates(tmp_path, rate):
    with pytest.raises(ValueError, match="requests a second"):
        Pace(tmp_path / "hosts.sqlite", rate=rate)
