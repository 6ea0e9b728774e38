"""The notebooks of docs/start run, and are ready for strangers."""

from __future__ import annotations

import json
import re
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


# Training that is seen sooner, and images that are fewer.
QUICK = {
    "first_faces": {"frames=8": "frames=2", "n=4": "n=1", "n=8": "n=2", "n=16": "n=3"},
    "posters_from_words": {"frames=8": "frames=2", "n=8": "n=2"},
    "own_pictures": {"steps=4": "steps=1", "n=8": "n=2"},
    "own_recipe": {"steps=40, sample_every=20": "steps=4, sample_every=2", "count=256": "count=64"},
}


# So few steps do not pay for tracing a graph.
FORGET = """%reset -f
import tfanime.gans.backend
tfanime.gans.backend.compiled = lambda gan: gan.train_step
del tfanime
"""


def cells_of(book: Path) -> list[dict]:
    """As they are, but for QUICK; before them all names of the notebook before are forgotten."""
    text = book.read_text(encoding="utf-8")
    for long, short in QUICK.get(book.stem, {}).items():
        assert long in text
        text = text.replace(long, short)
    forget = {"cell_type": "code", "source": FORGET, "metadata": {"of": book.stem}}
    cells = [forget | {"outputs": [], "execution_count": None}, *json.loads(text)["cells"]]
    for number, cell in enumerate(cells):
        cell["id"] = f"{book.stem}-{number}"  # no cell of another notebook has it
        cell["metadata"] = {"of": book.stem}
    return cells


@pytest.mark.slow
def test_they_run(tmp_path, monkeypatch):
    """One after the other in one kernel, which takes longer to start than they take to run."""
    run = pytest.importorskip("nbmake.nb_run", reason="notebooks need nbmake of the extra dev")
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    whole = json.loads(BOOKS[0].read_text(encoding="utf-8"))
    whole["cells"] = [cell for book in BOOKS for cell in cells_of(book)]
    # What they write lies beside them.
    (tmp_path / "whole.ipynb").write_text(json.dumps(whole), encoding="utf-8")
    done = run.NotebookRun(tmp_path / "whole.ipynb", 300).execute()
    assert done.error is None, done.error.summary
    for book, kinds in SHOWN.items():
        cells = [cell for cell in done.nb.cells if cell.metadata["of"] == book]
        outputs = [one for cell in cells for one in cell.get("outputs", [])]
        assert {kind for one in outputs for kind in one.get("data", ())} >= set(kinds), book
        said = "".join(one["text"] for one in outputs if one.get("name") == "stderr")
        assert "Warning" not in said and "Error" not in said, (book, said)


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
