"""Drawing many faces on all cores into a packed set.

The workers are separate interpreters (`python -m tfanime.drawn.render ...`): Pillow's drawing
holds the interpreter lock, so threads do not help, and `multiprocessing` would run a user's script
again in every worker if it lacks an `if __name__ == "__main__"`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL

from tfanime.core.files import atomic_folder, save_arrays, write_json
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.data.writer import Writer

# What decides the pixels.
DRAWING = (
    "faces.py",
    "artist.py",
    "portrait.py",
    "hair.py",
    "features.py",
    "body.py",
    "accessories.py",
    "palette.py",
    "strokes.py",
)
STEP = 32  # images between two reports of a worker


def drawing_version() -> str:
    """Changes when the same seed may give other pixels."""
    digest = hashlib.sha256(PIL.__version__.encode())
    for name in DRAWING:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:16]


def render(
    out: str | os.PathLike,
    count: int,
    size: int,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> None:
    """Writes the packed set `out` of the first `count` drawn faces of `seed`.

    The result does not depend on `workers` (by default one a core).

    Raises:
        RuntimeError: if a worker fails, with the end of what it said.
    """
    from tfanime.core.bars import progress_bar

    workers = max(1, min(workers or os.cpu_count() or 1, count // STEP))
    edges = np.linspace(0, count, workers + 1).astype(int).tolist()
    with (
        atomic_folder(out) as folder,
        tempfile.TemporaryDirectory(dir=folder, prefix=".drawing-") as scratch,
        progress_bar(total=count, desc="drawing", unit=" images", disable=not progress) as bar,
    ):
        parts = [Path(scratch) / f"{first}.npz" for first in edges[:-1]]
        running = [
            _start(first, last - first, size, seed, part)
            for first, last, part in zip(edges, edges[1:], parts, strict=False)
        ]
        try:
            with ThreadPoolExecutor(workers) as pool:
                try:
                    list(pool.map(lambda worker: _follow(worker, bar), running))
                except BaseException:
                    _stop(running)  # or the threads would wait for them
                    raise
        finally:
            _stop(running)
        writer, labels = Writer(folder, size, size), []
        for part in parts:
            with np.load(part) as arrays:
                for picture in arrays["images"]:
                    writer.add(picture)
                labels.append(arrays["labels"])
        write_json(folder / "files.json", [f"drawn-{seed}-{i}" for i in range(count)])
        writer.finish(
            np.concatenate(labels),
            MAKEGIRLSMOE,
            made_from={"drawn": drawing_version(), "seed": seed},
            source="drawn",
            labels_from="drawn",
            ignored_columns={},
            rejected=[],
        )


def _start(first: int, count: int, size: int, seed: int, part: Path) -> subprocess.Popen:
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    arguments = [str(n) for n in (first, count, size, seed)]
    return subprocess.Popen(
        [sys.executable, "-m", "tfanime.drawn.render", *arguments, str(part)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Without it, a file random.py in the current folder would shadow Python's own.
        env=os.environ | {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
    )


def _follow(worker: subprocess.Popen, bar) -> None:
    lines = []
    for line in worker.stdout:
        if line.startswith("drawn "):
            bar.update(int(line.split()[1]))
        else:
            lines.append(line)
    if worker.wait():
        raise RuntimeError(f"Drawing faces failed:\n{''.join(lines[-20:])}")


def _stop(running: list[subprocess.Popen]) -> None:
    for worker in running:
        if worker.poll() is None:
            worker.kill()
        worker.wait()
        worker.stdout.close()


def _work(first: int, count: int, size: int, seed: int, part: str) -> None:
    from tfanime.drawn.faces import draw_faces

    images, labels = [], []
    for start in range(first, first + count, STEP):
        some = min(STEP, first + count - start)
        faces = draw_faces(some, size, seed, first=start)
        images.append(faces[0])
        labels.append(faces[1])
        print(f"drawn {some}", flush=True)
    faces = {"images": np.concatenate(images), "labels": np.concatenate(labels)}
    save_arrays(part, faces)


if __name__ == "__main__":
    _work(*map(int, sys.argv[1:5]), sys.argv[5])
