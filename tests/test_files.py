import os
import signal
import stat
import subprocess
import sys

import pytest

from tfanime.core.files import (
    atomic_folder,
    atomic_path,
    read_json,
    remove_left_over,
    temporary_prefix,
    write_json,
    write_text,
)


def test_atomic_path_replaces_only_on_success(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        assert temporary.suffix == ".txt" and temporary.parent == path.parent
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    write_text(path, "new")
    assert path.read_text() == "new" and os.listdir(path.parent) == ["a.txt"]


def test_atomic_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt), atomic_folder(path) as temporary:
        (temporary / "a").write_text("half")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []
    with atomic_folder(path) as temporary:
        (temporary / "sub").mkdir()
        (temporary / "sub" / "a").write_text("whole")
        assert not path.exists()
    assert (path / "sub" / "a").read_text() == "whole" and os.listdir(tmp_path) == ["set"]
    with pytest.raises(OSError), atomic_folder(path) as temporary:
        (temporary / "b").write_text("another")
    assert os.listdir(path) == ["sub"]


def test_the_current_folder_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (".", "..", tmp_path):
        with pytest.raises(ValueError, match="current one"), atomic_folder(path):
            pass
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a", "x")
        with atomic_folder(tmp_path / "b"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o750


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
@pytest.mark.parametrize("moment", ["before", "during"])
def test_a_killed_process_leaves_the_old_file(tmp_path, moment):
    """kill -9 between writing and replacing: the old file is there, whole."""
    path = tmp_path / "state.json"
    write_json(path, {"step": 1})
    pause = "print('ready', flush=True); time.sleep(60)"
    script = (
        "import sys, time\n"
        "from tfanime.core.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as path:\n"
        f"    {pause if moment == 'before' else 'pass'}\n"
        "    path.write_text('{\"step\": ')\n"
        f"    {pause}\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
    assert read_json(path) == {"step": 1}


def test_json_is_stable_and_readable(tmp_path):
    write_json(tmp_path / "a.json", {"b": "ü", "a": [1]})
    assert (tmp_path / "a.json").read_text("utf-8") == ('{\n  "a": [\n    1\n  ],\n  "b": "ü"\n}\n')
    assert read_json(tmp_path / "a.json") == {"a": [1], "b": "ü"}


def killed(name, ending=""):
    """What a process that is no more has left of a file of that name."""
    return temporary_prefix(name).replace(f"~{os.getpid()}~", "~999999999~") + f"abcd_123{ending}"


def test_what_killed_processes_leave_is_removed(tmp_path):
    (tmp_path / killed("set")).mkdir()
    (tmp_path / killed("set") / "half").write_text("half")
    own = tmp_path / f"{temporary_prefix('set')}abcd_123"  # of a process that runs: this one
    other = tmp_path / killed("set2")
    foreign = tmp_path / ".set~999999999~another.machine~abcd_123"
    for path in (own, other, foreign):
        path.mkdir()
    with atomic_folder(tmp_path / "set"):
        pass
    kept = {".set~999999999~another.machine~abcd_123", own.name, "set"}
    assert set(os.listdir(tmp_path)) == kept | {other.name}
    (tmp_path / killed("a", ".json")).write_text("half")
    (tmp_path / ".hidden").write_text("mine")
    remove_left_over(tmp_path)
    assert set(os.listdir(tmp_path)) == kept | {".hidden"}
