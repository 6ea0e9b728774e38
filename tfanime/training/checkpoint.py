"""Checkpoints that hold all of a run: both networks, average, head, both optimisers, step.

Nothing else is needed to continue bit for bit: noise and data order are pure functions of
(seed, step). One checkpoint is a folder `step-000001000/` with `state.npz` (arrays in the order
of `state_of`), `meta.json`, a copy of the run's `config.json`, and `SHA256SUMS` of the three, which
`sha256sum -c` reads; it appears by a rename, whole or not at all. One that is damaged later is
noticed, and the run goes on from the one before it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime.core import bounds
from tfanime.core.files import atomic_folder, remove, save_arrays, sha256, write_json, write_text

if TYPE_CHECKING:
    from tfanime.gans import GAN

FOLDER = "checkpoints"
STATE, META, CONFIG, SUMS = "state.npz", "meta.json", "config.json", "SHA256SUMS"
CRITIC = "critic.npz"  # of a model that ships, in place of checkpoints: what it is trained on with
NAME = re.compile(r"step-[0-9]{9,}")
ASIDE = ".damaged"
BEFORE = "before"  # of a run that began with a GAN of the user's: the steps this had done already
ADAPTING = "adapting"  # part of the state: what adaptive augmentation has added up


class Damaged(ValueError):
    """A checkpoint cannot be read; the message names the file."""


class NotFinite(ValueError):
    """Raised instead of saving weights that are NaN or infinite."""


def state_of(gan: GAN) -> dict:
    """Every variable of a compiled GAN by a name that does not depend on the process."""
    parts = {
        "generator": gan.generator.weights,
        "ema_generator": gan.ema_generator.weights,
        "discriminator": gan.discriminator.weights,
        "head": gan.head.weights if gan.head is not None else [],
        "projected": gan.projected.weights if gan.projected is not None else [],
        "g_optimizer": gan.g_optimizer.variables,
        "d_optimizer": gan.d_optimizer.variables,
        "gan": [gan.steps_done] + ([] if gan.augment_p is None else [gan.augment_p]),
        ADAPTING: [] if gan.augment_sum is None else [gan.augment_sum],
        "lecam": list(gan.lecam_averages),
        **{f"average{i}": one.weights for i, one in enumerate(gan.averages)},
    }
    return {
        f"{part}/{i:04d}": variable
        for part, variables in parts.items()
        for i, variable in enumerate(variables)
    }


def arrays_of(gan: GAN) -> dict[str, np.ndarray]:
    """The values of `state_of`.

    Raises:
        NotFinite: when a weight is NaN or infinite.
    """
    arrays = {name: _to_numpy(variable) for name, variable in state_of(gan).items()}
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise NotFinite(f"{name} is not finite")
    return arrays


def digest(arrays: dict[str, np.ndarray]) -> int:
    """16 bits of the SHA-256 of all arrays: what workers compare."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        sha.update(np.ascontiguousarray(arrays[name]))
    return int.from_bytes(sha.digest()[:2], "big")


def save(state: GAN | dict, run: str | os.PathLike, meta: dict, keep: int = 3) -> Path:
    """Writes the checkpoint of the current step and removes all but the newest `keep`.

    Args:
        state: a compiled GAN, or what `arrays_of` returned for it.
        run: the run folder.
        meta: what else to keep, JSON-ready; `before`: steps that the GAN had done before this run.
        keep: how many checkpoints stay.

    Raises:
        NotFinite: when a weight is NaN or infinite; nothing is written then.
    """
    arrays = state if isinstance(state, dict) else arrays_of(state)
    step = int(arrays["gan/0000"]) - meta.get(BEFORE, 0)
    target, config = Path(run) / FOLDER / f"step-{step:09d}", Path(run) / CONFIG
    if not target.is_dir():
        _set_aside(target)
        with atomic_folder(target) as temporary:
            save_arrays(temporary / STATE, arrays)
            write_json(temporary / META, {**meta, "step": step})
            if config.is_file():
                shutil.copyfile(config, temporary / CONFIG)
            write_sums(temporary)
    for old in checkpoints(run)[:-keep]:
        shutil.rmtree(old)
    for damaged in Path(run, FOLDER).glob(f"step-*{ASIDE}"):
        remove(damaged)
    return target


def write_sums(checkpoint: str | os.PathLike) -> None:
    """Writes the checksums of a checkpoint's files."""
    folder = Path(checkpoint)
    there = [name for name in (STATE, META, CONFIG) if (folder / name).is_file()]
    write_text(folder / SUMS, "".join(f"{sha256(folder / name)}  {name}\n" for name in there))


def checkpoints(run: str | os.PathLike) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    folders = (path for path in Path(run, FOLDER).glob("step-*") if NAME.fullmatch(path.name))
    return sorted((path for path in folders if path.is_dir()), key=_step_of)


