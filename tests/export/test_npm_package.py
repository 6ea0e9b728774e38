"""The exported folder as a package of npm."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tfanime.export.web import package

PUBLIC = Path(__file__).resolve().parents[2] / "web_export" / "public"
TSC = PUBLIC.parent / "node_modules" / ".bin" / "tsc"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A project with the folder among its packages."""
    folder = tmp_path / "node_modules" / "my-faces"
    (folder / "models" / "girls").mkdir(parents=True)
    (folder / "assets").mkdir()
    for name in ("tfanime.js", "tfanime.json", "index.html", "assets/a.js", "models/girls/m.bin"):
        (folder / name).write_text("export const here = 1;\n" if name == "tfanime.js" else "{}")
    shutil.copy(PUBLIC / "tfanime.d.ts", folder)
    package.write(folder, tmp_path / "My Faces!")
    return tmp_path


def run(*command: str, folder: Path) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_node_finds_the_module(installed):
    code = "import { here } from 'my-faces'; console.log(here, import.meta.resolve('my-faces'))"
    found = run("node", "--input-type=module", "-e", code, folder=installed)
    assert found.startswith("1 file:") and found.strip().endswith("my-faces/tfanime.js")


def test_a_name_of_ones_own_stays(tmp_path):
    named, damaged = tmp_path / "named", tmp_path / "damaged"
    for out, text in ((named, '{"name": "@mine/faces"}'), (damaged, "{")):
        out.mkdir()
        (out / "package.json").write_text(text)
        (folder := out / "fresh").mkdir()
        package.write(folder, out)
    names = [
        json.loads((out / "fresh/package.json").read_text())["name"] for out in (named, damaged)
    ]
    assert names == ["@mine/faces", "damaged"]


def test_npm_packs_what_the_module_needs(installed):
    folder = installed / "node_modules" / "my-faces"
    listed = json.loads(run("npm", "pack", "--dry-run", "--json", "--offline", folder=folder))
    names = {file["path"] for file in listed[0]["files"]}
    assert listed[0]["name"] == "my-faces"
    assert names == {
        "package.json", "tfanime.js", "tfanime.d.ts", "tfanime.json", "assets/a.js",
        "models/girls/m.bin",
    }  # fmt: skip


def test_its_types_are_found(installed):
    if not TSC.exists() or shutil.which("node") is None:  # the demo makes the one without the other
        pytest.skip("TypeScript is in web_export/node_modules and runs on Node: one is not here")
    (installed / "page.ts").write_text(
        'import { Generator, type Picture } from "my-faces";\n'
        'const face: HTMLElement | null = document.querySelector("tfanime-face");\n'
        "const drawn: Promise<Picture> = Generator.load().then((g) =>\n"
        "  g.generate({ seed: 7, vary: [{ seed: 9, strength: 0.2 }] }),\n"
        ");\n"
        "export { drawn, face };\n"
    )
    options = ["--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "bundler"]
    run(str(TSC), *options, "page.ts", folder=installed)
    (installed / "page.ts").write_text('import "my-faces"; import { nothing } from "my-faces";\n')
    refused = subprocess.run([str(TSC), *options, "page.ts"], cwd=installed, capture_output=True)
    assert b"nothing" in refused.stdout
