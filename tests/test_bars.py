"""Progress bars where there is no terminal, and one bar for work of many parts."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import pytest

from tfanime.core import bars
from tfanime.core.bars import overall, progress_bar
from tfanime.training.progress import BUILDING, Progress


@pytest.fixture
def terminal(monkeypatch):
    """Makes standard error a terminal, which keeps what it is told."""

    def begin():  # within the test: pytest puts its own in place before
        screen = io.StringIO()
        screen.isatty = lambda: True
        monkeypatch.setattr("sys.stderr", screen)
        return screen

    return begin


def test_a_log_gets_whole_lines(capsys, monkeypatch):
    monkeypatch.setattr(bars, "LINE_SECONDS", 0)
    with progress_bar(total=4, desc="packing", unit=" pictures") as bar:
        for _ in range(4):
            bar.update()
    said = capsys.readouterr().err
    assert "\r" not in said and "\n\n" not in said
    lines = said.splitlines()
    assert len(set(lines)) == len(lines)
    assert all(re.match(r"packing: *\d+%", line) for line in lines)
    assert "0/4" in lines[0] and "4/4" in lines[-1]


def test_a_log_is_not_flooded(capsys):
    for _ in progress_bar(range(20_000)):
        pass
    assert len(capsys.readouterr().err.splitlines()) <= 2


def test_a_terminal_gets_a_bar(terminal):
    screen = terminal()
    with progress_bar(total=2) as bar:
        bar.update(2)
    assert "\r" in screen.getvalue()


def test_disabled_says_nothing(capsys):
    with overall({"a": 1}, disable=True) as bar, bar.step("a"):
        assert list(progress_bar(range(3), disable=True)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_one_bar_for_all_parts(terminal):
    screen, seen = terminal(), []
    with overall({"drawing": 1, "measuring": 3}) as bar:
        with bar.step("drawing"):
            with progress_bar(total=4, desc="inner") as inner:
                inner.update(2)
                seen.append(bar.bar.n)
                inner.update(2)
                seen.append(bar.bar.n)
            assert list(progress_bar([1, 2])) == [1, 2]
            seen.append(bar.bar.n)
        seen.append(bar.bar.n)
        with overall({"a": 1, "b": 1}) as deeper, bar.step("measuring"):
            with deeper.step("a"):
                list(progress_bar(range(3)))
            seen.append(bar.bar.n)
        seen.append(bar.bar.n)
    assert seen == pytest.approx([0.25, 0.5, 0.75, 1, 2.5, 4])
    said = screen.getvalue()
    assert "inner" not in said and "measuring: 100%" in said
    assert bars._Overall.running is None


def test_one_bar_for_all_parts_in_a_log_says_per_cent(capsys, monkeypatch):
    """Not 0.15748031496062992/1, a share of a weight that means nothing to anybody."""
    monkeypatch.setattr(bars, "LINE_SECONDS", 0)
    with overall({"models/faces": 1}) as bar, bar.step("models/faces"):
        for _ in progress_bar(range(127)):
            pass
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 3
    for line in lines:
        assert re.fullmatch(r"(models/faces: +)?\d+% \d\d:\d\d<[\d:?]+", line), line
    assert lines[-1].startswith("models/faces: 100% ")


def test_enlarging_in_a_log_counts_tenths_of_pictures(capsys, monkeypatch):
    from tfanime.sampling import upscale as upscaling

    monkeypatch.setattr(bars, "LINE_SECONDS", 0)
    for _, tick in upscaling._with_progress(["a", "b"], True):
        tick(1 / 3)
    lines = capsys.readouterr().err.splitlines()
    assert any("0.3/2 images" in line for line in lines) and "0.33/2" not in "".join(lines)


def test_a_failing_step_leaves_no_bar_behind():
    with pytest.raises(ValueError, match="no"), overall({"a": 1}) as bar, bar.step("a"):
        raise ValueError("no")
    assert bars._Overall.running is None


def trainer(**values):
    budget = SimpleNamespace(steps=None, seconds=60.0, used=lambda step, seconds: seconds >= 60)
    given = {"budget": budget, "step": 0, "seconds": 0.0, "images_per_step": 8, "progress": True}
    return SimpleNamespace(**{**given, **values})


def test_building_is_said_and_no_part_of_the_speed(capsys, monkeypatch):
    monkeypatch.setattr(bars, "LINE_SECONDS", 0)
    state = trainer()
    with Progress(state) as bar:
        assert BUILDING in capsys.readouterr().err
        state.step = 1
        bar.begin()
        bar.update({"d_loss": 1.0, "g_loss": 2.0})
        state.step, state.seconds = 6, 4.0
        bar.update({"d_loss": 1.0, "g_loss": 2.0})
    said = capsys.readouterr().err.splitlines()
    assert "step 6, 10 images/s, D 1.00, G 2.00" in said[-1]


def test_what_is_finished_is_not_built(capsys):
    with Progress(trainer(seconds=60.0)):
        pass
    assert BUILDING not in capsys.readouterr().err
