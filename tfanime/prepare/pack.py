"""Packing images into the folder that everything else reads (`tfanime.data`)."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime.core import disk, images
from tfanime.core.files import (
    atomic_folder,
    left_over,
    read_json,
    remove,
    temporary_prefix,
    write_json,
)
from tfanime.core.printing import plain
from tfanime.data.writer import FORMAT, VERSION, Writer, is_packed
from tfanime.prepare.arranged import (
    FOLDERS,
    STYLEGAN,
    folder_table,
    folders_hint,
    stylegan_place,
    stylegan_table,
)
from tfanime.prepare.check import Duplicates, Rejected, check_picture, summary
from tfanime.prepare.sources import (
    AHEAD_BYTES,
    Source,
    fingerprint,
    open_source,
    pictures_in,
    source_kind,
)
from tfanime.prepare.table import MOST_LABELS
from tfanime.prepare.table_labels import MOST_TAGS, Labels, labels_of, read_labels

if TYPE_CHECKING:
    from tfanime.data import PackedDataset

CHUNK_FILES, CHUNK_BYTES = 32, 8 * 2**20  # what one thread decodes at a time
# Removing them is what was asked for; they do not make a set unsound.
HARMLESS = ("duplicate", "near duplicate")


def pack(
    source: str | os.PathLike,
    out: str | os.PathLike,
    size: int | str | tuple[int, int] = 64,
    labels: str | os.PathLike | None = None,
    mode: str = "crop",
    focus: tuple[float, float] = (0.5, 0.5),
    smallest: int = 0,
    near_duplicates: bool = False,
    strict: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    most_tags: int = MOST_TAGS,
) -> PackedDataset:
    """Packs a folder tree, a zip, a tar or a CSV of paths. The CLI's `tfanime prepare`.

    Files that cannot be used are left out, listed in `dataset.json` and summed up on stderr.
    Nothing appears at `out` before everything is written.

    Args:
        source: the images. A CSV names them in its column `file`, relative to its own folder;
            of a folder that `tfanime collect` or `prepare faces` wrote, its images are taken.
        out: folder to create. If it already holds this very set, it is returned as it is.
        size: as in `images.parse_size`.
        labels: CSV with a column `file`; for the other columns see `table_columns`. Or
            `"folders"`: the folder of an image is its class. By default a CSV of paths is its
            own, `faces.tar` or `faces.zip` uses a `faces.csv` beside it, and StyleGAN's
            `dataset.json` is read. Images without a row have unknown labels.
        mode, focus: `"crop"` or `"pad"`, and what stays in view: as in `images.fit`.
        smallest: leaves out images whose shorter side has fewer pixels.
        near_duplicates: leaves out images that look the same as an earlier one.
        strict: fail at the first file or row that cannot be used, and write nothing.
        overwrite: replace another packed set at `out`.
        progress: show a progress bar.
        most_tags: of a column of tags, the commonest so many become labels, at most 1,000.

    Returns:
        The packed dataset, opened.

    Raises:
        ValueError: for wrong arguments, an `out` that holds something else, no usable image,
            labels of which no row names an image, or, if `strict`, for the first bad file.
    """
    from tfanime.data import PackedDataset  # that module packs what it is given

    source, out = pictures_in(Path(source)), Path(out)
    options: dict[str, Any] = {"size": size, "labels": labels, "mode": mode, "focus": focus}
    options |= {"smallest": smallest, "near_duplicates": near_duplicates, "most_tags": most_tags}
    origin = made_from(source, **options)
    height, width = origin["size"]
    asked_for = labels is not None
    labels = _labels_file(source, source_kind(source), labels)
    if already_packed(out, origin, overwrite):
        for one in read_json(out / "dataset.json")["rejected"]:
            _refuse(Rejected(**one), strict)
        return PackedDataset.open(out)

    with open_source(source) as opened, replacing(out) as folder:
        table, labels_from = _labels(opened, source, labels, most_tags)
        if asked_for and table.schema is None:
            ignored = "; ".join(f"{name!r}: {reason}" for name, reason in table.ignored.items())
            raise ValueError(
                f"A table of labels has a column that can become one. Received: {labels}: "
                f"{ignored or 'no column beside the file'}."
            )
        rejected = [*opened.rejected, *table.rejected]
        writer = Writer(folder, height, width)
        names: list[str] = []
        duplicates = Duplicates(near_duplicates)
        fit = {"height": height, "width": width, "mode": mode, "focus": focus}
        checked_images = checked(opened, table, fit | {"smallest": smallest})
        for one in rejected:
            _refuse(one, strict)
        for name, result in with_progress(checked_images, len(opened.names), progress):
            if not isinstance(result, Rejected):
                try:
                    duplicates.check(name, result)
                except ValueError as error:
                    result = Rejected.because(name, error, opened.rows.get(name))
            if isinstance(result, Rejected):
                _refuse(result, strict)
                rejected.append(result)
            else:
                writer.add(result)
                names.append(name)
        if not names:
            lines = "; ".join(summary(rejected)) or "nothing was found"
            raise ValueError(f"A set needs at least one usable image. Received: {lines}.")
        rows = None
        if table.schema is not None:
            rows = np.full((len(names), table.schema.size), np.nan, np.float32)
            for i, name in enumerate(names):
                if name in table.values:
                    rows[i] = table.values[name]
        write_json(folder / "files.json", names)
        writer.finish(
            rows,
            table.schema,
            made_from=origin,
            source=source.name,
            labels_from=labels_from,
            ignored_columns=table.ignored,
            label_notes=list(table.notes),
            rejected=[one.to_json() for one in rejected],
        )
    _report(out, len(names), rejected, table, labels_from)
    return PackedDataset.open(out)


def made_from(
    source: str | os.PathLike,
    size: int | str | tuple[int, int] = 64,
    labels: str | os.PathLike | None = None,
    mode: str = "crop",
    focus: tuple[float, float] = (0.5, 0.5),
    smallest: int = 0,
    near_duplicates: bool = False,
    most_tags: int = MOST_TAGS,
) -> dict:
    """Everything that decides the result of `pack`, JSON-ready: equal means the same set.

    Raises:
        ValueError: for arguments that `pack` refuses.
    """
    source = pictures_in(Path(source))
    images.check_fit(mode, focus)
    kind = source_kind(source)
    if not 1 <= most_tags <= MOST_LABELS:
        raise ValueError(f"most_tags is from 1 to {MOST_LABELS:,}. Received: {most_tags!r}.")
    if kind == "folder" and is_packed(source):
        raise ValueError(
            f"Images must not be packed yet. Received: {str(source)!r}, which holds a "
            "dataset.json. Use that folder as it is, or pack the original images."
        )
    table = _labels_file(source, kind, labels)
    tags = {} if most_tags == MOST_TAGS else {"most_tags": most_tags}
    return tags | {
        "source": fingerprint(source),
        "labels": fingerprint(table) if isinstance(table, Path) else table,
        "size": list(images.parse_size(size)),
        "mode": mode,
        "focus": list(focus),
        "smallest": smallest,
        "near_duplicates": near_duplicates,
        "version": VERSION,
    }


# ---- steps of pack -----------------------------------------------------------------------------


def _labels_file(source: Path, kind: str, labels: str | os.PathLike | None) -> Path | str | None:
    """The table of labels, `"folders"`, or None."""
    if labels == FOLDERS:
        return FOLDERS
    if labels is not None:
        if not Path(labels).is_file():
            raise ValueError(
                f"labels is a CSV file, or '{FOLDERS}'. Received: {str(labels)!r}, which is none."
            )
        return Path(labels)
    if kind == "csv":
        return source
    beside = table_beside(source)
    return beside if kind in ("tar", "zip") and beside.is_file() else None


def table_beside(archive: Path) -> Path:
    """Where the table of labels of a zip or tar is looked for."""
    return archive.with_name(re.sub(r"\.(tar(\.\w+)?|tgz|zip)$", "", archive.name) + ".csv")


def _labels(
    opened: Source, source: Path, labels: Path | str | None, most_tags: int
) -> tuple[Labels, str | None]:
    """What is known about the images, and where from. A file of labels that lies among the
    images is taken out of them."""
    if isinstance(labels, Path):
        beside = os.path.relpath(labels, source).replace(os.sep, "/")
        opened.names = [name for name in opened.names if name != beside]
        return read_labels(labels, opened.names, source, most_tags), labels.name
    place = stylegan_place(opened.names)
    own_table = stylegan_table(opened.read(place), place, f"{source}/{place}") if place else None
    if own_table is not None:
        opened.names = [name for name in opened.names if name != place]
    if labels == FOLDERS:
        table = folder_table(opened.names, str(source))
        return labels_of(table, str(source), opened.names), FOLDERS
    if own_table is not None:
        return labels_of(own_table, f"{source}/{place}", opened.names, (), most_tags), STYLEGAN
    hint = folders_hint(opened.names)
    return Labels(None, {}, {}, [], {}, (hint,) if hint else ()), None


def already_packed(out: Path, made_from: dict, overwrite: bool) -> bool:
    """Whether `out` holds this very set. Raises ValueError if it holds anything that would be
    lost."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        manifest = read_json(out / "dataset.json")
        packed = manifest["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError) as error:
        disk.check(error, out)
        packed = False
    if packed and manifest.get("made_from") == made_from:
        return not overwrite
    if packed and overwrite:
        return False
    content = "another packed set" if packed else "something that is not a packed set"
    fix = "overwrite=True (--overwrite), or another folder" if packed else "another folder"
    raise ValueError(
        f"The folder to pack into must be new. Received: {str(out)!r}, which holds {content}. "
        f"Use {fix}."
    )


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """`atomic_folder` that may replace a set: the old one goes when the new one is complete."""
    aside, name = None, f"{out.name}-old"
    for old in left_over(out.parent, name):  # of a process that was killed in between
        if out.exists() or not (content := next(old.iterdir(), None)):
            remove(old)
        else:
            content.rename(out)
            remove(old)
    try:
        with atomic_folder(out) as folder:
            yield folder
            if out.exists():
                aside = Path(tempfile.mkdtemp(prefix=temporary_prefix(name), dir=out.parent))
                out.rename(aside / out.name)
    except BaseException:
        if aside and not out.exists():
            (aside / out.name).rename(out)
            aside.rmdir()
        raise
    if aside:
        shutil.rmtree(aside)


def checked(
    source: Source, table: Labels, options: dict
) -> Iterator[tuple[str, np.ndarray | Rejected]]:
    """Every file of `source` in order, decoded by all cores while this thread reads ahead."""

    def work(chunk: list[tuple[str, bytes | Rejected]]) -> list[tuple[str, np.ndarray | Rejected]]:
        results: list[tuple[str, np.ndarray | Rejected]] = []
        for name, data in chunk:
            if isinstance(data, Rejected):
                results.append((name, data))
                continue
            try:
                results.append((name, check_picture(data, **options)))
            except ValueError as error:
                results.append((name, Rejected.because(name, error, source.rows.get(name))))
        return results

    workers = os.cpu_count() or 1
    waiting: deque = deque()
    ahead = 0
    with ThreadPoolExecutor(workers) as pool:
        try:
            for chunk in _chunks(_read(source, table)):
                size = _bytes_of(chunk)
                waiting.append((pool.submit(work, chunk), size))
                ahead += size
                del chunk
                while len(waiting) > 2 * workers or (waiting and ahead > AHEAD_BYTES):
                    future, size = waiting.popleft()
                    yield from future.result()
                    ahead -= size
            while waiting:
                yield from waiting.popleft()[0].result()
        finally:
            for future, _ in waiting:
                future.cancel()


def _bytes_of(chunk: list[tuple[str, bytes | Rejected]]) -> int:
    return sum(len(data) for _, data in chunk if not isinstance(data, Rejected))


def _read(source: Source, table: Labels) -> Iterator[tuple[str, bytes | Rejected]]:
    for name in source.names:
        if name in table.bad:
            yield name, table.bad[name]
            continue
        try:
            yield name, source.read(name)
        except ValueError as error:
            yield name, Rejected.because(name, error, source.rows.get(name))


def _chunks(files: Iterable[tuple[str, bytes | Rejected]]) -> Iterator[list]:
    chunk, total = [], 0
    for name, data in files:
        chunk.append((name, data))
        total += 0 if isinstance(data, Rejected) else len(data)
        if len(chunk) == CHUNK_FILES or total > CHUNK_BYTES:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk


def with_progress(results: Iterator, total: int, progress: bool) -> Iterator:
    from tfanime.core.bars import progress_bar

    with progress_bar(
        results, total=total, desc="packing", unit=" images", disable=not progress
    ) as bar:
        yield from bar


def _refuse(one: Rejected, strict: bool) -> None:
    if strict and one.reason not in HARMLESS:
        raise ValueError(
            f"With strict, every file and row must be usable. Received: {one}. "
            "Nothing was written. Mend or remove it, or pack without strict."
        )


def _report(
    out: Path, count: int, rejected: list[Rejected], table: Labels, labels: str | None
) -> None:
    def say(line: str) -> None:
        print(plain(line), file=sys.stderr)

    if labels:
        say(f"labels from {labels}")
    for column, reason in table.ignored.items():
        say(f"ignored column {column!r}: {reason}")
    for note in table.notes:
        say(note)
    for line in summary(rejected):
        say(f"left out, {line}")
    say(f"{count:,} images in {out.name}, {len(rejected):,} left out (listed in dataset.json)")
