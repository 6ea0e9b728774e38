"""How the command line fails: one sentence, no traceback, an exit code."""

from __future__ import annotations

import errno

import pytest

import tfanime
from tests.command_line import invoke


def failing(monkeypatch, verb, error):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setitem(vars(tfanime), verb, fail)


# ---- failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("n is 1. Received: 2."), "n is 1. Received: 2."),
        (FileNotFoundError("no run there"), "no run there"),
        (
            OSError(errno.ENOSPC, "No space left", "f.png"),
            "The disk of 'f.png' is full. Make room there and try again.",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file", "f.png"), "No such file: f.png"),
        (ImportError("pip install tfanime[web]"), "pip install tfanime[web]"),
        (KeyError("k"), "KeyError: 'k' (`tfanime --debug ...` shows where)"),
    ],
)
def test_errors_are_one_sentence(monkeypatch, tmp_path, error, sentence):
    failing(monkeypatch, "generate", error)
    result = invoke("generate", tmp_path, "--grid", "x.png")
    assert result.exit_code == 1
    assert (result.stdout, result.stderr) == ("", f"Error: {sentence}\n")


def test_debug_shows_where(monkeypatch, tmp_path):
    error = ValueError("odd")
    failing(monkeypatch, "generate", error)
    result = invoke("--debug", "generate", tmp_path, "--grid", "x.png")
    assert result.exception is error


def test_ctrl_c(monkeypatch, tmp_path):
    failing(monkeypatch, "generate", KeyboardInterrupt())
    result = invoke("generate", tmp_path, "--grid", "x.png")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")
