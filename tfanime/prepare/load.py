"""Whatever holds images, as a packed set: packed or drawn into the cache the first time."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from tfanime.core import images as image_tools
from tfanime.core.cache import cache_folder, check_cache
from tfanime.core.files import is_address
from tfanime.data.packed import PackedDataset
from tfanime.data.writer import is_packed
from tfanime.drawn.render import drawing_version, render
from tfanime.prepare.pack import made_from, pack
from tfanime.registries import DATA_SOURCES, named_source

DRAWN = 6000  # faces of `"drawn"`


def load_data(
    source: str | os.PathLike,
    size: int | str | tuple[int, int] | None = None,
    labels: str | os.PathLike | None = None,
    count: int = DRAWN,
    cache: str | os.PathLike | None = None,
    progress: bool = True,
) -> PackedDataset:
    """Whatever holds images, as a dataset.

    Args:
        source: a packed folder, or its address in object storage (`gs://bucket/faces`, `s3://`),
            whose images stay there; a folder, zip, tar or CSV of images, which is packed into
            the cache the first time; `"drawn"`, the built-in faces, drawn into the cache; or
            another name of `registries.DATA_SOURCES`, which `:` and an argument may follow.
        size: as in `images.parse_size`; 64 by default. A packed folder has its own.
        labels: of images that are not packed yet, as in `tfanime.pack`: a CSV, or `"folders"`.
        count: how many faces of `"drawn"`.
        cache: folder; by default `$TFANIME_CACHE`, or `~/.cache/tfanime`.
        progress: show a progress bar when something has to be packed or drawn.

    Raises:
        ValueError: if the source is none of these, or holds images of another size.
        OSError: if object storage does not answer.
    """
    cache = cache_folder(cache)
    if is_address(source) or is_packed(source):
        packed = PackedDataset.open(source, cache)
        if labels is not None:
            raise ValueError(
                f"Labels are packed together with the images. Received: {str(labels)!r} for the "
                f"packed set {str(source)!r}. Pack the original images with these labels."
            )
        if size is not None and image_tools.parse_size(size) != (packed.height, packed.width):
            raise ValueError(
                f"{str(source)!r} holds images of {packed.width}x{packed.height}. Received: "
                f"size {size!r}. Leave the size out, or pack the originals again at that size."
            )
        return packed
    height, width = image_tools.parse_size(64 if size is None else size)
    if named := named_source(source):
        return _named(*named, cache, (height, width), labels, count, progress)
    options: dict[str, Any] = {"size": (height, width), "labels": labels}
    key = hashlib.sha256(json.dumps(made_from(source, **options)).encode()).hexdigest()
    out = cache / f"{Path(source).resolve().stem}-{width}x{height}-{key[:16]}"
    if out.exists():
        return PackedDataset.open(out)
    check_cache(cache)
    print(f"packing {source} into {out} (once)", file=sys.stderr)
    try:
        return pack(source, out, progress=progress, **options)
    except OSError:
        if out.exists():  # another process was faster
            return PackedDataset.open(out)
        raise


def _named(
    name: str,
    argument: str,
    cache: Path,
    size: tuple[int, int],
    labels: object,
    count: int,
    progress: bool,
) -> PackedDataset:
    if labels is not None:
        raise ValueError(
            f"{name!r} images have their own labels. Received: labels {labels!r}. Leave them out."
        )
    if name == "drawn" and not argument:
        argument = str(count)
    data = DATA_SOURCES.get(name)(argument, size, cache, progress)
    if (data.height, data.width) != size:
        raise ValueError(
            f"The data source {name!r} was asked for images of {size[1]}x{size[0]}. Received: "
            f"{data.width}x{data.height}. Mend the function that is registered for it."
        )
    return data


def drawn(argument: str, size: tuple[int, int], cache: Path, progress: bool) -> PackedDataset:
    """The built-in faces: so many as the argument says, `"drawn:500"`."""
    count, (height, width) = drawn_count(argument, size), size
    out = cache / f"drawn-{width}x{height}-{count}-{drawing_version()}"
    if not out.exists():
        check_cache(cache)
        try:
            render(out, count, height, progress=progress)
        except OSError:
            if not out.exists():
                raise
    return PackedDataset.open(out)


def drawn_count(argument: str, size: tuple[int, int]) -> int:
    """How many built-in faces the argument asks for.

    Raises:
        ValueError: for what is no number, or faces that are not square.
    """
    height, width = size
    if argument and not argument.isdecimal():
        raise ValueError(f"'drawn:COUNT' names a number of faces. Received: {argument!r}.")
    count = int(argument or DRAWN)
    if height != width or count < 1:
        raise ValueError(
            "'drawn' faces are square, and there is at least one. "
            f"Received: size {width}x{height}, count {count}."
        )
    return count
