"""The notebooks of docs/start run as they are, and are ready for strangers."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BOOKS = sorted((ROOT / "docs" / "start").glob("*.ipynb"))
# Each with what its outputs must be, among others.
SHOWN = {
    "first_faces": ("image/png", "image/gif"),
    "own_pictures": ("image/png", "text/html"),
    "own_recipe": ("text/html",),
    "posters_from_words": ("image/png", "image/gif"),
}


def test_there_are_four():
    assert [book.stem for book in BOOKS] == sorted(SHOWN)


@pytest.mark.slow
@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_it_runs(book, tmp_path, monkeypatch):
    run = pytest.importorskip("nbmake.nb_run", reason="notebooks need nbmake of the extra dev")
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    # What it writes lies beside it.
    done = run.NotebookRun(Path(shutil.copy(book, tmp_path)), 300).execute()
    assert done.error is None, done.error.summary
    outputs = [one for cell in done.nb.cells for one in cell.get("outputs", [])]
    kinds = {kind for one in outputs for kind in one.get("data", ())}
    assert kinds >= set(SHOWN[book.stem])
    said = "".join(one["text"] for one in outputs if one.get("name") == "stderr")
    assert "Warning" not in said and "Error" not in said, said


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_it_is_ready_for_colab_and_stripped(book):
    cells = json.loads(book.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert [i for i, source in enumerate(code) if "pip install" in source] == [0]
    assert 'if importlib.util.find_spec("tfanime") is None:' in code[0]
    for cell in cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_its_links_lead_somewhere_and_pages_lead_to_it(book):
    cells = json.loads(book.read_text(encoding="utf-8"))["cells"]
    prose = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", prose) if "://" not in link]
    assert [link for link in links if not (book.parent / link).exists()] == []
    page = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    assert f"(start/{book.name})" in page
