"""A trained generator as a single file for other runtimes: LiteRT (TFLite) and ONNX.

Both start from the graph that a browser gets (`rewrite`): folded batch norm, no transposed
convolutions. What was converted is run by its own runtime and compared with the trained model.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfanime import zoo
from tfanime.core import litert
from tfanime.core.files import read_json, write_json
from tfanime.core.quiet import quiet
from tfanime.export import card
from tfanime.export.folder import FORMAT, MANIFEST, check_replaceable, gzipped, replacing
from tfanime.export.graph import parity
from tfanime.export.graph.graph import Graph, from_keras
from tfanime.export.graph.precision import CHUNK, Measured, decibel, errors
from tfanime.export.graph.rewrite import rewrite
from tfanime.export.graph.subject import generator_subject
from tfanime.version import __version__
from tfanime.zoo.saved import DESCRIPTION, load_generator

LITERT, ONNX = "litert", "onnx"
FILES = {LITERT: "model.tflite", ONNX: "model.onnx"}
OPSET = 17
OUTPUT = "pictures"

Draw = Callable[[list[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Converted:
    """What was written.

    Args:
        path: the model's file.
        kind: `"litert"` or `"onnx"`.
        difference: the largest, of images in [-1, 1], from those of the trained model.
        table: size, and PSNR against the trained model's images of 64 seeds.
    """

    path: Path
    kind: str
    difference: float
    table: tuple[Measured, ...]


def export_litert(run: str | os.PathLike, out: str | os.PathLike) -> Converted:
    """Writes `model.tflite` for LiteRT, with `tfanime.json`, model card and licence beside it.

    Its inputs are `latents (B, dim)` and, for a model with labels, `labels (B, L)` in -1/+1
    coding, by these names in the signature; its output is `pictures (B, H, W, 3)` in [-1, 1].

    Args:
        run: a run folder of a generator.
        out: the folder. An earlier export of this kind is replaced; anything else is an error.

    Raises:
        FileNotFoundError: when the folder holds no trained model.
        ValueError: when `out` is something else than an earlier export.
        RuntimeError: when the file draws other images. Nothing is written then.

    Example:
        >>> export_litert("runs/girls", "litert/")  # doctest: +SKIP
    """
    return _export(zoo.locate(run), Path(out), LITERT, _to_litert, _litert)


def export_onnx(run: str | os.PathLike, out: str | os.PathLike) -> Converted:
    """Writes `model.onnx` (opset 17): see `export_litert`; images stay channels last.

    Raises:
        ImportError: without the `onnx` extra.
    """
    try:
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"Exporting to ONNX needs tf2onnx and onnxruntime ({error}). Install them with: "
            'pip install ".[onnx]" in a checkout'
        ) from error
    return _export(zoo.locate(run), Path(out), ONNX, _to_onnx, _onnx)


def _export(
    run: Path,
    out: Path,
    kind: str,
    convert: Callable[[Graph], bytes],
    runtime: Callable[[bytes, Graph], Draw],
) -> Converted:
    check_replaceable(out, kind)
    subject, generator = generator_subject(run), load_generator(run)
    graph = rewrite(from_keras(generator.model))
    data = convert(graph)
    draw = runtime(data, graph)
    starts = range(0, len(subject.pictures), CHUNK)
    images = np.concatenate([draw([x[i : i + CHUNK] for x in subject.inputs]) for i in starts])
    difference = parity.check_converted(images, subject.pictures, f"the file for {kind}")
    error = errors(images, subject.pictures)
    row = Measured(kind, len(data), gzipped(data), decibel(error.mean()), decibel(error.max()))
    description = read_json(run / DESCRIPTION)
    manifest = {
        "format": FORMAT,
        "kind": kind,
        "tfanime": __version__,
        "model": FILES[kind],
        "inputs": list(graph.inputs),
        "output": OUTPUT,
        "latentDim": generator.latent_dim,
        "height": generator.height,
        "width": generator.width,
        "schema": description["schema"],
        "difference": difference,
    }
    facts = [
        f"{FILES[kind]}, {len(data) / 1e6:.2f} MB, float32",
        f"images of {len(images)} seeds differ by {difference:.1e} at most, in [-1, 1]",
    ]
    with replacing(out) as folder:
        (folder / FILES[kind]).write_bytes(data)
        write_json(folder / MANIFEST, manifest)
        text = card.card(run, generator.name, description, facts, [row], kind)
        (folder / card.CARD).write_text(text, encoding="utf-8")
        (folder / card.LICENCE).write_text(card.licence(run), encoding="utf-8")
    return Converted(out / FILES[kind], kind, difference, (row,))


# ---- conversion ----------------------------------------------------------------------------------


def _function(graph: Graph) -> tuple[Any, list]:
    """The graph as a function of named inputs, for any batch; and their specs."""
    import tensorflow as tf

    shapes = graph.shapes()
    specs = [tf.TensorSpec((None, *shapes[name]), tf.float32, name) for name in graph.inputs]
    return tf.function(lambda *inputs: {OUTPUT: graph(*inputs)}, input_signature=specs), specs


def _to_litert(graph: Graph) -> bytes:
    import tensorflow as tf

    function, _ = _function(graph)
    concrete = function.get_concrete_function()
    # The module keeps what the function captures alive; weights are constants here.
    with quiet():
        return tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module()).convert()


def _to_onnx(graph: Graph) -> bytes:
    import tf2onnx

    function, specs = _function(graph)
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    model, _ = tf2onnx.convert.from_function(function, specs, opset=OPSET)
    return model.SerializeToString()


# ---- runtimes ------------------------------------------------------------------------------------


def _litert(data: bytes, graph: Graph) -> Draw:
    with quiet():
        runner = litert.interpreter(data).get_signature_runner()

    def draw(inputs: list[np.ndarray]) -> np.ndarray:
        with quiet():
            return runner(**dict(zip(graph.inputs, inputs, strict=True)))[OUTPUT]

    return draw


def _onnx(data: bytes, graph: Graph) -> Draw:
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run([OUTPUT], dict(zip(graph.inputs, inputs, strict=True)))[0]
