"""What a file from elsewhere may ask for, checked before anything is allocated.

A few kilobytes can claim terabytes: as a number in JSON, as the shape of an array, as an archive
that unpacks to a thousand times its size, as a layer with a billion units.
"""

from __future__ import annotations

import copy
import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime.core import disk, later
from tfanime.core.files import read_json

if TYPE_CHECKING:
    import keras

JSON_BYTES = 64 * 2**20
MEMBERS = 10_000  # of an archive
EXPANSION = 16  # times an archive's own size; weights shrink to half at best
SLACK = 16 * 2**20  # bytes that any archive may unpack to
COLUMNS = 2**16  # of labels; numbers of a latent
LAYER = 2**25  # numbers that a layer computes for one image: 1 GB for eight of them
SIDE = 64  # of the image that an upscaler is measured with
PICTURE = 4096  # pixels of a side of what a run draws
DEPTH = 256  # blocks, stages or layers of a network that settings describe
# What damaged files make zipfile and NumPy raise, beside ValueError.
BROKEN = (ValueError, KeyError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error)
BROKEN += (NotImplementedError, SyntaxError, MemoryError)


def read_object(path: str | os.PathLike) -> dict[str, Any]:
    """The object of a JSON file.

    Raises:
        ValueError: for anything else; the message names the file.
    """
    path = Path(path)
    if path.stat().st_size > JSON_BYTES:
        raise ValueError(
            f"{str(path)!r} is no JSON of ours: it has more than {JSON_BYTES:,} bytes."
        )
    value = read_json(path)
    if not isinstance(value, dict):
        raise ValueError(f"{str(path)!r} is damaged: it holds no JSON object, but {_short(value)}.")
    return value


def check_schema(schema: object) -> None:
    """Checks the description of labels that `LabelSchema.from_json` is to read.

    Raises:
        ValueError: for anything else than a list of fields, or for too many columns.
    """
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(fields, list) or not all(isinstance(one, dict) for one in fields):
        raise ValueError(
            f"labels are described by an object with a list of fields, not {_short(schema)}"
        )
    columns = 0
    for one in fields:
        values, length = one.get("values", []), one.get("length", 0)
        texts = [one.get("name"), one.get("kind")]
        if not isinstance(values, list) or not all(
            isinstance(text, str) for text in texts + values
        ):
            raise ValueError(f"a field of labels has a name, a kind and values, not {_short(one)}")
        shares = one.get("frequencies", [])
        numbers = [one.get("low", 0.0), one.get("high", 1.0), *shares]
        plain = all(isinstance(n, (int, float)) and isfinite(n) for n in numbers)
        if not plain or not isinstance(length, int) or len(shares) not in (0, *_counts(one)):
            raise ValueError(f"the numbers of a field of labels do not fit it: {_short(one)}")
        columns += max(1, len(values), length)
    if columns > COLUMNS:
        raise ValueError(f"labels have at most {COLUMNS:,} columns, not {columns:,}")


def _counts(field: dict) -> tuple[int, ...]:
    """How many frequencies a field may have; a value has its quantiles."""
    values = len(field.get("values", []))
    return {"group": (values,), "flag": (1,), "value": (17,)}.get(field["kind"], ())


# ---- arrays --------------------------------------------------------------------------------------


