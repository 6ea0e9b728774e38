"""A trained generator as a SavedModel for TensorFlow Serving."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime import zoo
from tfanime.core.files import atomic_folder, read_json, write_json
from tfanime.export import card
from tfanime.export.folder import gzipped
from tfanime.export.graph import parity
from tfanime.export.graph.graph import from_keras
from tfanime.export.graph.precision import Measured, decibel, errors
from tfanime.export.graph.rewrite import rewrite
from tfanime.export.serving import server_files, warmup
from tfanime.models.mixing import style_groups
from tfanime.sampling import upscale as upscaling
from tfanime.sampling.sampler import CHUNK, Sampler
from tfanime.version import __version__
from tfanime.zoo.chooser import chooser_of
from tfanime.zoo.saved import DESCRIPTION, Generator, load_generator

if TYPE_CHECKING:
    import tensorflow as tf

    from tfanime.export.serving.served.module import Reader
    from tfanime.text.codes import TextCode
    from tfanime.zoo.chooser import Chooser
    from tfanime.zoo.saved import Upscaler

FORMAT = 1
MOST = 64  # images of one request
CALL = 256  # images of all requests of a batch
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
COMPARED = CHUNK  # images: as many as `tfanime generate` computes at a time
SEED = 7
SCORE_ERROR = 1e-4
TEXTS = "text"  # the folder of a run that was trained with texts


@dataclass(frozen=True)
class Saved:
    """What `export_saved_model` wrote.

    Args:
        path: the version folder.
        name: of the model on a server.
        version: its number.
        signatures: their names.
        difference: the largest, of images in [-1, 1], from those that Keras draws.
        weight_bytes: stored, once.
    """

    path: Path
    name: str
    version: int
    signatures: tuple[str, ...]
    difference: float
    weight_bytes: int


def export_saved_model(
    run: str | os.PathLike,
    out: str | os.PathLike,
    *,
    version: int | None = None,
    upscaler: str | os.PathLike | None = None,
    most: int = MOST,
    trust_encoder: bool = False,
) -> Saved:
    """Writes a generator for TensorFlow Serving, with everything it does inside the graph.

    The documentation (Serving) describes the signatures. What was written is loaded again and
    compared with the trained model. `models.config`, `batching.config` and `monitoring.config`
    beside the model's folder are for starting the server.

    Args:
        run: a run folder of a generator.
        out: the model's folder, `DIR/NAME`; the model is called NAME on the server. It is written
            to a version folder inside: `DIR/NAME/1`, then 2, ... `DIR/NAME/5` asks for version 5.
        version: of the folder to write; default: the next one.
        upscaler: a run folder of an upscaler, for the signature `upscale`. None: the one that the
            model names, if it does; images as files (`png_bytes`) are then shown through it.
            `"none"`: no upscaler.
        most: images that one request may ask for, 1 to 256.
        trust_encoder: load the text encoder that the run names, and put it into the served model,
            even if tfanime does not know it. It is a program that may read and write files.

    Returns:
        `Saved`.

    Raises:
        ImportError: without the `serve` extra.
        FileNotFoundError: when a folder holds no trained model.
        ValueError: for a version that exists, for arguments out of range, and for a text encoder
            that tfanime does not know, without `trust_encoder`.
        RuntimeError: when the saved model draws other images. Nothing is written then.

    Example:
        >>> export_saved_model("runs/girls", "serving/girls")  # doctest: +SKIP
    """
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= CALL:
        raise ValueError(f"most is a whole number from 1 to {CALL}. Received: {most!r}.")
    home, version = _place(Path(out), version)
    warmup.require()
    run = zoo.locate(run)
    generator = load_generator(run)
    larger = upscaling.chosen(generator, upscaler)
    shown = larger is not None and upscaler is None

    import tensorflow as tf

    from tfanime.export.serving.served import words
    from tfanime.export.serving.served.module import Limits, Served

    if generator.schema is not None:
        words.check_names(generator.schema)
    texts = _texts(run)
    chooser = chooser_of(generator)
    description = _description(generator, larger, shown, chooser, texts, most)
    module = Served(
        generator.model,
        generator.schema,
        description,
        Limits(most, CALL),
        None if larger is None else rewrite(from_keras(larger.model)),
        None if texts is None else _reader(texts, trust_encoder),
        shown,
        chooser and chooser.model,
    )
    signatures = module.signatures()
    with atomic_folder(home / str(version)) as folder:
        tf.saved_model.save(module, str(folder), signatures=signatures)
        pictures, expected = _compared(folder, generator, chooser, most)
        difference = parity.check_converted(pictures, expected, "the saved model")
        extra = folder / server_files.EXTRA
        warmup.write(extra / warmup.FILE, signatures, home.name)
        write_json(extra / server_files.DESCRIPTION, description)
        weights = sum(np.prod(w.shape) * w.dtype.size for w in module.variables)
        error = errors(pictures, expected)
        row = Measured(
            "saved",
            int(weights),
            sum(gzipped(p.read_bytes()) for p in (folder / "variables").iterdir()),
            decibel(error.mean()),
            decibel(error.max()),
        )
        facts = [f"SavedModel with the signatures {', '.join(sorted(signatures))}"]
        text = card.card(run, generator.name, read_json(run / DESCRIPTION), facts, [row], "saved")
        (extra / card.CARD).write_text(text, encoding="utf-8")
        (extra / card.LICENCE).write_text(card.licence(run), encoding="utf-8")
    server_files.write(home.parent)
    names = tuple(sorted(signatures))
    return Saved(home / str(version), home.name, version, names, difference, int(weights))


# ---- folders -------------------------------------------------------------------------------------


def _place(out: Path, version: int | None) -> tuple[Path, int]:
    """The model's folder, and a version that is not there yet."""
    out = Path(os.path.abspath(out))
    if out.name.isdecimal():
        if version is not None and version != int(out.name):
            raise ValueError(
                f"The version is said once. Received: version {version} and {str(out)!r}."
            )
        out, version = out.parent, int(out.name)
    if not NAME.fullmatch(out.name):
        raise ValueError(
            "The folder's name is the model's name on the server: letters, digits, '_', '-' and "
            f"'.'. Received: {out.name!r}."
        )
    if out.is_file():
        raise ValueError(f"out is a folder. Received: {str(out)!r}, which is a file.")
    there = server_files.versions(out)
    if version is None:
        version = max(there, default=0) + 1
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(f"version is a whole number, at least 1. Received: {version!r}.")
    if version in there:
        raise ValueError(
            f"A version of a served model is never replaced. Received: {version}, and "
            f"{str(there[version])!r} exists. Leave the version out for {max(there) + 1}."
        )
    return out, version


