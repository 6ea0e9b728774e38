"""`tfanime doctor`: what it says of machines that have and that lack things."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import setuptools
from click.testing import CliRunner

from tfanime import cli
from tfanime.cli import machine as doctor
from tfanime.cli.machine import BROKEN, LACKS, OK

ROOT = Path(__file__).resolve().parent.parent
GB = 10**9


@pytest.mark.parametrize(
    ("seen", "used", "system", "state", "says", "remedy"),
    [
        (["H100, 550"], ["/gpu:0"], "linux", OK, "1 used (H100, 550)", ""),
        (["H100, 550"], [], "linux", LACKS, "H100, 550 seen, not used", "tensorflow[and-cuda]"),
        (["RTX, 550"], [], "win32", LACKS, "not used", "WSL2"),
        ([], [], "darwin", LACKS, "processor", "See the documentation, Machines."),
        ([], [], "linux", LACKS, "none", ""),
    ],
)
def test_a_gpu_is_seen_and_used(seen, used, system, state, says, remedy):
    found = doctor._gpu(seen, used, system)
    assert (found.state, bool(found.remedy)) == (state, bool(remedy))
    assert says in found.says and remedy in found.remedy


def test_the_driver_is_asked(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    program.write_text('#!/bin/sh\necho "NVIDIA A, 550.1"\necho "NVIDIA B, 550.1"\n')
    program.chmod(0o755)
    assert doctor._seen_gpus() == ["NVIDIA A, 550.1", "NVIDIA B, 550.1"]
    program.write_text("#!/bin/sh\necho Failed\nexit 9\n")
    assert doctor._seen_gpus() == []


def test_little_room_has_a_remedy(tmp_path, monkeypatch):
    for free, state in ((6 * GB, OK), (4 * GB, LACKS)):
        usage = type("usage", (), {"free": free})
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder, usage=usage: usage)
        found = doctor._disk(tmp_path / "not" / "there")
        assert (found.state, bool(found.remedy)) == (state, state == LACKS)
        assert f"{free / GB:.1f} GB" in found.says
    assert doctor._memory(8 * GB).state == doctor._memory(None).state == OK
    assert "accumulation" in doctor._memory(2 * GB).remedy


def test_versions_and_processor():
    assert doctor._python((3, 11)).state == OK
    assert doctor._python((3, 14)).state == doctor._python((3, 9)).state == BROKEN
    assert "mixed_bfloat16" in doctor._bfloat16(frozenset({"fpu", "avx512_bf16"})).says
    assert "float32" in doctor._bfloat16(frozenset({"fpu"})).says


def test_a_missing_backend_breaks(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "nonexistent_backend")
    found = doctor._packages()
    assert (found.state, found.remedy) == (BROKEN, "pip install nonexistent_backend")


def test_extras_are_those_of_the_package(monkeypatch):
    monkeypatch.setattr(setuptools, "setup", lambda **options: None)
    extras = runpy.run_path(str(ROOT / "setup.py"))["EXTRAS"]
    assert set(doctor.EXTRAS) | {"dev", "video"} == set(extras)
    assert doctor._extra("onnx", []).state == OK
    found = doctor._extra("onnx", ["tf2onnx"])
    assert (found.state, found.remedy) == (LACKS, "pip install '.[onnx]' in a checkout")
    assert "tf2onnx" in found.says


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "file"))
    assert doctor._cache().state == LACKS and "TFANIME_CACHE" in doctor._cache().remedy
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    assert doctor._cache().state == OK


def test_the_verb_prints_all_and_its_exit_code_tells(monkeypatch):
    rows = [doctor.Finding("Python", OK, "3.11"), doctor.Finding("GPU", LACKS, "none", "Buy one.")]
    monkeypatch.setattr(doctor, "examine", lambda folder: rows)
    result = CliRunner().invoke(cli.main, ["doctor"])
    assert result.exit_code == 0
    assert result.stdout == "ok  Python  3.11\n--  GPU     none\n            Buy one.\n"
    rows.append(doctor.Finding("Packages", BROKEN, "none", "pip install tensorflow"))
    result = CliRunner().invoke(cli.main, ["doctor"])
    assert result.exit_code == 1 and "!!  Packages" in result.stdout


def test_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path))
    monkeypatch.setattr(doctor, "_used_gpus", list)  # importing TensorFlow takes long
    found = doctor.examine(tmp_path)
    names = {one.name for one in found}
    assert {"Python", "GPU", "Disk", "Memory", "bfloat16", "Browser", "Cache", "[web]"} <= names
    assert all(one.says and one.state in (OK, LACKS, BROKEN) for one in found)
