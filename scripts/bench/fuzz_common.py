"""What the classes of fuzz.py share: damage, verdicts, and a process that may die."""

from __future__ import annotations

import json
import resource
import selectors
import subprocess
import sys
import time
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
# What our functions raise for reasons that a user can do something about; the command line prints
# these in one sentence.
EXPECTED = (ValueError, OSError, RuntimeError, ImportError, MemoryError)
# These are ours to explain, though they are kinds of those above, or of what a client may raise.
RAW = (KeyError, IndexError, UnicodeError, json.JSONDecodeError)
SLOW = 20.0  # seconds; nothing that is tried here is worth as much
MEGABYTE = 2**20


def damaged(data: bytes, random: Random) -> bytes:
    """One to three accidents: bits flipped, bytes cut, doubled, zeroed or made up."""
    out = bytearray(data)
    for _ in range(random.randint(1, 3)):
        start = random.randrange(len(out) + 1)
        length = min(random.choice((1, 2, 4, 16, 256, len(out))), len(out) - start)
        what = random.randrange(6)
        if what == 0 and out:
            out[start % len(out)] ^= 1 << random.randrange(8)
        elif what == 1:
            del out[start:]
        elif what == 2:
            del out[start : start + length]
        elif what == 3:
            out[start:start] = out[start : start + length]
        elif what == 4:
            out[start : start + length] = bytes(length)
        else:
            out[start : start + length] = random.randbytes(length)
    return bytes(out)


def hostile_value(random: Random) -> object:
    """Something that JSON can hold and nobody expects."""
    return random.choice(
        [
            None, True, -1, 0, 2**31, 10**12, 10**30, 1e308, "", "a\0b", "\x1b[2J", "\ud800",
            "../../x", "/etc/passwd", "http://127.0.0.1:9/", "A" * 100_000, [], {}, [[]], [None],
            {"class_name": "eval"}, [1] * 10_000,
        ]
    )  # fmt: skip


def with_hostile_value(stored: object, random: Random) -> object:
    """A copy of a JSON document in which one place holds something else, or lacks."""
    stored = json.loads(json.dumps(stored))
    place, way = stored, []
    while isinstance(place, (dict, list)) and place and (not way or random.random() < 0.7):
        key = random.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        way.append((place, key))
        place = place[key]
    if not way:
        return hostile_value(random)
    parent, key = way[-1]
    if random.random() < 0.2:
        del parent[key]
    else:
        parent[key] = hostile_value(random)
    return stored


def verdict(call: Callable[[], object], expected: tuple = EXPECTED, slow: float = SLOW) -> str:
    """What is wrong with a call: "" for one that works, or that fails in one clear sentence."""
    started = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            call()
            problem = ""
        except Exception as error:
            name, message = type(error).__name__, str(error)
            raw = isinstance(error, RAW) or not isinstance(error, expected)
            problem = f"{name}: {message[:200]}" if raw else sentence(name, message)
    took = time.monotonic() - started
    return problem or (f"took {took:.0f} s" if took > slow else "")


def sentence(kind: str, message: str) -> str:
    """What is wrong with the message of an expected error."""
    if not message.strip():
        return f"{kind} without a word"
    if len(message.strip().splitlines()) > 1:
        return f"{kind} of several lines: {message.splitlines()[0][:100]}"
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in message.strip()):
        return f"{kind} with control characters: {message[:100]!r}"
    return ""


def peak() -> int:
    """Most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


class Worker:
    """A process that does what needs TensorFlow, with little memory, and that may die of it.

    Example:
        >>> with Worker(folder) as worker:  # doctest: +SKIP
        ...     worker.ask({"do": "draw", "run": "some/run"})
        {'error': None}
    """

    def __init__(self, folder: Path):
        self.folder, self.process = folder, None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def ask(self, job: dict, seconds: float = 60.0) -> dict:
        """The worker's answer: `error` (None, or kind and message) and what the job gives. A
        worker that dies or hangs is `{"error": ["died", ...]}`."""
        if self.process is None or self.process.poll() is not None:
            self._start()
        try:
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()
            return self._answer(seconds)
        except (BrokenPipeError, EOFError):
            return {"error": ["died", f"code {self.process.wait()}, see worker.log"]}
        except TimeoutError:
            self.process.kill()
            self.process.wait()
            return {"error": ["hung", f"no answer in {seconds:.0f} s"]}

    def judge(self, job: dict, seconds: float = 60.0) -> str:
        """As `verdict`."""
        return self.judged(self.ask(job, seconds))

    @staticmethod
    def judged(answer: dict) -> str:
        """The verdict on an answer."""
        if answer["error"] is None:
            return ""
        kind, message = answer["error"]
        expected = kind in {one.__name__ for one in EXPECTED}
        return sentence(kind, message) if expected else f"{kind}: {message[:200]}"

    def _start(self) -> None:
        with open(self.folder / "worker.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "fuzz_worker.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
            )
        self._answer(300.0)

    def _answer(self, seconds: float) -> dict:
        ends, line = time.monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, ends - time.monotonic())):
                    raise TimeoutError
                if not (part := self.process.stdout.read1(2**16)):
                    raise EOFError
                line += part
        return json.loads(line)
