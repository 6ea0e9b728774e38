"""`TextCode`: from a text to the numbers that a generator is conditioned on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tfanime.core import bounds
from tfanime.core.files import atomic_path, save_arrays
from tfanime.text.clean import check_steps, clean_text, squeeze_spaces
from tfanime.text.genres import genre_text

LENGTH = 64
# Directions that the texts hardly vary in would blow up rounding when they are scaled to 1.
FLAT = 1e-3


@dataclass(frozen=True, eq=False)
class TextCode:
    """How a text becomes a vector of a label field.

    The encoder's vector is scaled to length 1, centred, projected on the main directions of the
    training texts and scaled so that each of these numbers has variance 1 over them (PCA
    whitening): `code = (v / |v| - mean) @ directions`. With `raw` it is the code as it is.

    Args:
        name: of the field, for example `"description"`.
        encoder: its handle, see `text.TextEncoder`.
        pooling: its pooling.
        length: its most tokens; None: the preprocessor's own.
        genres: whether the texts are genre tags, which are not cleaned.
        skip: steps of cleaning left out.
        raw: whether the code is the encoder's vector itself.
        mean: `(D,)` float32; zeros with `raw`.
        directions: `(D, k)` float32; `(0, 0)` with `raw`.
    """

    name: str
    encoder: str
    pooling: str = "mean"
    length: int | None = None
    genres: bool = False
    skip: tuple[str, ...] = ()
    raw: bool = False
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    directions: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def __post_init__(self):
        if not self.name.isidentifier():
            raise ValueError(
                f"The name of a text is a word such as 'description'. Received: {self.name!r}."
            )
        check_steps(self.skip)

    @property
    def size(self) -> int:
        """Numbers in a code."""
        return len(self.mean) if self.raw else self.directions.shape[1]

    def prepared(self, text: str | Sequence[str]) -> str:
        """The text as the encoder is given it; empty when it says nothing."""
        if self.genres:
            return genre_text(text)
        cleaned = clean_text(text, self.skip)
        # A text of stop words alone still is one.
        return cleaned or (squeeze_spaces(text) if _says(text) else "")

    def fitted(self, vectors: np.ndarray, size: int = LENGTH) -> TextCode:
        """With mean and directions of `vectors (n, D)` of training texts, at most `size` of them;
        with `raw` nothing but their length matters.

        Raises:
            ValueError: for fewer than two different vectors.
        """
        if self.raw:
            return replace(self, mean=np.zeros(np.shape(vectors)[1], np.float32))
        unit = _unit(vectors)
        mean = unit.mean(axis=0)
        _, spread, directions = np.linalg.svd(unit - mean, full_matrices=False)
        count = min(size, int((spread > FLAT * max(spread[0], 1e-6)).sum()))
        if not count:
            raise ValueError("Two different texts or more are needed. Received: all alike.")
        scaled = directions[:count].T * (np.sqrt(len(unit)) / spread[:count])
        # The sign of a direction is the algorithm's choice; ours makes its largest part positive.
        scaled *= np.sign(scaled[np.abs(scaled).argmax(axis=0), np.arange(count)])
        return replace(self, mean=mean.astype(np.float32), directions=scaled.astype(np.float32))

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """`(n, k)` float32 codes of `(n, D)` vectors of the encoder."""
        if self.raw:
            return np.asarray(vectors, np.float32)
        return (_unit(vectors) - self.mean).astype(np.float32) @ self.directions

    def encode(
        self,
        texts: Sequence[str],
        encoder=None,
        progress: bool = False,
        trust_encoder: bool = False,
    ) -> np.ndarray:
        """`(n, k)` float32 codes of texts; NaN for those that say nothing.

        Args:
            texts: as they were found; they are cleaned here.
            encoder: the loaded `TextEncoder`, so that it need not be loaded again.
            progress: show a progress bar.
            trust_encoder: see `load_encoder`.
        """
        prepared = [self.prepared(text) for text in texts]
        codes = np.full((len(texts), self.size), np.nan, np.float32)
        some = [i for i, text in enumerate(prepared) if text]
        if some:
            encoder = encoder or self.load_encoder(trust_encoder)
            vectors = self.embedded([prepared[i] for i in some], encoder, progress)
            codes[some] = self.project(vectors)
        return codes

    def embedded(self, prepared: Sequence[str], encoder, progress: bool = False) -> np.ndarray:
        """`(n, D)` vectors of prepared texts, from the cache where they are there."""
        from tfanime.text.embedding import embed

        return embed(prepared, encoder, progress=progress)

    def load_encoder(self, trust_encoder: bool = False):
        """The `TextEncoder`.

        Args:
            trust_encoder: load it whatever it is. An encoder is a program, a SavedModel that may
                read and write files, and a run from elsewhere names whichever it likes; so by
                default it is one that tfanime knows.

        Raises:
            ValueError: for an encoder that tfanime does not know, without `trust_encoder`.
        """
        from tfanime.text.bert import KNOWN, TextEncoder

        if self.encoder not in KNOWN and not trust_encoder:
            raise ValueError(
                "A text is read by an encoder that tfanime knows: "
                f"{' or '.join(map(repr, KNOWN))}. Received: {self.encoder!r}, which the text "
                f"{self.name!r} names. It is a program that may read and write files: if you "
                "know where it comes from, say --trust-encoder (trust_encoder=True)."
            )
        return TextEncoder(self.encoder, pooling=self.pooling, length=self.length)

    def save(self, path: str | os.PathLike, **arrays: np.ndarray) -> None:
        """Writes a `.npz` that NumPy reads, with further `arrays`."""
        with atomic_path(path) as temporary:
            settings = {
                "name": self.name,
                "encoder": self.encoder,
                "pooling": self.pooling,
                "length": -1 if self.length is None else self.length,
                "genres": self.genres,
                "skip": np.array(self.skip, dtype="U16"),
                "raw": self.raw,
                "mean": self.mean,
                "directions": self.directions,
            }
            save_arrays(temporary, settings | arrays)

    @classmethod
    def load(cls, path: str | os.PathLike) -> TextCode:
        """Reads what `save` wrote.

        Raises:
            ValueError: for a file that is missing or damaged; the message names it.
        """
        arrays = bounds.read_arrays(path)
        try:
            length = int(arrays["length"])
            code = cls(
                name=str(arrays["name"]),
                encoder=str(arrays["encoder"]),
                pooling=str(arrays["pooling"]),
                length=None if length < 0 else length,
                genres=bool(arrays["genres"]),
                skip=tuple(str(step) for step in arrays["skip"]),
                raw=bool(arrays.get("raw", False)),
                mean=arrays["mean"],
                directions=arrays["directions"],
            )
            fits = code.directions.ndim == 2 and code.mean.shape == code.directions.shape[:1]
            if code.mean.ndim != 1 or not (fits or code.raw):
                raise ValueError("its arrays do not fit each other")
        except (ValueError, TypeError, KeyError) as error:
            raise bounds.damaged(path, error) from error
        return code


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, np.float64)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _says(text: str) -> bool:
    """Whether a text is more than a placeholder."""
    return bool(clean_text(text, skip=("stop_words", "lemmas", "punctuation")))
