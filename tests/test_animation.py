"""MP4: what ffmpeg is given, what comes out where there is one, and what is said where not."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

from tfanime.core import animation
from tfanime.sampling.interpolate import interpolate

# Writes what it was asked and given beside the file that it should have written.
STAND_IN = """#!{python}
import pathlib, sys
out = pathlib.Path(sys.argv[-1])
(out.parent / "asked.txt").write_text(" ".join(sys.argv[1:]))
(out.parent / "given.raw").write_bytes(sys.stdin.buffer.read())
if "fail" in {mode!r}:
    sys.exit("first\\nUnknown encoder")
out.write_bytes(b"video")
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    def make(mode="work"):
        program = tmp_path / "bin" / "ffmpeg"
        program.parent.mkdir(exist_ok=True)
        program.write_text(STAND_IN.format(python=sys.executable, mode=mode))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))

    return make


def frames(height=3, width=4):
    return np.random.default_rng(0).integers(0, 256, (2, height, width, 3), np.uint8)


def test_ffmpeg_is_given_even_frames(tmp_path, stand_in):
    stand_in()
    animation.save_animation(tmp_path / "a.mp4", frames(), milliseconds=40)
    assert (tmp_path / "a.mp4").read_bytes() == b"video"
    asked = (tmp_path / "asked.txt").read_text()
    assert "-s 4x4 -r 1000/40 " in asked and "yuv420p" in asked
    given = np.frombuffer((tmp_path / "given.raw").read_bytes(), np.uint8).reshape(2, 4, 4, 3)
    np.testing.assert_array_equal(given[:, :3], frames())
    np.testing.assert_array_equal(given[:, 3], frames()[:, 2])


def test_what_ffmpeg_says_is_said(tmp_path, stand_in):
    stand_in("fail")
    with pytest.raises(RuntimeError, match="could not write '.*a.mp4': Unknown encoder."):
        animation.save_video(tmp_path / "a.mp4", frames())
    assert not (tmp_path / "a.mp4").exists()


def test_without_ffmpeg_nothing_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ImportError, match=r"needs ffmpeg .*pip install '.\[video\]'"):
        interpolate("nowhere", out=tmp_path / "a.mp4")


def test_a_real_ffmpeg_writes_a_video(tmp_path):
    try:
        program = animation.ffmpeg()
    except ImportError as error:
        pytest.skip(str(error))
    smooth = np.linspace(0, 255, 20 * 32 * 48, dtype=np.uint8).reshape(20, 32, 48, 1)
    animation.save_video(tmp_path / "a.mp4", np.repeat(smooth, 3, axis=-1), milliseconds=50)
    command = [program, "-loglevel", "error", "-i", str(tmp_path / "a.mp4"), "-f", "rawvideo"]
    read = subprocess.run([*command, "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    seen = np.frombuffer(read.stdout, np.uint8).reshape(20, 32, 48, 3)
    assert np.abs(seen.astype(int) - smooth).mean() < 6


def test_the_systems_ffmpeg_comes_first(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/somewhere/{name}")
    assert animation.ffmpeg() == "/somewhere/ffmpeg"