def _description(
    generator: Generator,
    upscaler: Upscaler | None,
    shown: bool,
    chooser: Chooser | None,
    texts: TextCode | None,
    most: int,
) -> dict:
    code = texts and {"name": texts.name, "genres": texts.genres, "skip": list(texts.skip)}
    groups = list(style_groups(generator.model))
    return {
        "texts": code,
        "format": FORMAT,
        "tfanime": __version__,
        "name": generator.name,
        "height": generator.height,
        "width": generator.width,
        "latentDim": generator.latent_dim,
        "leastTruncation": generator.truncation and generator.truncation.least,
        "schema": generator.schema.to_json() if generator.schema else None,
        "upscaler": upscaler and {"name": upscaler.name, "factor": upscaler.factor, "shown": shown},
        "limits": {"pictures": most, "call": CALL},
        **({"chooser": {"border": chooser.border}} if chooser else {}),
        **({"styles": groups} if groups else {}),
    }


# ---- texts ---------------------------------------------------------------------------------------


def _texts(run: Path) -> TextCode | None:
    """How the run reads a free text; None for one that was trained without."""
    if not (run / TEXTS).is_dir():
        return None
    from tfanime.text.vector_cache import KeptTexts

    return KeptTexts.open(run).described


def _reader(code: TextCode, trust_encoder: bool) -> Reader:
    """`TextCode.project` behind the encoder, in a graph. The texts come cleaned."""
    import tensorflow as tf

    from tfanime.export.serving.served.module import Reader

    encoder = code.load_encoder(trust_encoder)

    def read(texts: tf.Tensor) -> tf.Tensor:
        if code.raw:
            return tf.cast(encoder.call(texts), tf.float32)
        vectors = tf.cast(encoder.call(texts), tf.float64)
        length = tf.maximum(tf.norm(vectors, axis=1, keepdims=True), 1e-12)
        return tf.matmul(tf.cast(vectors / length - code.mean, tf.float32), code.directions)

    return Reader(code.name, read, encoder.loaded)


# ---- parity --------------------------------------------------------------------------------------


def _compared(
    folder: Path, generator: Generator, chooser: Chooser | None, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Images of what was written, and Keras's of the same seed, `(n, H, W, 3)` float32 each.

    Raises:
        RuntimeError: when seeds give other latents or labels, or images other scores.
    """
    import tensorflow as tf

    n = min(COMPARED, most)
    loaded = tf.saved_model.load(str(folder))
    numbers = {"seed": SEED, "n": n, "first": 0}
    inputs = {name: tf.constant([value], tf.int64) for name, value in numbers.items()}
    inputs |= {"truncation": tf.constant([1.0]), "tags": tf.constant([""])}
    answer = {k: v.numpy()[0] for k, v in loaded.signatures["generate"](**inputs).items()}
    sampler = Sampler(generator)
    same = np.allclose(answer["latents"], sampler.latents(SEED, n), rtol=0, atol=1e-6)
    labels = sampler.labels(SEED, n)
    if labels is not None:
        same &= np.array_equal(answer["labels"], labels)
    if chooser is not None:
        scores = chooser(answer["pictures"])
        same &= np.allclose(answer["scores"], scores, rtol=0, atol=SCORE_ERROR)
    if not same:
        raise RuntimeError(
            "A served model makes the same latents, labels and scores as tfanime. Received: "
            "others. Nothing was written; this is an error in tfanime or TensorFlow, please "
            "report it."
        )
    return answer["pictures"], sampler.values(*sampler.inputs(SEED, n))
