"""The folder of a run: its `config.json`, and what is refused in it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tfanime.core import bounds, disk, programs
from tfanime.core.files import atomic_path, write_json
from tfanime.core.labels import LabelSchema
from tfanime.data import PackedDataset
from tfanime.recipes import files
from tfanime.recipes.config import Config
from tfanime.recipes.resolve import UNDECIDED, resolve, undecided
from tfanime.training import checkpoint
from tfanime.version import __version__

if TYPE_CHECKING:  # what is refused here is refused before TensorFlow is imported
    from tfanime.gans import GAN

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
        open_ones = set()
        if part == "config":
            # Settings that did not exist then have their defaults, which change nothing.
            before = {**Config(before["recipe"]).to_json(), **before}
            _refuse_another_file(out, before["recipe_file"], now["recipe_file"])
            # Those that the data decide are compared once there are data.
            open_ones = undecided(before) | undecided(now)
        _refuse_differences(out, part, before, now, (set(before) | set(now)) - open_ones)
    # Hidden files may be what a killed process was writing.
    elif out.exists() and any(not file.name.startswith(".") for file in out.iterdir()):
        raise ValueError(
            f"The folder {str(out)!r} is not empty and holds no run. Choose another --out."
        )


def refuse_another_gan(out: Path, own: dict) -> None:
    """Refuses a folder whose run is of another GAN of the user's."""
    if not (out / CONFIG).exists():
        return
    from tfanime.training import own_gan

    differing = own_gan.differing(_record(out, "gan"), own)
    if differing:
        raise ValueError(
            f"The folder {str(out)!r} holds a run of another GAN: {', '.join(differing)} differ. "
            "Choose another out, or build the same GAN."
        )


def refuse_other_decisions(out: Path, config: Config, schema: LabelSchema | None) -> None:
    """Refuses a folder with a run for which the data decided otherwise what recipes leave to them.

    Args:
        out: the run folder.
        config: resolved.
        schema: see `recipes.resolve`; what a run of an earlier version left open, it decides too.
    """
    if (out / CONFIG).exists():
        decisions = _record(out, "config")
        before = resolve(Config.from_json(decisions), schema).to_json()
        _refuse_differences(out, "config", before, config.to_json(), set(UNDECIDED))


def _refuse_differences(out: Path, part: str, before: dict, now: dict, names: set[str]) -> None:
    differing = [
        f"{name} (there {before.get(name)!r}, now {now.get(name)!r})"
        for name in sorted(names)
        if before.get(name) != now.get(name)
    ]
    if differing:
        raise ValueError(
            f"The folder {str(out)!r} holds a run with other {part}: {'; '.join(differing)}. "
            "Choose another --out, or the same settings."
        )


def _refuse_another_file(out: Path, before: str | None, now: str | None) -> None:
    """Says of a recipe's file that it was changed since the run began."""
    if before == now or before is None or now is None:
        return
    name = Path(before.partition(" ")[0]).name
    raise ValueError(
        f"The folder {str(out)!r} holds a run made with {before}, and the recipe is {now}: it has "
        "changed. Choose another --out, or go on with the copy that the run keeps: tfanime train "
        f"{out / programs.COPIES / name} --out {out} ..."
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
            record = _part(folder / CONFIG, part)
        except (OSError, ValueError) as error:
            disk.check(error, folder / CONFIG)
            continue
        print(f"{problem} Going on with the one of {folder.name}.", file=sys.stderr)
        with atomic_path(out / CONFIG) as temporary:
            shutil.copyfile(folder / CONFIG, temporary)
        return record
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
        from tfanime.training.warm_start import start_from

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
        files.keep(config, out)
        if data.text_files:
            from tfanime.text.vector_cache import keep_texts

            keep_texts(data, everything, out)
        yield
    except BaseException:
        (out / CONFIG).unlink(missing_ok=True)
        for folder in ("text", programs.COPIES):
            shutil.rmtree(out / folder, ignore_errors=True)
        raise


def _claim(
    out: Path, config: Config, data: PackedDataset, described: dict, own: dict | None
) -> None:
    """Writes `config.json`."""
    import keras

    versions = {
        "tfanime": __version__,
        "keras": keras.__version__,
        keras.backend.backend(): import_module(keras.backend.backend()).__version__,
    }
    record = {
        "config": config.to_json(),
        "data": described,
        "labels": data.schema.to_json() if data.schema else None,
        "labels_from": data.labels_from,
        "versions": versions,
    }
    if own is not None:
        from tfanime.training import own_gan

        names = (*own_gan.STATED, "recipe")
        record["config"] = {name: record["config"][name] for name in names}
        record["gan"] = own
    write_json(out / CONFIG, record)
