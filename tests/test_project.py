"""The files of the project beside its code: what they say is so."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

import tfanime
from tests import conftest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md"]
PAGES += [f"docs/{name}.md" for name in ("machines", "fine_tuning", "notebooks")]
YAML = [
    *("CITATION.cff", ".pre-commit-config.yaml"),
    *(".github/dependabot.yml", ".github/workflows/tests.yml", ".github/workflows/packages.yml"),
]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", read(page))
    folder = (ROOT / page).parent
    assert [link for link in links if "://" not in link and not (folder / link).exists()] == []


@pytest.mark.parametrize("name", YAML)
def test_yaml_is_well_formed(name):
    yaml = pytest.importorskip("yaml")
    assert isinstance(yaml.safe_load(read(name)), dict)


def test_the_version_to_cite_is_this_one():
    assert f"\nversion: {tfanime.__version__}\n" in read("CITATION.cff")


def test_what_versions_mean_is_said():
    assert re.fullmatch(r"\d+\.\d+\.\d+", tfanime.__version__)
    assert f"## {tfanime.__version__}" in read("CHANGELOG.md")
    assert "semver.org" in read("CHANGELOG.md") and "semver.org" in read("CONTRIBUTING.md")


def test_workflows_run_what_continuous_integration_runs():
    assert "- run: .ci/run\n" in read(".github/workflows/tests.yml")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_longest_files_of_tests_are_there():
    assert [name for name in conftest.LONGEST if not (ROOT / "tests" / name).is_file()] == []


def test_no_file_of_code_is_longer_than_one_reads_in_one_sitting():
    folders = ("tfanime", "tests", "scripts", "web_export/src", "web_export/public")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    code = [path for path in files if path.suffix in (".py", ".ts", ".js", ".mjs", ".sh", ".css")]
    ours = [path for path in code if not {"_site", "node_modules"} & {*path.parts}]
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in ours}
    assert len(lengths) > 500
    assert {str(path): length for path, length in lengths.items() if length > 400} == {}


def test_hooks_are_those_that_contributors_are_told_of():
    hooks = re.findall(r"entry: (.*)", read(".pre-commit-config.yaml"))
    words = [shlex.split(hook)[:2] for hook in hooks]
    assert ["ruff", "check"] in words and ["ruff", "format"] in words
    script = shlex.split(hooks[-1])[2]
    assert compile(script, "hook", "exec")


def test_what_contributing_names_is_there():
    text = read("CONTRIBUTING.md")
    names = re.findall(r"`((?:tfanime|gans|models|cli|evaluation|scripts|export)/[a-z_/.]*)`", text)
    assert len(names) > 5
    for name in names:
        assert (ROOT / name).exists() or (ROOT / "tfanime" / name).exists(), name


def test_installed_code_names_no_file_that_wheels_lack():
    """Who has no checkout is told the page's title or the site's address instead."""
    left_out = re.compile(r"(?<![\w/.-])(docs|scripts|tests|web_export)/[\w*{]")
    builders = {"export/web/site.py"}  # which builds the site of a checkout
    names = {
        f"{path.relative_to(ROOT)}, line {number}: {line.strip()}"
        for path in (ROOT / "tfanime").rglob("*")
        if path.suffix in (".py", ".html", ".json") and path.is_file()
        if path.relative_to(ROOT / "tfanime").as_posix() not in builders
        if "_site" not in path.parts and "_saved_models" not in path.parts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if left_out.search(line)
    }
    assert not names
