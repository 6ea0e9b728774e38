"""The installed package as a whole: what importing it costs, says and offers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tfanime
from tfanime.core import lean
from tfanime.zoo.saved import load_generator

ROOT = Path(__file__).resolve().parent.parent
LOUD = {"TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND"}


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs `code` in a fresh interpreter whose environment a user could have."""
    env = {name: value for name, value in os.environ.items() if name not in LOUD}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**env, **environment},
        timeout=120,
    )


def test_import_loads_nothing_heavy():
    heavy = "tensorflow keras numpy PIL matplotlib click tqdm"
    code = f"import sys, tfanime; dir(tfanime); print({{*'{heavy}'.split()}} & {{*sys.modules}})"
    done = run_python(code)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom tfanime.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print({'tensorflow', 'keras', 'numpy'} & {*sys.modules})"
    )
    done = run_python(code)
    assert done.stdout.endswith("set()\n") and done.stderr == ""


def test_tensorflow_may_be_heard(tmp_path):
    """tests/export/test_portable.py says that it is silent otherwise."""
    (tmp_path / "tensorflow.py").write_text("import os\nos.write(2, b'noise\\n')\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport tfanime, tensorflow"
    assert run_python(code, TF_CPP_MIN_LOG_LEVEL="0").stderr == "noise\n"
    finders = "import sys, tfanime; print([f for f in sys.meta_path if 'Quiet' in repr(f)])"
    assert run_python(finders, TF_CPP_MIN_LOG_LEVEL="0").stdout == "[]\n"
    # A child of a silent process inherits the level, and is silent too.
    assert "Quiet" in run_python(finders, TF_CPP_MIN_LOG_LEVEL="3").stdout


def test_failing_import_of_tensorflow_is_told(tmp_path):
    broken = tmp_path / "tensorflow.py"
    broken.write_text("import os\nos.write(2, b'what went wrong\\n')\nraise ImportError('no')\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport tfanime, tensorflow"
    done = run_python(code)
    assert done.returncode == 1
    assert "what went wrong" in done.stderr and "ImportError: no" in done.stderr


@pytest.mark.slow
def test_keras_knows_the_layers_of_saved_models(tmp_path):
    """Keras may be imported first, too: tests/gans/test_saving.py does it after tfanime. It is
    asked for a file of its own version, since earlier ones refuse those of later ones."""
    model = tmp_path / "generator.keras"
    load_generator("faces-64").model.save(model)
    hide = f"import sys; sys.modules.update(dict.fromkeys({lean.OPTIONAL}))"  # for a quicker start
    code = f"{hide}\nimport keras, tfanime\nprint(keras.models.load_model({str(model)!r}).name)"
    done = run_python(code, TF_CPP_MIN_LOG_LEVEL="3")
    assert (done.returncode, done.stdout) == (0, "generator\n"), done.stderr


def test_silence_ends_with_the_import(tmp_path):
    (tmp_path / "tensorflow.py").write_text("import os\nos.write(2, b'noise\\n')\n")
    code = f"""
import os, sys
sys.path.insert(0, {str(tmp_path)!r})
import tfanime, importlib.util
importlib.util.find_spec("tensorflow")  # looking is not importing
import tensorflow
os.write(2, b'heard')
"""
    assert run_python(code).stderr == "heard"


def test_a_process_without_stderr_can_import(tmp_path):
    (tmp_path / "tensorflow.py").write_text("")
    code = (
        f"import os, sys; sys.path.insert(0, {str(tmp_path)!r}); os.close(2)\n"
        "import tfanime, tensorflow; print('done')"
    )
    assert run_python(code).stdout == "done\n"


@pytest.mark.parametrize("name", tfanime.__all__)
def test_public_names_exist(name):
    assert name in dir(tfanime)
    assert getattr(tfanime, name) is not None


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'generat'"):
        tfanime.generat  # noqa: B018


def test_every_folder_of_the_package_is_packaged():
    package = ROOT / "tfanime"
    folders = {file.parent for file in package.rglob("*.py")}
    assert [str(f) for f in sorted(folders) if not (f / "__init__.py").is_file()] == []


def test_wrong_python_gets_one_sentence():
    code = (
        "import sys; sys.version_info = (3, 9, 1, 'final', 0)\n"
        "exec(compile(open('setup.py').read(), 'setup.py', 'exec'))"
    )
    done = run_python(code)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "needs Python 3.10, 3.11, 3.12 or 3.13" in done.stderr and "Python 3.9" in done.stderr


def test_scripts_refuse_a_machine_without_a_fitting_python(tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (tmp_path / "setup.py").write_text("")
    for name in ("_env.sh", "test.sh"):
        (scripts / name).write_text((ROOT / "scripts" / name).read_text())
    commands = tmp_path / "commands"  # as pyenv's shims: they exist and fail
    commands.mkdir()
    for name in ("python3.13", "python3.12", "python3.11", "python3.10", "python3", "python"):
        (commands / name).write_text("#!/bin/sh\nexit 127\n")
        (commands / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{commands}:/usr/bin:/bin"}
    env.pop("PYTHON", None)
    done = subprocess.run(
        ["bash", str(scripts / "test.sh")], capture_output=True, text=True, env=env, timeout=60
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("tfanime needs Python 3.10, 3.11, 3.12 or 3.13")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("page", ["README.md", "docs/README.md"])
def test_links_lead_somewhere(page):
    file = ROOT / page
    links = re.findall(r"\]\(([^)#]+)\)", file.read_text(encoding="utf-8"))
    links = [link for link in links if "://" not in link]
    assert links
    assert [link for link in links if not (file.parent / link).exists()] == []


def test_the_documentation_lists_every_recipe():
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    for name in tfanime.recipes.names():
        assert f"| `{name}` | {tfanime.recipes.headline(name).rstrip('.')} |" in page


@pytest.mark.slow
def test_python_example_of_the_readme_runs(tmp_path):
    """As printed, but with fewer and smaller pictures."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", readme, re.S).group(1)
    assert example.count("\n") <= 10
    small = example.replace("size=64", "size=32, count=64")
    small = small.replace("minutes=5", "steps=2, batch_size=8, progress=False")
    assert small.count("32") == small.count("steps=2") == 1
    # Two steps do not pay for tracing a graph.
    eager = "from tfanime.gans import backend\nbackend.compiled = lambda gan: gan.train_step"
    start = f"import os, tests.quick_start; os.chdir({str(tmp_path)!r})"
    code = f"{start}\n{eager}\n{small}"
    done = run_python(code, TFANIME_CACHE=str(tmp_path / "cache"), PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(16, 256, 256, 3) {'style': 'bust', 'hair': 'pink',")
    assert (tmp_path / "faces.png").is_file() and (tmp_path / "loop.gif").is_file()


def test_a_wheel_is_built_where_nothing_is_installed():
    """pip builds in an environment of setuptools alone: what setup.py imports may need no more."""
    code = (
        "import sys\n"
        "class Nothing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'numpy', 'keras', 'tensorflow', 'PIL', 'h5py'}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Nothing())\n"
        "import tfanime.export.web.site\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_extras_are_installed_from_a_checkout():
    """No index has tfanime yet: what messages and docs say must work."""
    files = [*ROOT.glob("tfanime/**/*.py"), *ROOT.glob("docs/**/*.md")]
    naming = [str(file) for file in files if "tfanime[" in file.read_text(encoding="utf-8")]
    assert not naming
