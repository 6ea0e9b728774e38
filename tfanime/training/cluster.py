"""Which processes train together: TF_CONFIG, read as it is, or made from a list or from Slurm.

TF_CONFIG is JSON: `{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker",
"index": 0}}`. All processes have the same list and each its own index; worker 0 writes the run.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

PORT = 12321  # of the first task on a node
_ADDRESS = re.compile(r"(?P<host>[^\s:,\[\]]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


def config(workers: Sequence[str], index: int) -> str:
    """The TF_CONFIG of one worker.

    Args:
        workers: `host:port` of each.
        index: of this one.

    Raises:
        ValueError: for an address of another form, one that occurs twice, or an index outside.
    """
    for worker in workers:
        match = _ADDRESS.fullmatch(worker)
        if not match or not 0 < int(match["port"]) < 2**16:
            raise ValueError(f"A worker is written host:port. Received: {worker!r}.")
    twice = sorted({worker for worker in workers if list(workers).count(worker) > 1})
    if twice:
        raise ValueError(f"Every worker has an address of its own. Received twice: {twice[0]!r}.")
    if not 0 <= index < len(workers):
        raise ValueError(
            f"index is a whole number from 0 to {len(workers) - 1}, a place in the list of "
            f"{len(workers)} workers. Received: {index}."
        )
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": list(workers)}, "task": task})


def workers_of(text: str | None) -> int:
    """How many workers a TF_CONFIG names; 1 without one.

    Raises:
        ValueError: when it is not JSON of that form.
    """
    if not text:
        return 1
    try:
        jobs = json.loads(text).get("cluster", {})
        return max(1, len(jobs.get("chief", [])) + len(jobs.get("worker", [])))
    except (ValueError, AttributeError, TypeError):
        raise ValueError(
            'TF_CONFIG is JSON such as {"cluster": {"worker": ["a:12321", "b:12321"]}, "task": '
            f'{{"type": "worker", "index": 0}}}}. Received: {text!r}.'
        ) from None


def own_index(workers: Sequence[str]) -> int:
    """The place of this machine in the list, by its name or address.

    Raises:
        ValueError: when it is there not once but never or several times.
    """
    names = {socket.gethostname(), socket.getfqdn()}
    names |= {name.partition(".")[0] for name in names}
    for name in tuple(names):
        try:
            names |= {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
        except OSError:
            continue
    indices = [
        i for i, worker in enumerate(workers) if worker.rpartition(":")[0].strip("[]") in names
    ]
    if len(indices) != 1:
        raise ValueError(
            f"This machine ({socket.gethostname()}) is {len(indices)} of the workers "
            f"{', '.join(workers)}. Say which with --index, from 0 to {len(workers) - 1}."
        )
    return indices[0]


def local(count: int) -> list[str]:
    """As many addresses on this machine whose ports are free now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"localhost:{one.getsockname()[1]}" for one in sockets]


# ---- Slurm ---------------------------------------------------------------------------------------


def from_slurm(environment: Mapping[str, str], port: int = PORT) -> tuple[list[str], int]:
    """The workers of a Slurm step, one a task, and the index of this task.

    Tasks are numbered node by node (`srun --distribution=block`, Slurm's default). The first task
    on a node listens on `port`, the next on `port + 1`.

    Args:
        environment: with SLURM_PROCID, and SLURM_STEP_NODELIST and SLURM_STEP_TASKS_PER_NODE or
            the job's.
        port: of the first task on every node.

    Raises:
        ValueError: outside of a Slurm step.
    """
    variables = {
        name: environment.get(f"SLURM_STEP_{name}") or environment.get(f"SLURM_{other}")
        for name, other in (("NODELIST", "JOB_NODELIST"), ("TASKS_PER_NODE", "TASKS_PER_NODE"))
    }
    task = environment.get("SLURM_PROCID", "")
    if not all(variables.values()) or not task.isdigit():
        raise ValueError(
            "--slurm reads SLURM_PROCID, SLURM_STEP_NODELIST and SLURM_STEP_TASKS_PER_NODE, which "
            "srun sets. Received: an environment without them. Start with: srun tfanime launch "
            "--slurm -- train ..."
        )
    nodes, tasks = hosts(variables["NODELIST"]), tasks_per_node(variables["TASKS_PER_NODE"])
    if len(nodes) != len(tasks):
        raise ValueError(
            f"Slurm's lists name as many nodes as numbers of tasks. Received: "
            f"{variables['NODELIST']} and {variables['TASKS_PER_NODE']}."
        )
    pairs = zip(nodes, tasks, strict=True)
    return [f"{node}:{port + i}" for node, count in pairs for i in range(count)], int(task)


def hosts(text: str) -> list[str]:
    """Slurm's list of hosts, written out: `a[1-2,07],b` is a1, a2, a07, b.

    Raises:
        ValueError: for anything else.
    """
    # Commas within brackets belong to a name.
    parts = re.findall(r"[^,\[\]]+(?:\[[^\[\]]*\][^,\[\]]*)*", text)
    if ",".join(parts) != text:
        raise ValueError(f"A list of hosts looks like node[01-03],other. Received: {text!r}.")
    return [name for part in parts for name in _written_out(part)]


def _written_out(part: str) -> list[str]:
    before, bracket, rest = part.partition("[")
    if not bracket:
        return [part]
    inside, _, after = rest.partition("]")
    names = []
    for item in inside.split(","):
        first, dash, last = item.partition("-")
        if not first.isdigit() or dash and not last.isdigit():
            raise ValueError(f"A list of hosts looks like node[01-03],other. Received: {part!r}.")
        for number in range(int(first), int(last or first) + 1):
            names.append(f"{before}{number:0{len(first)}d}")
    return [name + tail for name in names for tail in _written_out(after)] if after else names


def tasks_per_node(text: str) -> list[int]:
    """Slurm's numbers of tasks: `2(x3),1` is 2, 2, 2, 1."""
    counts: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part)
        if not match:
            raise ValueError(f"Numbers of tasks look like 2(x3),1. Received: {text!r}.")
        counts += [int(match[1])] * int(match[2] or 1)
    return counts
