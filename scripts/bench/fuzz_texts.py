"""Texts for `tfanime imagine`, and runs that name an encoder of their own."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from fuzz_common import Worker, verdict

PIECES = (
    "<!--", "-->", "<", ">", "</script>", "<script>", "[written by ", "(source:", "]", ")", "(",
    "[", "&amp;", "&#x1b;", "&", "\x1b[2J", "\0", "\ud800", "é", "顔", "\u202e", "\u200d", "🌙",
    " ", "\n", "red moon", "lone sword", "the", "a" * 1000, "﷽", "́" * 50, "\\", "%s", "{}",
)  # fmt: skip
SLOW = 5  # seconds that cleaning a text of at most 300,000 characters may take


def run(random: Random, folder: Path) -> Iterator[str]:
    from tfanime.text.clean import clean_text
    from tfanime.text.genres import genre_text

    sound, stolen = folder / "sound", folder / "evil"
    with Worker(folder) as worker:
        made = worker.ask({"do": "generator", "out": str(sound), "text": True, "encoder": "auto"})
        assert made["error"] is None, made
        while True:
            text = _text(random)
            if random.random() < 0.1:
                yield _strange_encoder(worker, random, stolen)
                continue
            with _alarm(f"more than {SLOW} s for {len(text):,} characters"):
                problem = verdict(lambda text=text: (clean_text(text), genre_text(text)))
            if not problem and len(text) < 5000:
                job = {"do": "imagine", "run": str(sound), "text": text, "stub": True}
                problem = worker.judge(job)
            yield problem and f"{text[:20]!r}...: {problem}"


class TooSlow(Exception):
    pass


@contextmanager
def _alarm(message: str) -> Iterator[None]:
    """TooSlow after some seconds, in the middle of whatever runs."""

    def ring(number, frame):
        raise TooSlow(message)

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(SLOW)
    try:
        yield
    finally:
        signal.alarm(0)


def _strange_encoder(worker: Worker, random: Random, run: Path) -> str:
    """A run of a stranger names its encoder: it is refused, and nothing of it is loaded."""
    shutil.rmtree(run, ignore_errors=True)
    names = ("evil/enc", "./enc", "/tmp/enc", "http://127.0.0.1:9/enc")
    encoder = random.choice(names)
    made = worker.ask({"do": "generator", "out": str(run), "text": True, "encoder": encoder})
    if made["error"]:
        return "" if made["error"][0] == "ValueError" else f"{encoder}: {made['error']}"
    answer = worker.ask({"do": "imagine", "run": str(run), "text": "red moon"})
    if answer["error"] is None:
        return f"{encoder} was taken"
    kind, message = answer["error"]
    refused = kind == "ValueError" and "trust" in message
    return "" if refused else f"{encoder} was looked for: {kind}: {message[:150]}"


def _text(random: Random) -> str:
    kind = random.randrange(4)
    if kind == 0:  # one piece, very often: what is quadratic shows
        piece = random.choice(PIECES)
        return piece * (random.choice((10, 1000, 300_000)) // len(piece) + 1)
    if kind == 1:
        return "".join(map(chr, random.choices(range(0x20, 0x3000), k=random.choice((5, 500)))))
    return "".join(random.choices(PIECES, k=random.choice((1, 3, 30, 300))))