def read(checkpoint: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays of a checkpoint and its `meta.json`, all of it checked.

    Raises:
        Damaged: when a file is missing, cut short, changed, of another step, or not finite.
    """
    folder = Path(checkpoint)
    try:
        _check_sums(folder)
        arrays, meta = bounds.read_arrays(folder / STATE), _meta(folder)
    except (ValueError, OSError) as error:
        if isinstance(error, OSError):
            error = bounds.damaged(error.filename or folder, error)
        raise Damaged(str(error)) from error
    steps_done = meta["step"] + meta.get(BEFORE, 0)
    if "gan/0000" not in arrays or int(arrays["gan/0000"]) != steps_done:
        raise Damaged(f"{str(folder / STATE)!r} is damaged: it is not of step {meta['step']}.")
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise Damaged(f"{str(folder / STATE)!r} is damaged: {name} is not finite.")
    return arrays, meta


def read_newest(run: str | os.PathLike) -> tuple[Path, dict[str, np.ndarray], dict]:
    """The newest checkpoint that is whole, its arrays and its `meta.json`; says on stderr which
    ones are not.

    Raises:
        Damaged: when there is none.
    """
    problems = []
    for folder in reversed(checkpoints(run)):
        try:
            arrays, meta = read(folder)
        except Damaged as error:
            problems.append(str(error))
            continue
        for problem in problems:
            print(f"{problem} Going on from {folder.name}, the one before it.", file=sys.stderr)
        return folder, arrays, meta
    raise Damaged(
        f"{problems[0] if problems else f'{os.fspath(run)!r} holds no checkpoint.'} There is no "
        "other one to go on from: train into another folder."
    )


def restore(gan: GAN, checkpoint: str | os.PathLike) -> dict:
    """Loads a checkpoint into a GAN of the same configuration; returns its `meta.json`.

    Raises:
        ValueError: when the arrays are not those of this GAN.
        Damaged: see `read`.
    """
    arrays, meta = read(checkpoint)
    _assign(gan, arrays, checkpoint)
    return meta


def restore_newest(gan: GAN, run: str | os.PathLike, keep_damaged: bool = False) -> dict:
    """Loads the newest checkpoint that is whole; returns its `meta.json`.

    Newer ones that are damaged are put aside, so that those of the same steps can be written again,
    and removed once the next one is whole.

    Args:
        gan: of the same configuration.
        run: the run folder.
        keep_damaged: leave them where they are: another process puts them aside.

    Raises:
        ValueError: when the arrays are not those of this GAN.
        Damaged: when no checkpoint is whole.
    """
    folder, arrays, meta = read_newest(run)
    _assign(gan, arrays, folder)
    if not keep_damaged:
        for newer in checkpoints(run):
            if _step_of(newer) > meta["step"]:
                _set_aside(newer)
    return meta


def generator_weights(checkpoint: str | os.PathLike) -> list[np.ndarray]:
    """The weights of the generator itself, not of its average, in the order of the model's.

    Raises:
        Damaged: see `read`.
    """
    arrays, _ = read(checkpoint)
    return [arrays[name] for name in sorted(arrays) if name.startswith("generator/")]


def _assign(gan: GAN, arrays: dict[str, np.ndarray], checkpoint: str | os.PathLike) -> None:
    variables = state_of(gan)
    # Checkpoints of earlier versions lack the sum of up to three batches: it begins at 0.
    if not any(name.startswith(ADAPTING) for name in arrays):
        variables = {name: x for name, x in variables.items() if not name.startswith(ADAPTING)}
    mismatched = sorted(set(arrays) ^ set(variables))
    if mismatched:
        raise ValueError(
            f"The checkpoint {str(checkpoint)!r} is of another model: it and this one differ "
            f"in {len(mismatched)} arrays, the first {mismatched[0]!r}."
        )
    for name, variable in variables.items():
        if tuple(arrays[name].shape) != tuple(variable.shape):
            raise ValueError(
                f"The checkpoint {str(checkpoint)!r} is of another model: {name} has shape "
                f"{arrays[name].shape}, this model's is {tuple(variable.shape)}."
            )
    for name, variable in variables.items():
        variable.assign(arrays[name])


def _check_sums(folder: Path) -> None:
    if not (folder / SUMS).is_file():
        return  # of a version that wrote none
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        digest_stored, _, name = line.partition("  ")
        if name not in (STATE, META, CONFIG):
            raise ValueError(f"{str(folder / SUMS)!r} is damaged: it has the line {line[:80]!r}.")
        try:
            digest_now = sha256(folder / name)
        except OSError as error:
            raise bounds.damaged(folder / name, error) from error
        if digest_now != digest_stored:
            raise ValueError(f"{str(folder / name)!r} is damaged: its checksum is another one.")


def _meta(folder: Path) -> dict:
    meta = bounds.read_object(folder / META)
    numbers = [meta.get("step"), meta.get("seconds", 0.0), meta.get(BEFORE, 0)]
    if not all(isinstance(n, (int, float)) and isfinite(n) and n >= 0 for n in numbers):
        raise ValueError(f"{str(folder / META)!r} is damaged: its step or seconds are no numbers.")
    if meta["step"] != _step_of(folder):
        raise ValueError(
            f"{str(folder / META)!r} is damaged: it says step {meta['step']} in {folder.name}."
        )
    if not isinstance(meta.get("warnings", []), list):
        raise ValueError(f"{str(folder / META)!r} is damaged: its warnings are no list.")
    return meta


def _set_aside(path: Path) -> None:
    if path.exists():
        aside = path.with_name(path.name + ASIDE)
        remove(aside)
        path.rename(aside)


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("step-"))


def _to_numpy(variable) -> np.ndarray:
    # `.numpy()` also works on variables that a strategy mirrors.
    return np.asarray(variable.numpy())
