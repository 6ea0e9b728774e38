"""Trainings that are killed, or whose files are damaged: the same command goes on."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from fuzz_common import HERE, Worker, damaged

GARBAGE = (b"", b"\0" * 100, b"{}", b"[]", b"null", b"\xff\xfe garbage \x1b[2J", b"PK\x03\x04")


def checkpoints(random: Random, folder: Path) -> Iterator[str]:
    """A run of 4 steps, damaged in one place, is to reach step 6 as if nothing had been: from the
    checkpoint before, if need be. Without its configuration alone it may refuse to."""
    sound, run = folder / "sound", folder / "run"
    with Worker(folder) as worker:
        reference = _prepared(worker, folder)
        done = worker.ask(_job(folder, sound, steps=4), seconds=300)
        assert done["error"] is None, done
        while True:
            shutil.rmtree(run, ignore_errors=True)
            shutil.copytree(sound, run)
            what = _damage(run, random)
            answer = worker.ask(_job(folder, run), seconds=300)
            problem = worker.judged(answer)
            if not problem and answer["error"] and not what.startswith("config.json"):
                problem = f"it does not go on: {answer['error'][1][:150]}"
            elif not problem and answer.get("digest") not in (None, reference):
                problem = "another result than without the damage"
            yield problem and f"{what}: {problem}"


def kills(random: Random, folder: Path) -> Iterator[str]:
    """A training is killed, one to three times, and started again until it is done."""
    with Worker(folder) as worker:
        reference = _prepared(worker, folder)
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import fuzz_worker; "
        "fuzz_worker.one_thread(); print(json.dumps(fuzz_worker.train(json.loads(sys.argv[2]))))"
    )
    number = 0
    while True:
        number += 1
        run = folder / f"run{number}"
        job = str(_job(folder, run)).replace("'", '"')
        command = [sys.executable, "-c", program, str(HERE), job]
        for _ in range(random.randint(1, 3)):
            _killed(command, run, random)
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        if done.returncode:
            yield f"it does not go on: {(done.stderr.strip().splitlines() or ['?'])[-1][:200]}"
        else:
            yield "" if reference in done.stdout else "another result than without the kill"


def _killed(command: list[str], run: Path, random: Random) -> None:
    """Starts it, and kills it some time after it has begun to write."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=run.parent
    ) as process:
        before = _state(run)
        while process.poll() is None and _state(run) == before:
            time.sleep(0.01)
        time.sleep(random.choice((0, 0.01, 0.1, 1, 3)) * random.random())
        process.send_signal(signal.SIGKILL)


def _state(run: Path) -> int:
    return sum(1 for _ in run.rglob("*")) if run.exists() else 0


def _prepared(worker: Worker, folder: Path) -> str:
    """Faces to train on, and the digest of the run that nothing happens to."""
    made = worker.ask({"do": "faces", "out": str(folder / "faces")})
    assert made["error"] is None, made
    done = worker.ask(_job(folder, folder / "whole"), seconds=300)
    assert done["error"] is None, done
    return done["digest"]


def _job(folder: Path, out: Path, steps: int = 6) -> dict:
    return {"do": "train", "data": str(folder / "faces"), "out": str(out), "steps": steps}


def _damage(run: Path, random: Random) -> str:
    """Damages one file of a run, or puts a stranger beside; returns what was done."""
    files = sorted(path for path in run.rglob("*") if path.is_file())
    if random.random() < 0.6:
        files = [path for path in files if path.parent.parent.name == "checkpoints"]
    file = random.choice([path for path in files if path.suffix != ".png"])
    name, what = str(file.relative_to(run)), random.randrange(5)
    if what == 0:
        file.unlink()
        return f"{name} is missing"
    if what == 1:
        file.write_bytes(random.choice(GARBAGE))
        return f"{name} is garbage"
    if what == 2 and "checkpoints" in name:
        file.unlink()
        file.mkdir()
        return f"{name} is a folder"
    if what == 3:
        stranger = run / "checkpoints" / random.choice(("step-9", "step-000000099", ".step-x"))
        if random.random() < 0.5:
            stranger.mkdir()
        else:
            stranger.write_bytes(b"x")
        return f"{stranger.name} lies beside the checkpoints"
    file.write_bytes(damaged(file.read_bytes(), random))
    return f"{name} is damaged"
