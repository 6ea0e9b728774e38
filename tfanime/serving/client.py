"""Images from a model server, as if the model were here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from tfanime.core.files import sound
from tfanime.core.images import check_pictures
from tfanime.core.label_fields import TRUE_WORDS
from tfanime.core.labels import LabelSchema
from tfanime.core.seeds import check_pictures as check_indices
from tfanime.core.seeds import check_seed, check_truncation
from tfanime.sampling.choosing import let_pass
from tfanime.sampling.generate import MOST_PICTURES, Tags
from tfanime.sampling.generated import Generated
from tfanime.sampling.interpolate import key_pictures
from tfanime.serving import answers
from tfanime.serving.replies import Arrays
from tfanime.serving.transport import ANSWER_BYTES, connect

TIMEOUT = 30.0
ATTEMPTS = 4
FIRST_WAIT, LONGEST_WAIT, LEAST_TIME = 0.2, 5.0, 0.001  # seconds


class Client:
    """A model that `tfanime export saved-model` wrote, on a TensorFlow Serving somewhere.

    Drawing is a pure function of what is asked, so a call that met no server, or a busy one, is
    repeated, after waits that double. What a server answers is checked before it is believed.

    Args:
        address: `http://HOST:8501` (REST) or `grpc://HOST:8500`; `https` and `grpcs` with TLS.
        model: its name on the server.
        version: None: the newest that the server has.
        timeout: seconds until a call is answered whole, its repetitions included.
        attempts: how often a call is sent, at most, until it is answered.
        most_bytes: that an answer may have, unpacked. Reading it takes several times as much.

    Raises:
        ValueError: for an address of another kind; later, for what the server refuses.
        ConnectionError: when no attempt met a server that is ready.
        TimeoutError: when a call took longer. It is not repeated: the server works on it still.
        LookupError: when the server has no such model.
        RuntimeError: when the server fails; `BadAnswer`, one of them, when it answers what no such
            model answers, or more than `most_bytes`, or leads elsewhere.

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
        most_bytes: int = ANSWER_BYTES,
    ):
        if attempts < 1:
            raise ValueError(f"attempts is a whole number, at least 1. Received: {attempts!r}.")
        # No socket waits longer than its clock can count.
        if not 0 < timeout < 1e6:
            raise ValueError(
                f"timeout is a number of seconds above 0, below 1,000,000. Received: {timeout!r}."
            )
        if not 1 <= most_bytes < 2**31:
            raise ValueError(f"most_bytes is from 1 to 2,147,483,647. Received: {most_bytes!r}.")
        self._transport = connect(address, model, version, timeout, most_bytes)
        self._address, self._timeout, self._attempts = address, timeout, attempts
        self._description: dict | None = None
        self._schema: LabelSchema | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
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
            about = answers.description(self._address, answer)
            self._description, self._schema = about, answers.schema(about["schema"])
        return self._description

    @property
    def schema(self) -> LabelSchema | None:
        """Of the labels; None for a model without."""
        self.describe()
        return self._schema

    # ---- drawing ---------------------------------------------------------------------------------

    def generate(
        self,
        n: int = 16,
        seed: int = 0,
        tags: Tags | None = None,
        truncation: float = 1.0,
        first: int = 0,
        choose: bool | None = None,
    ) -> Generated:
        """`tfanime.generate`, elsewhere: same arguments, same images.

        More images than the model allows for one request are asked for in several. The server
        says how broken each looks; those that are passed over are sent, too.
        """
        seed = check_seed(seed)
        n, first = check_indices(n, first)
        if n > MOST_PICTURES:
            raise ValueError(f"n is at most {MOST_PICTURES:,}. Received: {n:,}.")
        truncation, text = check_truncation(truncation), self._text(tags)
        chooser = self.describe().get("chooser")
        if choose and chooser is None:
            raise ValueError("choose needs a model that was exported with a chooser.")
        if chooser is None or choose is False:
            return self._several("generate_png", n, seed, first, truncation, tags=text)
        scored = self._scored(n, first, seed=seed, truncation=truncation, tags=text)
        found = islice(let_pass(scored, chooser["border"]), n)
        indices, parts = zip(*found, strict=True)
        return self._generated(parts, seed, np.asarray(indices))

    def imagine(
        self,
        text: str,
        n: int = 8,
        seed: int = 0,
        tags: Tags | None = None,
        truncation: float = 1.0,
    ) -> Generated:
        """Images of a text, by a model that was trained with texts.

        The text is cleaned here, as the training texts were, which needs the extra `text`. Labels
        that neither text nor tags say are those of training images with similar texts.
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
        seed, (n, _) = check_seed(seed), check_indices(n, 0)
        truncation, tag_text = check_truncation(truncation), self._text(tags)
        return self._several(
            "imagine", n, seed, 0, truncation, tags=tag_text, text=sound(read).encode()
        )

    def interpolate(
        self,
        seeds: Sequence[int] | None = None,
        tags: Sequence[Tags] | Tags | None = None,
        frames: int = 24,
        truncation: float = 1.0,
    ) -> Generated:
        """`tfanime.interpolate` along the arc: through key images and back to the first."""
        numbers, sets = key_pictures(seeds, tags)
        most = self.describe()["limits"]["pictures"]
        if isinstance(frames, bool) or not isinstance(frames, int) or not 1 <= frames <= most:
            raise ValueError(f"frames is a whole number from 1 to {most}. Received: {frames!r}.")
        truncation, texts = check_truncation(truncation), [self._text(t) for t in sets]
        keys = list(zip(numbers, texts, strict=True))
        parts = [
            self._one(
                "interpolate",
                frames,
                seed=seed,
                to_seed=to_seed,
                frames=frames,
                truncation=truncation,
                tags=text,
                to_tags=to_text,
            )
            for (seed, text), (to_seed, to_text) in zip(keys, keys[1:] + keys[:1], strict=True)
        ]
        return self._generated(parts)

    def mix(
        self,
        coarse_seeds: Sequence[int] = (0, 1, 2),
        fine_seeds: Sequence[int] = (3, 4, 5),
        styles: Sequence[str] = ("middle", "fine"),
        tags: Tags | None = None,
        truncation: float = 1.0,
    ) -> Generated:
        """`tfanime.mix`, elsewhere: every coarse face with styles of every fine face.

        Args:
            styles: the groups of maps that follow the fine face's style: of `"coarse"`,
                `"middle"` and `"fine"` those that `describe` says.
        """
        about = self.describe()
        groups = about.get("styles", [])
        if not groups:
            raise ValueError("Mixing needs a generator with styles, and this one has none.")
        if isinstance(styles, str) or not set(styles) <= set(groups):
            raise ValueError(f"styles are of: {', '.join(groups)}. Received: {styles!r}.")
        faces = [(check_seed(a), check_seed(b)) for a in coarse_seeds for b in fine_seeds]
        if len(faces) > MOST_PICTURES:
            raise ValueError(f"Images are at most {MOST_PICTURES:,}. Received: {len(faces):,}.")
        if not faces:
            raise ValueError("Mixing takes one coarse and one fine seed or more. Received: none.")
        truncation, text = check_truncation(truncation), self._text(tags)
        most = about["limits"]["pictures"]
        parts = []
        for start in range(0, len(faces), most):
            seeds = np.asarray(faces[start : start + most], np.int64)
            inputs: Arrays = {
                "seed": seeds[:, 0],
                "style_seed": seeds[:, 1],
                "truncation": np.full(len(seeds), truncation, np.float32),
                "tags": np.full(len(seeds), text, object),
                **{group: np.full(len(seeds), group in styles) for group in groups},
            }
            parts.append(self._answered("mix", inputs, len(seeds), each=True))
        return self._generated(parts)

    def from_latent(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Images of latent vectors.

        Args:
            latents: `(n, dim)` float32.
            labels: `(n, L)` float32, 0/1 coding with NaN for unknown; None for a model without.

        Returns:
            `(n, H, W, 3)` uint8, enlarged where the model is shown through an upscaler.
        """
        inputs = {"latents": np.asarray(latents, np.float32)}
        if labels is not None:
            inputs["labels"] = np.asarray(labels, np.float32)
        about = self.describe()
        contents = self._in_parts("from_latent", inputs, about["limits"]["pictures"])
        return answers.pictures(self._address, contents, *answers.shown_size(about))

    def upscale(self, pictures: np.ndarray) -> np.ndarray:
        """Enlarges images with the upscaler that was exported along.

        Args:
            pictures: `(n, H, W, 3)` uint8.

        Returns:
            `(n, factor H, factor W, 3)` uint8.
        """
        upscaler = self.describe()["upscaler"]
        if upscaler is None:
            raise ValueError(
                "This model was exported without an upscaler. Export it again with "
                "--upscaler RUN, or enlarge here: tfanime upscale."
            )
        pictures = check_pictures(pictures)
        contents = self._in_parts("upscale", {"pictures": pictures}, 1)
        height, width = (upscaler["factor"] * side for side in pictures.shape[1:3])
        return answers.pictures(self._address, contents, height, width)

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
    ) -> Arrays:
        """Any signature, with arrays as they are: a row a request."""
        from tenacity import (
            Retrying,
            retry_if_exception_type,
            stop_after_attempt,
            stop_after_delay,
            wait_exponential,
            wait_random,
        )

        again = Retrying(
            retry=retry_if_exception_type(ConnectionError),
            stop=stop_after_attempt(self._attempts) | stop_after_delay(self._timeout),
            # The random part keeps clients apart that a busy server sent away together.
            wait=wait_exponential(FIRST_WAIT, LONGEST_WAIT) + wait_random(0, FIRST_WAIT),
            reraise=True,
        )
        end = time.monotonic() + self._timeout

        def once() -> Arrays:
            seconds = max(end - time.monotonic(), LEAST_TIME)
            return self._transport.predict(signature, inputs, outputs, seconds)

        return again(once)

    # ---- parts -----------------------------------------------------------------------------------

    def _several(
        self, signature: str, n: int, seed: int, first: int, truncation: float, **row: bytes
    ) -> Generated:
        """Images `first` to `first + n`, in as many calls as it takes."""
        most = self.describe()["limits"]["pictures"]
        common: dict[str, Any] = {"seed": seed, "truncation": truncation, **row}
        parts = [
            self._one(signature, min(most, n - i), n=min(most, n - i), first=first + i, **common)
            for i in range(0, n, most)
        ]
        return self._generated(parts, seed, np.arange(first, first + n))

    def _scored(self, n: int, first: int, **row: Any) -> Iterator[tuple[float, int, Arrays]]:
        """Score, index and outputs of the images from `first` on, of which n are looked for."""
        most = self.describe()["limits"]["pictures"]
        while True:
            count, first = check_indices(min(most, 2 * n), first)  # about half are passed over
            part = self._one("generate_png", count, n=count, first=first, scored=True, **row)
            for i, score in enumerate(part.pop("scores").tolist()):
                yield score, first + i, {name: values[i : i + 1] for name, values in part.items()}
            first += count

    def _one(self, signature: str, count: int, scored: bool = False, **row: Any) -> Arrays:
        """A call of one row that gives `count` images."""
        kinds = {"truncation": np.float32, "tags": object, "to_tags": object, "text": object}
        inputs = {name: np.asarray([x], kinds.get(name, np.int64)) for name, x in row.items()}
        return self._answered(signature, inputs, count, scored=scored)

    def _answered(
        self, signature: str, inputs: Arrays, count: int, each: bool = False, scored: bool = False
    ) -> Arrays:
        """A call that gives `count` images: of its one row, or (`each`) one of every row."""
        about, schema = self.describe(), self.schema
        outputs = ["png_bytes", "latents", *["labels"] * bool(schema), *["scores"] * scored]
        answer = self.predict(signature, inputs, outputs)
        if each:
            answer = {name: values[None] for name, values in answer.items()}
        size = schema.size if schema else None
        return answers.row(self._address, answer, count, about["latentDim"], size, scored)

    def _in_parts(self, signature: str, inputs: Arrays, most: int) -> list[bytes]:
        count = len(next(iter(inputs.values())))
        if not count:
            raise ValueError("There must be at least one row to draw. Received: none.")
        files: list[bytes] = []
        for start in range(0, count, most):
            part = {name: value[start : start + most] for name, value in inputs.items()}
            contents = self.predict(signature, part, ["png_bytes"])["png_bytes"]
            files += answers.files(self._address, contents, min(most, count - start))
        return files

    def _generated(
        self, parts: Sequence[Arrays], seed: int | None = None, indices: np.ndarray | None = None
    ) -> Generated:
        about = self.describe()
        files = [file for part in parts for file in part["png_bytes"]]
        images = answers.pictures(self._address, files, *answers.shown_size(about))
        answer = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        return Generated(
            images, answer["latents"], answer.get("labels"), self.schema, seed, indices
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


def _word(schema: LabelSchema, name: str, value: Any) -> str:
    kind = schema.field(name).kind
    if kind == "flag":
        return name if str(value).strip().lower() in TRUE_WORDS else f"{name}=no"
    return f"{name}={float(value)!r}" if kind == "value" else f"{name}={value}"
