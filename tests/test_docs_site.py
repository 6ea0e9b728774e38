"""The documentation as a site: every page has a place, and every link leads somewhere."""

import subprocess
import sys
from pathlib import Path

import pytest

import tfanime

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="the documentation needs tfanime[docs]")
    pytest.importorskip("mkdocstrings")
    out = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_built(site):
    pages = [p.relative_to(ROOT / "docs") for p in (ROOT / "docs").rglob("*.md")]
    built = [site / p.with_suffix(".html") for p in pages if p.name != "README.md"]
    assert built and [p for p in built if not p.is_file()] == []
    assert (site / "index.html").is_file()


def test_cards_and_their_pictures_are_part_of_it(site):
    for folder in (ROOT / "saved_models").iterdir():
        if (folder / "MODEL_CARD.md").is_file():
            card = site / "saved_models" / folder.name / "MODEL_CARD.html"
            assert "<h1" in card.read_text(encoding="utf-8")
    assert (site / "saved_models" / "faces-64" / "sheet.png").is_file()


def test_the_reference_holds_docstrings(site):
    page = (site / "reference" / "tfanime.html").read_text(encoding="utf-8")
    assert "Trains" in page and "tfanime.sampling.generate.generate" in page


def test_the_reference_lists_every_public_name():
    page = (ROOT / "docs" / "reference" / "tfanime.md").read_text(encoding="utf-8").splitlines()
    places = [f"::: {module}.{name}" for module, name in tfanime._FUNCTIONS.values()]
    assert [place for place in places if place not in page] == []


def test_nothing_is_loaded_from_elsewhere(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "fonts.googleapis.com" not in page and "cdn" not in page