def check_arrays(path: str | os.PathLike) -> None:
    """Checks a `.npz` without reading its arrays.

    Raises:
        ValueError: for one that would unpack to far more than it is, or that is damaged.
    """
    with _opened(path) as archive:
        for info in archive.infolist():
            with archive.open(info) as member:
                shape, dtype = _header(member)
                if prod(shape) * dtype.itemsize > info.file_size:
                    raise ValueError(f"its array {info.filename!r} is shorter than its shape")


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of a `.npz`.

    Raises:
        ValueError: for one that is missing, damaged, or would unpack to far more than it is; the
            message names the file.
    """
    try:
        check_arrays(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except BROKEN as error:
        raise damaged(path, error) from error


def damaged(path: str | os.PathLike, error: BaseException) -> ValueError:
    """One sentence about a file that cannot be read.

    Raises:
        DiskError: for one whose disk fails, which is no damage of the file's.
    """
    disk.check(error, path)
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    first = reason.splitlines()[0].rstrip(".")
    return ValueError(f"{os.fspath(path)!r} is damaged and cannot be read ({first}).")


def _header(member) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(member)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"its arrays are of an unknown version {version}")
    shape, _, dtype = readers[version](member)
    return shape, dtype


def _opened(path: str | os.PathLike) -> zipfile.ZipFile:
    """An archive that unpacks to no more than it may."""
    archive = zipfile.ZipFile(path)
    members = archive.infolist()
    # zipfile reads no more of a member than its entry says.
    unpacked, size = sum(info.file_size for info in members), Path(path).stat().st_size
    if len(members) > MEMBERS or unpacked > EXPANSION * size + SLACK:
        archive.close()
        raise ValueError(f"it would unpack to {unpacked:,} bytes, and has {size:,}")
    return archive


# ---- networks ------------------------------------------------------------------------------------


def load_network(path: str | os.PathLike, ours: bool = False) -> keras.Model:
    """A `.keras` file, not compiled.

    Layers that a user defined are allowed, as Keras allows them: those that the process has
    registered.

    Args:
        ours: it came with tfanime, and is trusted like its code. Checking a network builds it once
            more; and none of its layers holds layers, so that it is read in less time.

    Raises:
        ValueError: for a file that is none, is damaged, is of a later Keras and says what this one
            does not know, or asks for more than its weights fill or than an image needs; the
            message names the file.
    """
    try:
        if ours:
            return _read_network(Path(path))
        _check_network(Path(path))
        return later.load_model(path)
    except Exception as error:  # Keras lets through whatever its layers raise
        raise later.refusal(path, error) or damaged(path, error) from error


def _read_network(path: Path) -> keras.Model:
    """What `keras.saving.load_model` returns, which searches every attribute of every layer for
    more layers, and makes a layer for each to know which attributes to pass over. And the variables
    begin with the values that are stored: nothing is drawn first to be replaced."""
    config, stored = _stored(path)
    # Imported after the file is read: meanwhile `linking.open_libraries` may link TensorFlow.
    import keras

    model = _built(config, {})
    for layer in model.layers:
        values = stored[layer.name]
        shapes = [tuple(variable.shape) for variable in layer.weights]
        if shapes != [value.shape for value in values]:
            raise ValueError(
                f"its layer {layer.name!r} has weights of shapes {shapes}, and others are "
                f"stored: {[value.shape for value in values]}"
            )
        for variable, value in zip(layer.weights, values, strict=True):
            variable._initialize(keras.ops.convert_to_tensor(value, variable.dtype))
    for variable in model.variables:  # seeds of layers that are random in training
        if variable._value is None:
            variable._deferred_initialize()
    return model


def _stored(path: Path) -> tuple[dict, dict[str, list[np.ndarray]]]:
    """Of a `.keras` file its description, and the values of each layer's variables by its name."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        packed = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(packed) as file:
        groups = [group["vars"] for group in file["layers"].values()]
        return config, {
            group.attrs["name"]: [group[str(i)][()] for i in range(len(group))] for group in groups
        }


def _check_network(path: Path) -> None:
    import h5py

    with _opened(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        if sizes.get("config.json", 0) > JSON_BYTES:
            raise ValueError("its description is too long")
        try:
            config = json.loads(archive.read("config.json"))
        except RecursionError:
            raise ValueError("its description is nested too deeply") from None
        packed = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(packed) as file:
        count = sum(prod(one.shape or ()) for one in _datasets(file))
        size = sum(one.nbytes for one in _datasets(file))
        if size > EXPANSION * len(packed.getbuffer()) + SLACK:
            raise ValueError(f"its weights would unpack to {size:,} bytes")
    classes = _registered(config)
    try:
        model = without_values(config)
    except Exception:
        if classes:  # a user's own layer may need values to be built
            return
        raise
    weights = sum(prod(variable.shape) for variable in model.variables)
    if weights > count + COLUMNS:
        raise ValueError(f"its layers have {weights:,} weights, and {count:,} are stored")
    for name, shape in _computed(model):
        if prod(length or 1 for length in shape[1:]) > LAYER:
            raise ValueError(
                f"its layer {name!r} computes {shape[1:]} numbers for an image, and {LAYER:,} in "
                "all are the most"
            )


def _datasets(group) -> Iterator:
    import h5py

    datasets: list = []

    def see(_, item):
        if isinstance(item, h5py.Dataset):
            datasets.append(item)

    group.visititems(see)
    return iter(datasets)


def _registered(config: object) -> dict[str, type]:
    """The classes outside Keras and tfanime that a description names, as they are registered."""
    import keras

    classes = {}
    for one in later.objects(config):
        name = one.get("registered_name")
        if isinstance(name, str) and not name.startswith("tfanime"):
            kind = keras.saving.get_registered_object(name)
            if kind is not None and not kind.__module__.startswith("keras."):
                classes[name] = kind
    return classes


def without_values(config: dict) -> keras.Model:
    """The network that a serialised configuration describes, with shapes alone: no variable is
    given a value, and none takes memory. Sides that may be any are `SIDE`.

    Raises:
        Exception: whatever Keras raises for what describes none.
    """
    config = copy.deepcopy(config)
    for one in later.objects(config):
        if one.get("class_name") == "InputLayer":
            shape = one["config"].get("batch_shape") or one["config"].get("batch_input_shape")
            if isinstance(shape, list):
                shape[1:] = [SIDE if length is None else length for length in shape[1:]]
    return _built(config, _registered(config))


def _built(config: dict, classes: dict[str, type]) -> keras.Model:
    """The network whose variables have no values yet."""
    import keras

    later.drop_options(config)

    def build() -> keras.Model:
        with keras.StatelessScope(initialize_variables=False):
            return keras.saving.deserialize_keras_object(config, custom_objects=classes)

    # In a thread of its own, whose list of variables that have no values yet ends with it.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(build).result()


def _computed(model: keras.Model) -> Iterator[tuple[str, tuple]]:
    """Names and output shapes of all layers, those of inner networks too."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _computed(layer)
        for node in layer._inbound_nodes:
            for tensor in node.output_tensors:
                yield layer.name, tensor.shape


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
