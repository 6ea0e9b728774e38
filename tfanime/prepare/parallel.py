"""A packed set made in parts, by many processes or machines, in object storage.

    prepare_parallel("drawn:1000000", "gs://bucket/faces")
    prepare_parallel("gs://bucket/raw/*.tar", "s3://bucket/faces", size=96)

Ray Data gives the parts to its workers. A part depends on nothing but its number, so the set is
the same whatever made it; what is done is not done again when the same command is run again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tfanime.core import images
from tfanime.core.bars import progress_bar
from tfanime.core.files import read_json, save_array, write_json
from tfanime.core.labels import MAKEGIRLSMOE, LabelSchema
from tfanime.data import writer
from tfanime.data.storage import StoredShards, open_storage, reaching
from tfanime.drawn.faces import draw_faces
from tfanime.drawn.render import drawing_version
from tfanime.prepare.pack import pack, table_beside

ENGINES = ("ray", "none")
PARTS = ".parts"  # folder of what is not yet one set
READ = 256  # images of one request when the whole is read over
STEP = 256  # faces drawn at a time
# What a worker's errors are where they are raised again.
TOLD = {"value": ValueError, "import": ImportError, "storage": OSError}


@dataclass(frozen=True)
class Part:
    """What one worker makes: faces of the built-in ones, or the images of an archive.

    Args:
        out: address of the set.
        number: of the part.
        size: height and width.
        first, count: of the faces.
        archive: its address; else faces are drawn.
    """

    out: str
    number: int
    size: tuple[int, int]
    first: int = 0
    count: int = 0
    archive: str | None = None

    @property
    def done(self) -> str:
        """The file that says that all of the part is there."""
        return f"{PARTS}/{self.number:05d}.json"


def prepare_parallel(
    source: str | Sequence[str],
    out: str,
    size: int | str | tuple[int, int] = 64,
    engine: str = "ray",
    per_part: int | None = None,
    progress: bool = True,
) -> int:
    """Makes a packed set of many parts; see the documentation (Scale).

    Args:
        source: `"drawn:COUNT"`, the built-in faces; or zips and tars by address or path, as a list
            or with `*`, each with its table of labels, `NAME.csv`, beside it. All of them have
            the same labels. The same image twice is found within an archive only.
        out: address or folder of the set. What a call that was stopped had made is gone on with.
        size: as in `images.parse_size`.
        engine: `"ray"`: Ray's workers on all cores, or on the cluster of `RAY_ADDRESS`; `"none"`:
            this process, one part after the other.
        per_part: faces of a part; by default as many as a shard holds.
        progress: show a progress bar.

    Returns:
        How many images there are.

    Raises:
        ValueError: for other arguments, or archives whose labels differ, or an `out` that holds
            something else.
        ImportError: without the extra `parallel`.
        OSError: if the storage does not answer.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine is one of: {', '.join(ENGINES)}. Received: {engine!r}.")
    height, width = images.parse_size(size)
    parts, made_from = _planned(source, out, (height, width), per_part)
    storage, path = open_storage(out)
    if (document := _read(storage, out, f"{path}/dataset.json")) is not None:
        _check_same(out, document.get("made_from"), made_from)
        return document["count"]
    plan = {"parts": len(parts), "made_from": made_from}
    if (document := _read(storage, out, f"{path}/{PARTS}/plan.json")) is not None:
        _check_same(out, document, plan)
    with reaching(out):
        storage.makedirs(f"{path}/{PARTS}", exist_ok=True)
        storage.pipe_file(f"{path}/{PARTS}/plan.json", json.dumps(plan).encode())
        names = {name.rpartition("/")[2] for name in storage.ls(f"{path}/{PARTS}", detail=False)}
    rest = [part for part in parts if Path(part.done).name not in names]
    run = _ray if engine == "ray" else partial(map, make)
    bar = progress_bar(total=len(parts), initial=len(parts) - len(rest), disable=not progress)
    with bar:
        for _ in run(rest):
            bar.update()
    return _join(parts, made_from, "drawn" if made_from.get("drawn") else "archives")


