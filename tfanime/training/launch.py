"""Starts the processes of a training: one of many on this machine, or all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

from tfanime.training import cluster

GRACE = 15.0  # seconds that the others get to end by themselves when one has failed


def run_one(workers: Sequence[str], index: int, arguments: Sequence[str]) -> int:
    """Runs `tfanime ARGUMENTS` as one worker; returns its exit code.

    Args:
        workers: `host:port` of each.
        index: of this one.
        arguments: of the command, such as `["train", "dcgan", ...]`.
    """
    environment = {**os.environ, "TF_CONFIG": cluster.config(workers, index)}
    process = subprocess.Popen(_command(arguments), env=environment)
    with _forwarded([process]):
        return _code(process.wait())


def run_all(
    count: int,
    arguments: Sequence[str],
    say: Callable[[str], None] | None = None,
    command: Sequence[str] | None = None,
    grace: float = GRACE,
) -> int:
    """Runs `tfanime ARGUMENTS` as every worker on this machine.

    What they say gets the number of the worker in front. When one fails, the others are told to
    end, and made to after a while.

    Args:
        count: of workers.
        arguments: of the command.
        say: takes each line; by default it is printed to standard error.
        command: what to run instead of tfanime.
        grace: seconds between the two.

    Returns:
        0 when all ended well, else the exit code of the first that did not.
    """
    workers = cluster.local(count)
    say = say or (lambda line: print(line, file=sys.stderr, flush=True))
    processes, readers = [], []
    for index in range(count):
        process = subprocess.Popen(
            command or _command(arguments),
            env={**os.environ, "TF_CONFIG": cluster.config(workers, index)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        reader = threading.Thread(target=_pass_on, args=(process.stdout, f"[{index}] ", say))
        reader.start()
        processes.append(process)
        readers.append(reader)
    with _forwarded(processes):
        code = _first_failure(processes, grace, say)
    for reader in readers:
        reader.join()
    return code


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "tfanime", *arguments]


def _first_failure(
    processes: Sequence[subprocess.Popen], grace: float, say: Callable[[str], None]
) -> int:
    """Waits for all; ends those that are left when one has failed."""
    code, until = 0, None
    while any(process.poll() is None for process in processes):
        failed = [i for i, process in enumerate(processes) if process.poll()]
        if failed and until is None:
            code, until = _code(processes[failed[0]].returncode), time.monotonic() + grace
            say(f"Worker {failed[0]} ended with exit code {code}, so the others are stopped.")
            _signal(processes, signal.SIGTERM)
        elif until is not None and time.monotonic() > until:
            _signal(processes, signal.SIGKILL)
        time.sleep(0.05)
    return code or next((_code(p.returncode) for p in processes if p.returncode), 0)


def _signal(processes: Sequence[subprocess.Popen], number: int) -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(number)


def _code(returned: int) -> int:
    """A process that a signal ended counts as the shell counts it."""
    return returned if returned >= 0 else 128 - returned


class _forwarded:
    """Passes SIGTERM on. A Ctrl-C reaches the processes from the terminal, and is waited out."""

    def __init__(self, processes: Sequence[subprocess.Popen]):
        self.processes, self.before = processes, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            handlers = {
                signal.SIGTERM: lambda number, frame: _signal(self.processes, number),
                signal.SIGINT: lambda number, frame: None,
            }
            self.before = {number: signal.signal(number, h) for number, h in handlers.items()}

    def __exit__(self, *error):
        for number, handler in self.before.items():
            signal.signal(number, handler)


def _pass_on(stream: IO[bytes], prefix: str, say: Callable[[str], None]) -> None:
    """Passes lines on; of a progress bar, which overwrites itself, what it showed last."""
    with stream:
        for line in stream:
            text = line.decode(errors="replace").rstrip("\r\n").rpartition("\r")[2]
            if text.strip():
                say(prefix + text)
