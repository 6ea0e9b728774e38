"""`tfanime launch`: what the processes get, what their ends do to each other."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from tfanime import cli
from tfanime.training import launch

OWN = "import json, os, sys, time; task = json.loads(os.environ['TF_CONFIG'])['task']['index']\n"


def run_all(code, **options):
    said = []
    done = launch.run_all(2, [], said.append, [sys.executable, "-c", OWN + code], **options)
    return done, sorted(said)


def test_each_worker_gets_the_list_and_its_index():
    code, said = run_all("print(os.environ['TF_CONFIG'])")
    assert code == 0
    first, second = (json.loads(line[4:]) for line in said)
    assert [line[:4] for line in said] == ["[0] ", "[1] "]
    assert first["cluster"] == second["cluster"] and len(first["cluster"]["worker"]) == 2
    assert (first["task"]["index"], second["task"]["index"]) == (0, 1)


def test_of_a_progress_bar_the_last_state_is_shown():
    code, said = run_all(r"print('10%\r50%\r100%', end='\n'); print(); print('done', task)")
    assert (code, said) == (0, ["[0] 100%", "[0] done 0", "[1] 100%", "[1] done 1"])


def test_one_that_fails_ends_the_others():
    started = time.monotonic()
    code, said = run_all("sys.exit(3) if task else time.sleep(60)")
    assert code == 3 and time.monotonic() - started < 30
    assert said == ["Worker 1 ended with exit code 3, so the others are stopped."]


def test_one_that_does_not_listen_is_killed(tmp_path):
    """Worker 1 fails as soon as worker 0 has ceased to listen."""
    ready = str(tmp_path / "ready")
    program = f"""
import signal
if task == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open({ready!r}, "w").close()
    time.sleep(60)
while not os.path.exists({ready!r}):
    time.sleep(0.01)
os.kill(os.getpid(), 9)
"""
    code, _ = run_all(program, grace=0.5)
    assert code == 128 + signal.SIGKILL


def test_one_worker_of_a_list(monkeypatch):
    code = OWN + "sys.exit(task + 5)"
    monkeypatch.setattr(launch, "_command", lambda arguments: [sys.executable, "-c", code])
    done = CliRunner().invoke(
        cli.main, ["launch", "--workers", "a:1,b:1", "--index", "1", "--", "train", "dcgan"]
    )
    assert done.exit_code == 6
    slurm = {"SLURM_PROCID": "0", "SLURM_STEP_NODELIST": "n", "SLURM_STEP_TASKS_PER_NODE": "1"}
    done = CliRunner().invoke(cli.main, ["launch", "--slurm", "--", "train"], env=slurm)
    assert done.exit_code == 5


def test_the_command_is_tfanime_with_all_its_options(monkeypatch):
    seen = []
    monkeypatch.setattr(launch, "run_all", lambda *arguments: seen.append(arguments) or 0)
    words = ["train", "dcgan", "--set", "g_lr=1", "--steps", "3", "--out", "x"]
    done = CliRunner().invoke(cli.main, ["launch", "--local-workers", "2", "--", *words])
    assert done.exit_code == 0, done.output
    assert (seen[0][0], list(seen[0][1])) == (2, words)
    assert launch._command(words)[1:] == ["-m", "tfanime", *words]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--", "train"], "one of --workers, --local-workers and --slurm"),
        (["--slurm", "--local-workers", "2", "--", "train"], "one of --workers"),
        (["--local-workers", "2", "--", "generate"], "one of: train, sweep. Received: 'generate'"),
        (["--local-workers", "2", "--index", "0", "--", "train"], "--index goes with --workers"),
    ],
)
def test_wrong_usage(words, sentence):
    done = CliRunner().invoke(cli.main, ["launch", *words])
    assert done.exit_code == 2 and sentence in done.output


def test_a_list_that_is_wrong_is_one_sentence():
    done = CliRunner().invoke(cli.main, ["launch", "--workers", "a", "--index", "0", "--", "train"])
    assert done.exit_code == 1 and "written host:port. Received: 'a'" in done.output


def test_sigterm_is_passed_on():
    code = (
        "import sys; from tfanime.training import launch\n"
        f"own = {OWN + 'print(0, flush=True); time.sleep(60)'!r}\n"
        "say = lambda line: print(line, flush=True)\n"
        "sys.exit(launch.run_all(1, [], say, [sys.executable, '-c', own]))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"[0] 0\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
