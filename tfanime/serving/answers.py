"""What a model server says, checked before it is believed: its description, arrays and images."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

from tfanime.core.decode import read_image
from tfanime.core.labels import LabelSchema
from tfanime.serving.replies import Arrays, BadAnswer
from tfanime.text.clean import check_steps

FINITE = ("latents", "scores")
GROUPS = ("coarse", "middle", "fine")  # of maps, whose styles can be another face's
# No model has more, and what they mean grows fast: columns are compared with each other.
MOST_PIXELS, MOST_NUMBERS, MOST_COLUMNS = 4096, 2**16, 4096


def description(address: str, arrays: Arrays) -> dict:
    """What the signature `describe` says of a model.

    Raises:
        BadAnswer: unless every part that `Client` needs is there, and as it should be.
    """
    try:
        about = json.loads(np.asarray(arrays["json"]).ravel()[0])
        for name, most in (("height", MOST_PIXELS), ("width", MOST_PIXELS)):
            _whole(about[name], name, most)
        _whole(about["latentDim"], "latentDim", MOST_NUMBERS)
        _whole(about["limits"]["pictures"], "limits.pictures", MOST_NUMBERS)
        if about["upscaler"] is not None:
            _whole(about["upscaler"]["factor"], "upscaler.factor", 16)
            if not isinstance(about["upscaler"].get("shown", False), bool):
                raise ValueError(f"upscaler.shown is {about['upscaler']['shown']!r}")
        border = about["chooser"]["border"] if "chooser" in about else 0.0
        if not isinstance(border, float) or not math.isfinite(border):
            raise ValueError(f"chooser.border is {border!r}")
        _check_texts(about["texts"])
        if not set(about.get("styles", ())) <= set(GROUPS):
            raise ValueError(f"styles is {about['styles']!r}")
        schema(about["schema"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}" if isinstance(error, LookupError) else error
        raise BadAnswer(address, f"its description cannot be used ({reason})") from error
    return about


def shown_size(about: Mapping) -> tuple[int, int]:
    """Height and width of the files of drawn images; without `shown` they are not enlarged."""
    upscaler = about["upscaler"] or {}
    factor = upscaler["factor"] if upscaler.get("shown") else 1
    return factor * about["height"], factor * about["width"]


def schema(document: Mapping | None) -> LabelSchema | None:
    """The labels of a description.

    Raises:
        ValueError: or another error of `LabelSchema`, for what is none.
    """
    if document is None:
        return None
    size = sum(
        len(f.get("values", ())) + max(1, int(f.get("length", 0))) for f in document["fields"]
    )
    if size > MOST_COLUMNS:
        raise ValueError(f"{size:,} labels")
    return LabelSchema.from_json(document)


def row(
    address: str,
    arrays: Arrays,
    pictures: int,
    latents: int,
    labels: int | None = None,
    scored: bool = False,
) -> Arrays:
    """The outputs of a call of one row, without the row's dimension.

    Args:
        address: of the server.
        arrays: `png_bytes (1, n)`, `latents (1, n, dim)`, `labels (1, n, L)` and `scores (1, n)`.
        pictures: n.
        latents: dim.
        labels: L; None for a model without.
        scored: whether there are scores.

    Raises:
        BadAnswer: for other shapes or types, and for latents and scores that are no numbers.
    """
    shapes = {"png_bytes": (1, pictures), "latents": (1, pictures, latents)}
    if labels is not None:
        shapes["labels"] = (1, pictures, labels)
    if scored:
        shapes["scores"] = (1, pictures)
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise BadAnswer(
                address,
                f"its output {name!r} has the shape {arrays[name].shape} instead of {shape}",
            )
        numbers = arrays[name].dtype.kind in "iuf"
        finite = name not in FINITE or (numbers and np.isfinite(arrays[name]).all())
        if numbers == (name == "png_bytes") or not finite:
            raise BadAnswer(address, f"its output {name!r} is not what it should hold")
    return {
        name: arrays[name][0] if name == "png_bytes" else arrays[name][0].astype(np.float32)
        for name in shapes
    }


def files(address: str, contents: np.ndarray, count: int) -> list[bytes]:
    """The files of `png_bytes (n,)`."""
    if contents.shape != (count,):
        raise BadAnswer(
            address, f"its output 'png_bytes' has the shape {contents.shape} instead of ({count},)"
        )
    return contents.tolist()


def pictures(address: str, contents: Sequence[object], height: int, width: int) -> np.ndarray:
    """Images `(n, H, W, 3)` uint8 of their files.

    Raises:
        BadAnswer: for what is no image, or one of another size.
    """
    images = np.empty((len(contents), height, width, 3), np.uint8)
    for place, file in zip(images, contents, strict=True):
        try:
            picture = read_image(bytes(file), pixel_limit=height * width)
        except (ValueError, TypeError) as error:
            raise BadAnswer(address, f"an image cannot be read ({error})") from error
        if picture.size != (width, height):
            raise BadAnswer(address, f"an image has {picture.size} pixels, not {width, height}")
        place[:] = np.asarray(picture)
    return images


def _check_texts(texts: Mapping | None) -> None:
    if texts is None:
        return
    if not str(texts["name"]).isidentifier() or not isinstance(texts["genres"], bool):
        raise ValueError(f"texts is {texts!r}")
    if not isinstance(texts["skip"], list):
        raise ValueError(f"skip is {texts['skip']!r}")
    check_steps(texts["skip"])


def _whole(value: object, name: str, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"{name} is a whole number from 1 to {most:,}; it says {value!r}")
