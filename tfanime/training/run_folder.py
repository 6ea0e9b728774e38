"""The folder of a run: its `config.json`, and what is refused in it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import keras

from tfanime.core import bounds, disk
from tfanime.core.files import atomic_path, write_json
from tfanime.data import PackedDataset
from tfanime.gans import GAN
from tfanime.recipes.config import Config
from tfanime.training import checkpoint, own_gan
from tfanime.training.warm_start import start_from
from tfanime.version import __version__

CONFIG = "config.json"


def refuse_others(out: Path, part: str, now: dict) -> None:
    """Refuses a folder that holds anything but a run of the same configuration and data."""
    file = out / CONFIG
    if file.exists():
        before = _record(out, part)
        if part == "data" and before.get("sha256") != now["sha256"]:
            raise ValueError(
                f"The folder {str(out)!r} holds a run on other data: {before.get('count')} images "
                f"there, {now['count']} here, and those or their labels differ. Choose another "
                "--out, or the same data."
            )
        if part == "config":
            # Settings that did not exist then have their defaults, which change nothing.
            before = {**Config(before["recipe"]).to_json(), **before}
        differing = [
            f"{key} (there {before.get(key)!r}, now {now.get(key)!r})"
            for key in sorted(set(before) | set(now))
            if before.get(key) != now.get(key)
        ]
        if differing:
            raise ValueError(
                f"The folder {str(out)!r} holds a run with other {part}: {'; '.join(differing)}. "
                "Choose another --out, or the same settings."
            )
    # Hidden files may be what a killed process was writing.
    elif out.exists() and any(not file.name.startswith(".") for file in out.iterdir()):
        raise ValueError(
            f"The folder {str(out)!r} is not empty and holds no run. Choose another --out."
        )


def refuse_another_gan(out: Path, own: dict) -> None:
    """Refuses a folder whose run is of another GAN of the user's."""
    if not (out / CONFIG).exists():
        return
    differing = own_gan.differing(_record(out, "gan"), own)
    if differing:
        raise ValueError(
            f"The folder {str(out)!r} holds a run of another GAN: {', '.join(differing)} differ. "
            "Choose another out, or build the same GAN."
        )


def _record(out: Path, part: str) -> dict:
    """A part of a run's `config.json`; that of its newest checkpoint when it is damaged."""
    try:
        return _part(out / CONFIG, part)
    except (OSError, ValueError) as error:
        disk.check(error, out / CONFIG)
        problem = error
    for folder in reversed(checkpoint.checkpoints(out)):
        try:
            stored = _part(folder / CONFIG, part)
        except (OSError, ValueError) as error:
            disk.check(error, folder / CONFIG)
            continue
        print(f"{problem} Going on with the one of {folder.name}.", file=sys.stderr)
        with atomic_path(out / CONFIG) as temporary:
            shutil.copyfile(folder / CONFIG, temporary)
        return stored
    raise ValueError(f"{problem} No checkpoint has another one: choose another --out.")


def _part(path: Path, name: str) -> dict:
    part = bounds.read_object(path).get(name)
    if not isinstance(part, dict):
        raise ValueError(f"{str(path)!r} is damaged: it does not say {name!r}.")
    return part


def restored(gan: GAN, config: Config, out: Path, chief: bool) -> dict:
    """Gives the GAN the weights of the newest checkpoint, or those that it starts from; returns
    what the checkpoint says, an empty dictionary for a new run."""
    if checkpoint.checkpoints(out):
        return checkpoint.restore_newest(gan, out, keep_damaged=not chief)
    if config.start is not None:
        start_from(gan, config.start)
    return {}


@contextmanager
def claimed(
    out: Path,
    config: Config,
    data: PackedDataset,
    everything: PackedDataset,
    described: dict,
    own: dict | None,
) -> Iterator[None]:
    """Makes the folder one of this run; a new one is given up again when what follows fails.

    Args:
        own: of a GAN that the user built, what it is; else None.
    """
    if (out / CONFIG).exists():
        yield
        return
    try:
        _claim(out, config, data, described, own)
        if data.text_files:
            from tfanime.text.vector_cache import keep_texts

            keep_texts(data, everything, out)
        yield
    except BaseException:
        (out / CONFIG).unlink(missing_ok=True)
        shutil.rmtree(out / "text", ignore_errors=True)
        raise


def _claim(
    out: Path, config: Config, data: PackedDataset, described: dict, own: dict | None
) -> None:
    """Writes `config.json`."""
    versions = {
        "tfanime": __version__,
        "keras": keras.__version__,
        keras.backend.backend(): import_module(keras.backend.backend()).__version__,
    }
    stored = {
        "config": config.to_json(),
        "data": described,
        "labels": data.schema.to_json() if data.schema else None,
        "labels_from": data.labels_from,
        "versions": versions,
    }
    if own is not None:
        names = (*own_gan.STATED, "recipe")
        stored["config"] = {name: stored["config"][name] for name in names}
        stored["gan"] = own
    write_json(out / CONFIG, stored)
