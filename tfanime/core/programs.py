"""Files of a user's own that are programs: they register what a recipe or a command asks for.

Such a file is run when it is named, and never otherwise. A run that was made with one keeps a copy
in its folder, so that it stays known what made it; since a run may be a stranger's, that copy is no
exception: whoever has read it may name it, as any other file.
"""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

COPIES = "recipe"  # folder of a run: where its copy is


@dataclass(frozen=True)
class Program:
    """A file that has been run.

    Args:
        name: `my_recipe.py`.
        content: its bytes, as they were run.
        module: what it made.
    """

    name: str
    content: bytes
    module: ModuleType

    @property
    def identity(self) -> str:
        """Its name and the first 16 digits of its SHA-256."""
        return f"{self.name} {hashlib.sha256(self.content).hexdigest()[:16]}"


_programs: dict[str, Program] = {}  # by identity


def load(path: str | os.PathLike) -> Program:
    """Runs a file, so that what it registers is there; one of the same content once only.

    Raises:
        ValueError: for one that is not there, or that raises; the message names its line.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{str(path)!r} is to be a file of Python and cannot be read ({error.strerror}). A run "
            f"that was made with it keeps a copy: RUN/{COPIES}/{path.name}."
        ) from error
    module = ModuleType(f"tfanime_{path.stem}")
    module.__file__ = os.fspath(path)
    program = Program(path.name, content, module)
    if program.identity in _programs:
        return _programs[program.identity]
    sys.modules[module.__name__] = module  # dataclasses and Keras look their module up
    try:
        exec(compile(content, os.fspath(path), "exec"), vars(module))
    except Exception as error:
        del sys.modules[module.__name__]
        raise ValueError(f"{os.fspath(path)!r} cannot be run ({_reason(error, path)}).") from error
    _programs[program.identity] = program
    return program


def required(identity: str, run: str | os.PathLike) -> Program:
    """The program with which a run was made, if it has been run.

    Raises:
        ValueError: when it has not, or has changed since; the message says what to do.
    """
    if identity in _programs:
        return _programs[identity]
    name = Path(identity.partition(" ")[0]).name  # a stranger may have written it
    if any(program.name == name for program in _programs.values()):
        problem = f"{name} has changed since. Name it as it was"
    else:
        problem = "it is a program, which is not run unasked. Name it"
    copy = Path(run, COPIES, name)
    raise ValueError(
        f"{os.fspath(run)!r} was made with {name}, and {problem}: tfanime --load FILE ..., or "
        f"tfanime.recipes.load(FILE). The run keeps a copy, to be read first: {os.fspath(copy)!r}."
    )


def check_run(run: str | os.PathLike) -> None:
    """Raises what `required` does, if the run in this folder was made with a program."""
    from tfanime.core.bounds import read_object

    described = Path(run) / "config.json"
    if described.is_file():
        config = read_object(described).get("config")
        identity = config.get("recipe_file") if isinstance(config, dict) else None
        if isinstance(identity, str):
            required(identity, run)


def _reason(error: Exception, path: Path) -> str:
    """`line 3: NameError: ...`; the line is the last one of the file itself that was being run."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == os.fspath(path)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    message = (str(error).splitlines() or [""])[0].rstrip(".")
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return f"{'' if line is None else f'line {line}: '}{kind}{message}"
