"""The bundle for machines that reach nothing: rehearsed from end to end, on the CPU."""

import json
import os
import subprocess
import sys

import pytest

from tests import jax_process, scripts

SMALL = ["generator.channels=4", "discriminator.channels=4", "batch_size=8"]


@pytest.fixture(scope="module")
def bundle():
    return scripts.load("cluster/gpu_bundle")


def test_parts_are_no_larger_than_asked_and_make_the_folder_again(bundle, tmp_path):
    data, parts, back = (tmp_path / name for name in ("data", "parts", "back"))
    for folder in (data / "inner", parts, back):
        folder.mkdir(parents=True)
    (data / "a.bin").write_bytes(bytes(range(256)) * 300)
    (data / "inner" / "b.txt").write_text("b")
    count = bundle.write_parts(data, parts, 20_000)
    files = sorted(parts.iterdir())
    assert len(files) == count > 3 and all(p.stat().st_size <= 20_000 for p in files)
    whole = b"".join(path.read_bytes() for path in files)
    subprocess.run(["tar", "-x", "-C", str(back)], input=whole, check=True)
    assert (back / "a.bin").read_bytes() == (data / "a.bin").read_bytes()
    assert (back / "inner" / "b.txt").read_text() == "b"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "--out", "x"], "DATA is a set packed by"),
        (["packed", "--out", "packed"], "--out is a folder that is not there yet"),
        (["packed", "--out", "x", "--part-mib", "0"], "--part-mib is at least 1"),
    ],
)
def test_refusals(bundle, tmp_path, monkeypatch, words, message):
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "dataset.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["gpu_bundle.py", *words])
    with pytest.raises(SystemExit, match=message):
        bundle.main()


@pytest.mark.slow
def test_two_slices_are_one_training(bundle, packed, tmp_path, monkeypatch):
    """What is installed here stands in for the wheels; the package itself comes from its own."""
    pytest.importorskip("jax")
    words = ["--recipe", "dcgan", "--precision", "float32", "--no-wheels", "--set", *SMALL]
    out = tmp_path / "bundle"
    command = ["gpu_bundle.py", str(packed), *words, "--out", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    # pip builds with the setuptools that is here, instead of fetching one (test_package.py tells
    # what a build may need). For an option that switches off, 0 is what switches.
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")
    bundle.main()
    env = {**os.environ, **jax_process.environment(tmp_path / "compiled"), "PYTHON": sys.executable}
    env.pop("PYTHONPATH", None)
    steps = []
    for total in ("1", "2"):
        slice_ = ["bash", out / "train.sh", tmp_path / "work", "30", "--steps", total]
        done = subprocess.run(slice_, capture_output=True, text=True, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        newest = max((tmp_path / "work" / "run" / "checkpoints").iterdir())
        steps.append(json.loads((newest / "meta.json").read_text())["step"])
    assert steps == [1, 2]
    part = next((out / "data").iterdir())
    part.write_bytes(part.read_bytes()[:-1])
    other = ["bash", out / "train.sh", tmp_path / "other", "1"]
    done = subprocess.run(other, capture_output=True, text=True, env=env)
    assert done.returncode != 0 and "data/part-0000: FAILED" in done.stdout + done.stderr
