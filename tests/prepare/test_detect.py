"""Finding faces with a cascade file, and getting that file."""

from __future__ import annotations

import hashlib
import io
import sys
import threading
from types import ModuleType
from urllib.error import URLError

import numpy as np
import pytest
from cascades import write_cascade

from tfanime.prepare import detect
from tfanime.prepare.detect import Box, CascadeDetector, cascade_file

pytest.importorskip("cv2")


@pytest.fixture
def cascade(tmp_path):
    return write_cascade(tmp_path / "cascade.xml")


def squares(*places, shape=(200, 300), side=16):
    """Bright squares on black, whose cascade window is three times as large."""
    picture = np.zeros(shape, np.uint8)
    for left, top in places:
        picture[top : top + side, left : left + side] = 255
    return picture


def test_finds_what_the_cascade_describes(cascade):
    found = CascadeDetector(cascade, neighbours=1)(squares((200, 40), (60, 120)))
    middles = [(box.left + box.side / 2, box.top + box.side / 2) for box in found]
    assert len(found) == 2  # from top to bottom
    np.testing.assert_allclose(middles, [(208, 48), (68, 128)], atol=4)
    assert all(32 <= box.side <= 96 and box.votes >= 1 for box in found)


def test_more_neighbours_find_fewer(cascade):
    picture = squares((60, 60))
    assert CascadeDetector(cascade, neighbours=1)(picture)
    assert not CascadeDetector(cascade, neighbours=2000)(picture)


def test_nothing_in_plain_or_tiny_pictures(cascade):
    detector = CascadeDetector(cascade)
    assert detector(np.full((80, 80), 7, np.uint8)) == []
    assert detector(np.zeros((23, 200), np.uint8)) == []


def test_threads_find_the_same(cascade):
    detector, picture = CascadeDetector(cascade, neighbours=1), squares((60, 60), (150, 90))
    expected, found = detector(picture), []
    threads = [threading.Thread(target=lambda: found.append(detector(picture))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert expected and found == [expected] * 4


def test_oblong_windows_become_squares_around_the_same_middle():
    assert detect._square((10, 20, 30, 40), votes=3) == Box(5, 20, 40, 3)
    assert detect._square((10, 20, 40, 30), votes=3) == Box(10, 15, 40, 3)


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"<?xml version='1.0'?><a/>"])
def test_what_is_no_cascade(tmp_path, content):
    path = tmp_path / "cascade.xml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cascade.xml', which OpenCV cannot read"):
        CascadeDetector(path)


@pytest.mark.parametrize("module", [None, ModuleType("cv2")])
def test_without_a_fitting_opencv(monkeypatch, cascade, module):
    if module is not None:
        module.__version__ = "5.0.0"
    monkeypatch.setitem(sys.modules, "cv2", module)
    with pytest.raises(ImportError, match=r"pip install .\.\[data\]."):
        CascadeDetector(cascade)


# ---- getting the file ----------------------------------------------------------------------------


@pytest.fixture
def project(monkeypatch, tmp_path, cascade):
    """The cascade's project, answering with `answer`; `asked` counts requests."""

    class Project:
        answer, asked = cascade.read_bytes(), 0

        def open(self, url, timeout):
            assert url == detect.CASCADE_URL and timeout <= 60
            self.asked += 1
            if isinstance(self.answer, Exception):
                raise self.answer
            return io.BytesIO(self.answer)

    stand_in = Project()
    monkeypatch.setattr(detect, "urlopen", stand_in.open)
    monkeypatch.setattr(detect, "CASCADE_SHA256", hashlib.sha256(stand_in.answer).hexdigest())
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    return stand_in


def test_fetched_once(project):
    path = cascade_file()
    assert path.read_bytes() == project.answer
    assert cascade_file() == path and project.asked == 1


def test_a_damaged_cache_is_fetched_again(project):
    cascade_file().write_bytes(b"half")
    assert cascade_file().read_bytes() == project.answer and project.asked == 2


def test_given_by_path_nothing_is_fetched(project, cascade, tmp_path):
    assert cascade_file(cascade) == cascade and project.asked == 0
    with pytest.raises(ValueError, match="missing.xml', which is none"):
        cascade_file(tmp_path / "missing.xml")


@pytest.mark.parametrize("answer", [URLError("no route to host"), TimeoutError("timed out")])
def test_offline(project, answer):
    project.answer = answer
    with pytest.raises(OSError, match=r"could not be: (no route to host|timed out)\. Download "):
        cascade_file()


def test_another_file_is_refused(project, tmp_path):
    project.answer = b"<html>moved</html>"
    with pytest.raises(OSError, match="must have the SHA-256 .* Received 18 bytes"):
        cascade_file()
    assert not list((tmp_path / "cache").glob("*"))


def test_the_pin_is_that_of_a_commit():
    assert len(detect.CASCADE_SHA256) == 64
    assert "/4433ab1ae1166ea75acfe99eb0f18709dac329a0/" in detect.CASCADE_URL
