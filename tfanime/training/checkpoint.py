"""Checkpoints that hold all of a run: both networks, average, head, both optimisers, step.

Nothing else is needed to continue bit for bit: noise and data order are pure functions of
(seed, step). One checkpoint is a folder `step-000001000/` with `state.npz` (arrays in the order
of `state_of`) and `meta.json`; it appears by a rename, whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np

from tfanime.files import atomic_folder, read_json, write_json
from tfanime.gans import GAN

FOLDER = "checkpoints"


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
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(np.ascontiguousarray(arrays[name]))
    return int.from_bytes(found.digest()[:2], "big")


def save(state: GAN | dict, run: str | os.PathLike, meta: dict, keep: int = 3) -> Path:
    """Writes the checkpoint of the current step and removes all but the newest `keep`.

    Args:
        state: a compiled GAN, or what `arrays_of` returned for it.
        run: the run folder.
        meta: what else to keep, JSON-ready.
        keep: how many checkpoints stay.

    Raises:
        NotFinite: when a weight is NaN or infinite; nothing is written then.
    """
    arrays = state if isinstance(state, dict) else arrays_of(state)
    step = int(arrays["gan/0000"])
    target = Path(run) / FOLDER / f"step-{step:09d}"
    if not target.exists():
        with atomic_folder(target) as temporary:
            np.savez(temporary / "state.npz", **arrays)
            write_json(temporary / "meta.json", {**meta, "step": step})
    for old in checkpoints(run)[:-keep]:
        shutil.rmtree(old)
    return target


def checkpoints(run: str | os.PathLike) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    return sorted(Path(run, FOLDER).glob("step-*[0-9]"))


def remove_halves(run: str | os.PathLike) -> None:
    """Removes what a killed process had begun to write."""
    for half in Path(run, FOLDER).glob(".step-*"):
        shutil.rmtree(half)


def restore(gan: GAN, checkpoint: str | os.PathLike) -> dict:
    """Loads a checkpoint into a GAN of the same configuration; returns its `meta.json`.

    Raises:
        ValueError: when the arrays are not those of this GAN.
    """
    wanted = state_of(gan)
    with np.load(Path(checkpoint) / "state.npz") as stored:
        mismatched = sorted(set(stored.files) ^ set(wanted))
        if mismatched:
            raise ValueError(
                f"The checkpoint {str(checkpoint)!r} is of another model: it and this one differ "
                f"in {len(mismatched)} arrays, the first {mismatched[0]!r}."
            )
        for name, variable in wanted.items():
            array = stored[name]
            if tuple(array.shape) != tuple(variable.shape):
                raise ValueError(
                    f"The checkpoint {str(checkpoint)!r} is of another model: {name} has shape "
                    f"{array.shape}, this model's is {tuple(variable.shape)}."
                )
            variable.assign(array)
    return read_json(Path(checkpoint) / "meta.json")


def generator_weights(checkpoint: str | os.PathLike) -> list[np.ndarray]:
    """The weights of the generator itself, not of its average, in the order of the model's."""
    with np.load(Path(checkpoint) / "state.npz") as stored:
        return [stored[name] for name in sorted(stored.files) if name.startswith("generator/")]


def _to_numpy(variable) -> np.ndarray:
    # `.numpy()` also works on variables that a strategy mirrors.
    return np.asarray(variable.numpy())