def _planned(
    source: str | Sequence[str], out: str, size: tuple[int, int], per_part: int | None
) -> tuple[list[Part], dict]:
    """The parts, and what decides the result."""
    if isinstance(source, str) and source.startswith("drawn:"):
        count = int(source[6:]) if source[6:].isdecimal() else 0
        if count < 1 or size[0] != size[1] or (per_part is not None and per_part < 1):
            raise ValueError(
                "'drawn:COUNT' faces are square, and there is at least one, in a part too. "
                f"Received: {source!r}, size {size[1]}x{size[0]}, per_part {per_part!r}."
            )
        each = per_part or max(1, writer.SHARD_BYTES // (size[0] * size[1] * 3))
        parts = [
            Part(out, number, size, first, min(each, count - first))
            for number, first in enumerate(range(0, count, each))
        ]
        return parts, {"drawn": drawing_version(), "seed": 0, "size": list(size), "count": count}
    patterns = [source] if isinstance(source, str) else list(source)
    archives, keys = [], []
    for pattern in patterns:
        storage, path = open_storage(pattern)
        with reaching(pattern):
            paths = sorted(storage.glob(path)) if "*" in path else [path]
            archives += [storage.unstrip_protocol(one) for one in paths]
            keys += [storage.ukey(one) for one in paths]
    if not archives:
        raise ValueError(
            "What is prepared is 'drawn:COUNT', or zips and tars by address or path. Received: "
            f"{', '.join(map(repr, patterns)) or 'none'}, where there is none."
        )
    parts = [Part(out, i, size, archive=one) for i, one in enumerate(archives)]
    digest = hashlib.sha256(json.dumps([archives, keys]).encode()).hexdigest()
    return parts, {"archives": digest, "size": list(size)}


def _check_same(out: str, old: object, new: dict) -> None:
    if old != new:
        raise ValueError(
            f"The place to prepare into must be new. Received: {out!r}, which holds another set or "
            "the beginning of one. Remove it, or take another place."
        )


def _read(storage: Any, address: str, path: str) -> Any:
    """A JSON file in storage; None where there is none."""
    with reaching(address):
        return json.loads(storage.cat_file(path)) if storage.exists(path) else None


def _ray(parts: list[Part]) -> Iterator[Any]:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError(
            f"Preparing in parallel needs Ray Data, which could not be imported ({error}). Install "
            "it: pip install '.[parallel]' in a checkout; engine='none' needs none."
        ) from error
    if not parts:
        return
    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    try:
        rows = [{"part": json.dumps(asdict(part))} for part in parts]
        data = ray.data.from_items(rows, override_num_blocks=len(rows))
        for row in data.map(_of_row).iter_rows():
            if row["error"]:
                raise TOLD[row["error"]](row["said"])
            yield row
    finally:
        if started:
            ray.shutdown()


def _of_row(row: dict) -> dict:
    """`make` for Ray. Ray would wrap what is raised into errors of its own, whose text is a
    traceback; so it is handed over as words."""
    fields = json.loads(row["part"])
    try:
        make(Part(**fields | {"size": tuple(fields["size"])}))
    except tuple(TOLD.values()) as error:
        kind = next(name for name, one in TOLD.items() if isinstance(error, one))
        return {"error": kind, "said": str(error)}
    return {"error": "", "said": ""}


# ---- what a worker does --------------------------------------------------------------------------


def make(part: Part) -> int:
    """Makes a part and writes it to storage, `part.done` last; its number."""
    storage, path = open_storage(part.out)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "packed"
        if part.archive is None:
            _draw(part, folder)
        else:
            pack(_fetched(part.archive, Path(temporary)), folder, part.size, progress=False)
        manifest = read_json(folder / "dataset.json")
        here = f"{path}/{PARTS}/{part.number:05d}"
        names = {"files.json": f"{here}-files.json"}
        if manifest["labels"] is not None:
            names["labels.npy"] = f"{here}-labels.npy"
        for number, shard in enumerate(manifest["shards"]):
            file = f"images-{part.number:05d}-{number:03d}.npy"
            names[shard["file"]] = f"{path}/{file}"
            shard["file"] = file
        with reaching(part.out):
            for name, file in names.items():
                storage.put_file(str(folder / name), file)
            storage.pipe_file(f"{path}/{part.done}", json.dumps(manifest).encode())
    return part.number


def _draw(part: Part, folder: Path) -> None:
    folder.mkdir()
    output, labels = writer.Writer(folder, *part.size), []
    for first in range(part.first, part.first + part.count, STEP):
        some = min(STEP, part.first + part.count - first)
        faces, rows = draw_faces(some, part.size[0], first=first)
        for image in faces:
            output.add(image)
        labels.append(rows)
    names = [f"drawn-0-{i}" for i in range(part.first, part.first + part.count)]
    write_json(folder / "files.json", names)
    output.finish(np.concatenate(labels), MAKEGIRLSMOE, labels_from="drawn")


def _fetched(archive: str, folder: Path) -> Path:
    """The archive, and its table of labels if there is one."""
    storage, path = open_storage(archive)
    name = path.rpartition("/")[2]
    table = table_beside(Path(name)).name
    with reaching(archive):
        storage.get_file(path, str(folder / name))
        if storage.exists(f"{path[: -len(name)]}{table}"):
            storage.get_file(f"{path[: -len(name)]}{table}", str(folder / table))
    return folder / name


# ---- one set of all parts ------------------------------------------------------------------------


def _join(parts: list[Part], made_from: dict, source: str) -> int:
    """Writes what the set has beside its images, `dataset.json` last."""
    out, (height, width) = parts[0].out, parts[0].size
    storage, path = open_storage(out)
    manifests = [_read(storage, out, f"{path}/{part.done}") for part in parts]
    schema = _schema(parts, manifests)
    shards = [shard for one in manifests for shard in one["shards"]]
    shard_files = [(f"{path}/{shard['file']}", shard["count"]) for shard in shards]
    images_there = StoredShards(out, storage, shard_files, (height, width))
    digest = hashlib.sha256()
    starts = range(0, images_there.count, READ)
    rows = (np.arange(i, min(i + READ, images_there.count)) for i in starts)
    for some in images_there.stream(rows):
        digest.update(some)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        labels, names = None, []
        for part in parts:
            names += _read(storage, out, f"{path}/{PARTS}/{part.number:05d}-files.json")
        if schema is not None:
            labels = _labels(storage, out, path, parts, folder)
            save_array(folder / "labels.npy", labels)
        write_json(folder / "files.json", names)
        manifest = {"format": writer.FORMAT, "version": writer.VERSION}
        manifest |= {"count": images_there.count, "height": height, "width": width}
        manifest |= {"shards": shards, "labels": None}
        if schema is not None:
            manifest["labels"] = schema.with_frequencies(labels).to_json()
        manifest["sha256"] = writer.finish_digest(digest, manifest["count"], height, width, labels)
        manifest |= {"made_from": made_from, "source": source}
        ignored = [one.get("ignored_columns", {}) for one in manifests]
        manifest["ignored_columns"] = {name: why for one in ignored for name, why in one.items()}
        manifest["labels_from"] = manifests[0].get("labels_from")
        manifest["rejected"] = [row for one in manifests for row in one.get("rejected", [])]
        write_json(folder / "dataset.json", manifest)
        with reaching(out):
            for name in ("labels.npy", "files.json", "dataset.json"):
                if (folder / name).exists():
                    storage.put_file(str(folder / name), f"{path}/{name}")
            storage.rm(f"{path}/{PARTS}", recursive=True)
    return manifest["count"]


def _schema(parts: list[Part], manifests: list[dict]) -> LabelSchema | None:
    """The labels of all parts."""
    schemas = [
        None if one["labels"] is None else LabelSchema.from_json(one["labels"]) for one in manifests
    ]
    plain = [
        None if one is None else [replace(field, frequencies=()) for field in one.fields]
        for one in schemas
    ]
    for part, one in zip(parts, plain, strict=True):
        if one != plain[0]:
            names = ["none" if p is None else ", ".join(f.name for f in p) for p in (one, plain[0])]
            raise ValueError(
                "All archives have the same labels with the same values. Received: "
                f"{part.archive!r} with {names[0]}, and {parts[0].archive!r} with {names[1]}. Mend "
                f"the table beside it, remove {part.out}, and prepare again."
            )
    return schemas[0]


def _labels(storage: Any, out: str, path: str, parts: list[Part], folder: Path) -> np.ndarray:
    rows = []
    for part in parts:
        name = f"{part.number:05d}-labels.npy"
        with reaching(out):
            storage.get_file(f"{path}/{PARTS}/{name}", str(folder / name))
        rows.append(np.load(folder / name))
        (folder / name).unlink()
    return np.concatenate(rows)
