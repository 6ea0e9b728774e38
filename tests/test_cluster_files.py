"""The files for Kubernetes and Slurm: valid, consistent, and commands that tfanime takes.

No cluster is here: Kubernetes' own schemas say what a file may hold, and a stand-in for srun what
the job would start.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from tfanime import cli

CLUSTER = Path(__file__).resolve().parents[1] / "scripts" / "cluster"
KUBERNETES, SLURM = CLUSTER / "kubernetes.yaml", CLUSTER / "slurm.sbatch"
yaml = pytest.importorskip("yaml")

# Of `man sbatch`: those that the file may use, and what they take.
OPTIONS = {
    "job-name": r"[\w-]+",
    "nodes": r"\d+",
    "ntasks-per-node": r"\d+",
    "gpus-per-node": r"\d+",
    "cpus-per-task": r"\d+",
    "mem": r"\d+[KMGT]",
    "time": r"\d+:\d\d:\d\d",
    "signal": r"(B:)?[A-Z]+@\d+",
    "output": r"[\w%.-]+\.log",
}


def resources() -> dict[str, dict]:
    return {one["kind"]: one for one in yaml.safe_load_all(KUBERNETES.read_text("utf-8"))}


def accepted(words: list[str], data: str) -> None:
    """`tfanime train ...` as the command line reads it, with data that are there."""
    assert words[0] == "train"
    words = ["drawn:100" if word == data else word for word in words[1:]]
    with click.Context(cli.main) as context:
        train = cli.main.get_command(context, "train")
        train.make_context("train", words, parent=context)


def launched(words: list[str], data: str) -> list[str]:
    """What stands before `--` of `tfanime launch ... -- train ...`, which is read too."""
    assert words[0] == "launch"
    place = words.index("--")
    with click.Context(cli.main) as context:
        launch = cli.main.get_command(context, "launch")
        launch.make_context("launch", words[1:], parent=context)
    accepted(words[place + 1 :], data)
    return words[1:place]


# ---- Kubernetes ----------------------------------------------------------------------------------


def test_kubernetes_schemas():
    validate = pytest.importorskip(
        "kubernetes_validate", reason="needs kubernetes-validate of the extra dev"
    )
    for one in resources().values():
        validate.validate(one, validate.latest_version(), strict=True)
    job = resources()["Job"]
    job["spec"]["template"]["spec"]["restartpolicy"] = "Never"
    with pytest.raises(validate.ValidationError):  # so it would be found
        validate.validate(job, validate.latest_version(), strict=True)


def test_kubernetes_workers_find_each_other():
    """The pods of an indexed job are called NAME-INDEX.SUBDOMAIN, in the service of that name."""
    service, job = (resources()[kind] for kind in ("Service", "Job"))
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [port] = [one["containerPort"] for one in container["ports"]]
    name, domain = job["metadata"]["name"], pod["subdomain"]
    assert spec["completionMode"] == "Indexed" and spec["completions"] == spec["parallelism"]
    assert domain == service["metadata"]["name"] and service["spec"]["clusterIP"] == "None"
    labels = spec["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    words = launched(
        [word.replace("$(JOB_COMPLETION_INDEX)", "0") for word in container["args"]],
        "/shared/packed",
    )
    workers = words[words.index("--workers") + 1].split(",")
    assert workers == [f"{name}-{i}.{domain}:{port}" for i in range(spec["completions"])]
    assert "$(JOB_COMPLETION_INDEX)" in container["args"]
    assert [one["name"] for one in container["env"]] == ["JOB_COMPLETION_INDEX"]
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert mounts.keys() == {one["name"] for one in pod["volumes"]}
    folders = [word for word in container["args"] if word.startswith("/")]
    assert folders and all(word.startswith(f"{mounts['shared']}/") for word in folders)


# ---- Slurm ---------------------------------------------------------------------------------------


def test_slurm_directives():
    lines = SLURM.read_text("utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    said = [i for i, line in enumerate(lines) if line.startswith("#SBATCH")]
    first = next(i for i, line in enumerate(lines) if line and not line.startswith("#"))
    assert said and max(said) < first  # sbatch reads none behind the first command
    found = {}
    for i in said:
        name, value = re.fullmatch(r"#SBATCH --([\w-]+)=(\S+)", lines[i]).groups()
        assert re.fullmatch(OPTIONS[name], value), lines[i]
        found[name] = value
    assert len(found) == len(said) and found["ntasks-per-node"] == "1"  # tfanime uses all GPUs


@pytest.mark.skipif(shutil.which("sbatch") is None, reason="needs sbatch")
def test_slurm_itself_takes_it():
    subprocess.run(["sbatch", "--test-only", str(SLURM)], check=True, timeout=60)


@pytest.mark.parametrize("env", [{}, {"DATA": "gs://bucket/faces", "RUN": "runs/b", "STEPS": "9"}])
def test_what_the_slurm_job_starts(env, tmp_path):
    """With a stand-in for srun, which writes down what it was asked for."""
    subprocess.run(["bash", "-n", str(SLURM)], check=True, timeout=60)
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "activate").write_text("ACTIVE=1\n")
    srun = tmp_path / "srun"
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    done = subprocess.run(
        ["bash", str(SLURM)],
        env={
            "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
            "TFANIME_ENV": str(tmp_path / "env"),
            "SLURM_CPUS_PER_TASK": "8",
            **env,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    assert words[:3] == ["--kill-on-bad-exit=1", "--cpus-per-task=8", "tfanime"]
    data = env.get("DATA", "packed/")
    assert launched(words[3:], data) == ["--slurm"]
    for option, value in (("data", data), ("out", env.get("RUN", "runs/faces"))):
        assert words[words.index(f"--{option}") + 1] == value
    assert words[words.index("--steps") + 1] == env.get("STEPS", "50000")
