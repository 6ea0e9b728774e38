"""The floors of the house: which package may import which. pyproject.toml has the contracts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"


def lint(root: Path) -> subprocess.CompletedProcess:
    """`lint-imports` in a checkout, in a process of its own: this one has tfanime imported."""
    command = [sys.executable, "-c", LINT, "--no-cache", "--no-logo"]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=120)


def test_every_package_imports_only_from_floors_below():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_breaks_a_floor_is_found(tmp_path):
    shutil.copytree(ROOT / "tfanime", tmp_path / "tfanime")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tfanime" / "attic").mkdir()
    for file, line in {
        "core/files.py": "from tfanime.data import writer",
        "data/writer.py": "import tfanime.text",
        "export/graph/graph.py": "from tfanime.export.web import tfjs",
        "layers/spectral.py": "import tfanime",
        "models/common.py": "from tfanime.models import dcgan",
        "attic/__init__.py": "",
    }.items():
        with (tmp_path / "tfanime" / file).open("a", encoding="utf-8") as out:
            out.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    words = " ".join(done.stdout.split())
    for told in (
        "tfanime.core is not allowed to import tfanime.data: - tfanime.core.files",
        "tfanime.data is not allowed to import tfanime.text: - tfanime.data.writer",
        "tfanime.export.graph is not allowed to import tfanime.export.web",
        # Through the public face, which imports everything.
        "tfanime.layers is not allowed to import tfanime.gans: - tfanime.layers.spectral",
        "No cycles are allowed in tfanime.models",
        "The following modules are not listed as layers: - tfanime.attic",
    ):
        assert told in words
