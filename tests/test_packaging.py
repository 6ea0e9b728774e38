"""The packages: sdist and wheel from what the Dockerfile copies, and what a stranger installs."""

from __future__ import annotations

import fnmatch
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import setuptools

import tfanime
from tfanime import zoo
from tfanime.cli import machine
from tfanime.core.decode import read_image

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COPIED = " ".join(re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M)).split()
UNUSED = shutil.ignore_patterns("__pycache__", "node_modules", "build", "dist", "_site")
ADDRESS = "https://example.org/tfanime"


def run(*words, cwd, **variables):
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**env, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """sdist and wheel, the wheel built from the sdist; without the site, which needs npm."""
    for name in ("build", "twine", "wheel"):
        pytest.importorskip(name, reason=f"packages need {name} of the extra dev")
    folder = tmp_path_factory.mktemp("packages")
    source = folder / "source"
    source.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=UNUSED)
        else:
            shutil.copy(ROOT / name, source)
    words = ("-m", "build", "--no-isolation", "--skip-dependency-check", "--outdir", folder)
    run(sys.executable, *words, cwd=source, TFANIME_WITHOUT_SITE="1", TFANIME_URL=ADDRESS)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


@pytest.mark.slow
def test_an_index_would_take_them(built):
    said = run(sys.executable, "-m", "twine", "check", "--strict", *built, cwd=built[0].parent)
    assert said.count("PASSED") == 2
    with zipfile.ZipFile(built[1]) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(next(n for n in names if n.endswith("/METADATA"))).decode()
    assert f"\nVersion: {tfanime.__version__}\n" in metadata
    assert f"\nProject-URL: Issues, {ADDRESS}/issues\n" in metadata
    for name in zoo.names():
        assert f"tfanime/_saved_models/{name}/MODEL_CARD.md" in names
    data = ["py.typed", "sampling/words.json", "sampling/phrases.json", "text/explorer.html"]
    data += ["posters/fonts/Cinzel.ttf", "posters/fonts/OFL.txt"]
    assert {f"tfanime/{name}" for name in data} <= set(names)
    assert not [n for n in names if n.startswith(("tests/", "docs/", "scripts/"))]
    with tarfile.open(built[0]) as sdist:
        inside = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"LICENSE", "setup.py", "web_export/build_backend.py"} <= inside


@pytest.mark.slow
def test_the_wheel_draws_in_a_clean_environment(built, tmp_path):
    """What it depends on comes from the present environment, tfanime itself does not."""
    place = tmp_path / "environment"
    venv.create(place)
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    words = ("-m", "pip", "--python", programs / "python", "install", "--no-index", "--no-deps")
    words += ("--no-compile",)  # what runs is compiled when it is imported
    run(sys.executable, *words, built[1], cwd=tmp_path)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
    (packages / "present.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = "import tfanime; print(tfanime.__file__)"
    found = run(programs / "python", "-c", where, cwd=tmp_path).strip()
    assert Path(found).resolve() == (packages / "tfanime" / "__init__.py").resolve()
    command = programs / "tfanime"
    assert run(command, "--version", cwd=tmp_path) == f"tfanime {tfanime.__version__}\n"
    run(command, "generate", "--n", 1, "--seed", 3, "--out", "one", cwd=tmp_path)
    drawn = np.asarray(read_image(next((tmp_path / "one").glob("*.png"))))
    assert drawn.shape == (256, 256, 3) and drawn.std() > 20


# ---- the image ----------------------------------------------------------------------------------


def test_what_the_image_copies_is_there_and_is_not_ignored():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*" and len(COPIED) > 6
    for name in COPIED:
        assert (ROOT / name).exists() and f"!{name}" in rules, name
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted(COPIED)
    again = [rule for rule in rules[1:] if not rule.startswith("!")]
    assert not [(n, rule) for n in COPIED for rule in again if fnmatch.fnmatch(n, rule)]


def test_the_image_has_what_a_build_needs(monkeypatch):
    """Everything that setup.py reads, and pyproject.toml names."""
    read = re.findall(r'read\("([^"]+)"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    assert {"setup.py", "pyproject.toml", "web_export", "saved_models", *read} <= set(COPIED)
    monkeypatch.setattr(setuptools, "setup", lambda **options: None)
    extras = runpy.run_path(str(ROOT / "setup.py"))["EXTRAS"]
    assert set(re.search(r"^ARG EXTRAS=(\S+)$", DOCKERFILE, re.M)[1].split(",")) <= set(extras)


def test_the_image_is_run_by_nobody_special_and_has_a_variant_for_gpus():
    commands = [line.split()[0] for line in DOCKERFILE.splitlines() if re.match(r"[A-Z]+ ", line)]
    assert commands.index("USER") < commands.index("ENTRYPOINT")
    assert re.search(r"^USER (?!root)", DOCKERFILE, re.M)
    page = (ROOT / "docs" / "machines.md").read_text(encoding="utf-8")
    flow = (ROOT / ".github" / "workflows" / "packages.yml").read_text(encoding="utf-8")
    for text in (DOCKERFILE, page, flow):
        assert "TENSORFLOW" in text and "tensorflow[and-cuda]" in text
    version = re.search(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.M)[1]
    assert f"Programming Language :: Python :: {version}" in (ROOT / "setup.py").read_text()


def test_all_name_the_same_pythons(monkeypatch):
    options = {}
    monkeypatch.setattr(setuptools, "setup", lambda **arguments: options.update(arguments))
    runpy.run_path(str(ROOT / "setup.py"))
    label = "Programming Language :: Python :: 3."
    minors = [int(one[len(label) :]) for one in options["classifiers"] if one.startswith(label)]
    low, high = minors[0], minors[-1]
    assert minors == list(range(low, high + 1)) and len(minors) > 1
    assert options["python_requires"] == f">=3.{low},<3.{high + 1}"
    doctors = machine.PYTHONS
    assert doctors == ((3, low), (3, high))
    for file in ("setup.py", "scripts/_env.sh"):
        assert f"(3, {low}) <= sys.version_info[:2] <= (3, {high})" in (ROOT / file).read_text()
    flow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert re.findall(r'"3\.(\d+)"', flow) == [str(minor) for minor in minors]
