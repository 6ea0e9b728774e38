"""Pictures from a model server, as if the model were here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from tfanime import latent
from tfanime.generation import MOST_PICTURES, Generated, Tags, key_pictures
from tfanime.images import check_pictures, read_image
from tfanime.labels import TRUE_WORDS, LabelSchema
from tfanime.serving.transport import Arrays, connect

TIMEOUT = 30.0
ATTEMPTS = 4
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0  # seconds


class Client:
    """A model that `tfanime export saved-model` wrote, on a TensorFlow Serving somewhere.

    Drawing is a pure function of what is asked, so a call that met no server, or a busy one, is
    repeated, after waits that double.

    Args:
        address: `http://HOST:8501` (REST) or `grpc://HOST:8500`; `https` and `grpcs` with TLS.
        model: its name on the server.
        version: None: the newest that the server has.
        timeout: seconds that one call may take.
        attempts: calls, at most, until one is answered.

    Raises:
        ValueError: for an address of another kind; later, for what the server refuses.
        ConnectionError: when no attempt met a server that is ready.
        TimeoutError: when a call took longer. It is not repeated: the server works on it still.
        LookupError: when the server has no such model.
        RuntimeError: when the server fails.

    Example:
        >>> with Client("http://localhost:8501", "girls") as girls:  # doctest: +SKIP
        ...     faces = girls.generate(tags={"hair": "blue"}, n=4, seed=7)
        ...     faces.images.shape
        (4, 64, 64, 3)
    """

    def __init__(
        self,
        address: str,
        model: str,
        version: int | None = None,
        *,
        timeout: float = TIMEOUT,
        attempts: int = ATTEMPTS,
    ):
        if attempts < 1:
            raise ValueError(f"attempts is a whole number, at least 1. Received: {attempts!r}.")
        if not timeout > 0:
            raise ValueError(f"timeout is a number of seconds above 0. Received: {timeout!r}.")
        self._transport = connect(address, model, version, timeout)
        self._attempts = attempts
        self._description: dict | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._transport.close()

    # ---- about the model -------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether a version answers. Asks once, and raises nothing for a server that is not there.

        Raises:
            LookupError: when there is a server, without this model.
        """
        try:
            return "AVAILABLE" in self._transport.states().values()
        except (ConnectionError, TimeoutError):
            return False

    def describe(self) -> dict:
        """What the model is: its size, its labels, what one request may ask for."""
        if self._description is None:
            answer = self.predict("describe", {"about": np.asarray([b""], object)}, ["json"])
            self._description = json.loads(answer["json"][0])
        return self._description

    @property
    def schema(self) -> LabelSchema | None:
        """Of the labels; None for a model without."""
        stored = self.describe()["schema"]
        return LabelSchema.from_json(stored) if stored else None

    # ---- drawing ---------------------------------------------------------------------------------

    def generate(
        self,
        n: int = 16,
        seed: int = 0,
        tags: Tags | None = None,
        truncation: float = 1.0,
        first: int = 0,
    ) -> Generated:
        """`tfanime.generate`, elsewhere: same arguments, same pictures.

        More than the model allows for one request are asked for in several.
        """
        seed = latent.check_seed(seed)
        n, first = latent.check_pictures(n, first)
        if n > MOST_PICTURES:
            raise ValueError(f"n is at most {MOST_PICTURES:,}. Received: {n:,}.")
        truncation, text = latent.check_truncation(truncation), self._text(tags)
        return self._several("generate_png", n, seed, first, truncation, tags=text)

    def imagine(
        self,
        text: str,
        n: int = 8,
        seed: int = 0,
        tags: Tags | None = None,
        truncation: float = 1.0,
    ) -> Generated:
        """Pictures of a text, by a model that was trained with texts.

        The text is cleaned here, as the training texts were, which needs the extra `text`. Labels
        that neither text nor tags say are those of training pictures with similar texts.
        """
        texts = self.describe()["texts"]
        if texts is None:
            raise ValueError(
                "A text needs a model that was trained with texts, and this one was not. "
                f"Received: {text[:60]!r}."
            )
        from tfanime.text.codes import TextCode

        code = TextCode(texts["name"], "", genres=texts["genres"], skip=tuple(texts["skip"]))
        read = code.prepared(text)
        if not read:
            raise ValueError(f"A text that says something is needed. Received: {text!r}.")
        seed, (n, _) = latent.check_seed(seed), latent.check_pictures(n, 0)
        truncation, said = latent.check_truncation(truncation), self._text(tags)
        return self._several("imagine", n, seed, 0, truncation, tags=said, text=read.encode())

    def interpolate(
        self,
        seeds: Sequence[int] | None = None,
        tags: Sequence[Tags] | Tags | None = None,
        frames: int = 24,
        truncation: float = 1.0,
    ) -> Generated:
        """`tfanime.interpolate` along the arc: through key pictures and back to the first."""
        seeds, tags = key_pictures(seeds, tags)
        most = self.describe()["limits"]["pictures"]
        if isinstance(frames, bool) or not isinstance(frames, int) or not 1 <= frames <= most:
            raise ValueError(f"frames is a whole number from 1 to {most}. Received: {frames!r}.")
        truncation, texts = latent.check_truncation(truncation), [self._text(t) for t in tags]
        keys = list(zip(seeds, texts, strict=True))
        parts = [
            self._one(
                "interpolate",
                ["png_bytes", "latents", "labels"],
                seed=seed,
                to_seed=to_seed,
                frames=frames,
                truncation=truncation,
                tags=text,
                to_tags=to_text,
            )
            for (seed, text), (to_seed, to_text) in zip(keys, keys[1:] + keys[:1], strict=True)
        ]
        return self._generated(parts, None, 0)

    def from_latent(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Pictures of latent vectors.

        Args:
            latents: `(n, dim)` float32.
            labels: `(n, L)` float32, 0/1 coding with NaN for unknown; None for a model without.

        Returns:
            `(n, H, W, 3)` uint8.
        """
        inputs = {"latents": np.asarray(latents, np.float32)}
        if labels is not None:
            inputs["labels"] = np.asarray(labels, np.float32)
        return _read(self._in_parts("from_latent", inputs))

    def upscale(self, pictures: np.ndarray) -> np.ndarray:
        """Enlarges pictures with the upscaler that was exported along.

        Args:
            pictures: `(n, H, W, 3)` uint8.

        Returns:
            `(n, factor H, factor W, 3)` uint8.
        """
        if self.describe()["upscaler"] is None:
            raise ValueError(
                "This model was exported without an upscaler. Export it again with "
                "--upscaler RUN, or enlarge here: tfanime upscale."
            )
        return _read(self._in_parts("upscale", {"pictures": check_pictures(pictures)}, 1))

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
    ) -> Arrays:
        """Any signature, with arrays as they are: a row a request (docs/serving.md)."""
        from tenacity import (
            Retrying,
            retry_if_exception_type,
            stop_after_attempt,
            wait_exponential,
            wait_random,
        )

        again = Retrying(
            retry=retry_if_exception_type(ConnectionError),
            stop=stop_after_attempt(self._attempts),
            # The random part keeps clients apart that a busy server sent away together.
            wait=wait_exponential(FIRST_WAIT, LONGEST_WAIT) + wait_random(0, FIRST_WAIT),
            reraise=True,
        )
        return again(self._transport.predict, signature, inputs, outputs)

    # ---- parts -----------------------------------------------------------------------------------

    def _several(self, signature, n, seed, first, truncation, **row) -> Generated:
        """Pictures `first` to `first + n`, in as many calls as it takes."""
        most = self.describe()["limits"]["pictures"]
        common = {"seed": seed, "truncation": truncation, **row}
        outputs = ["png_bytes", "latents", "labels"]
        parts = [
            self._one(signature, outputs, n=min(most, n - i), first=first + i, **common)
            for i in range(0, n, most)
        ]
        return self._generated(parts, seed, first)

    def _one(self, signature: str, outputs: Sequence[str], **row) -> Arrays:
        """A call of one row."""
        if self.schema is None:
            outputs = [name for name in outputs if name != "labels"]
        kinds = {"truncation": np.float32, "tags": object, "to_tags": object, "text": object}
        inputs = {name: np.asarray([x], kinds.get(name, np.int64)) for name, x in row.items()}
        return {k: v[0] for k, v in self.predict(signature, inputs, outputs).items()}

    def _in_parts(self, signature: str, inputs: Arrays, most: int | None = None) -> list[bytes]:
        most = most or self.describe()["limits"]["pictures"]
        count = len(next(iter(inputs.values())))
        if not count:
            raise ValueError("There must be at least one row to draw. Received: none.")
        files: list[bytes] = []
        for start in range(0, count, most):
            part = {name: value[start : start + most] for name, value in inputs.items()}
            files += list(self.predict(signature, part, ["png_bytes"])["png_bytes"])
        return files

    def _generated(self, parts: Sequence[Arrays], seed: int | None, first: int) -> Generated:
        files = [file for part in parts for file in part["png_bytes"]]
        found = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        return Generated(
            _read(files), found["latents"], found.get("labels"), self.schema, seed, first
        )

    def _text(self, tags: Tags | None) -> bytes:
        """Tags as the server reads them; what it would refuse is refused here already."""
        schema = self.schema
        if schema is None:
            if tags:
                raise ValueError(
                    "Tags need a model that was trained with labels, and this one was not. "
                    f"Received: {dict(tags)}. Leave them out."
                )
            return b""
        schema.encode(tags or {})
        return ",".join(_word(schema, *pair) for pair in (tags or {}).items()).encode()


def _word(schema: LabelSchema, name: str, value: object) -> str:
    kind = schema.field(name).kind
    if kind == "flag":
        return name if str(value).strip().lower() in TRUE_WORDS else f"{name}=no"
    return f"{name}={float(value)!r}" if kind == "value" else f"{name}={value}"


def _read(files: Sequence[bytes]) -> np.ndarray:
    return np.stack([np.asarray(read_image(file)) for file in files])
