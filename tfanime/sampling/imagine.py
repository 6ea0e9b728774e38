"""Words in, images out."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.labels import LabelSchema, check_tags
from tfanime.core.notebook import Pictures
from tfanime.core.printing import plain
from tfanime.sampling.generate import Generated, Tags, generate
from tfanime.sampling.phrases import Reading, genres_of
from tfanime.sampling.words import Understood, narrowed, understand
from tfanime.text.genres import genre_text
from tfanime.text.vector_cache import FOLDER, ROWS, KeptTexts
from tfanime.zoo.saved import load_schema

if TYPE_CHECKING:
    from tfanime.text.bert import TextEncoder
    from tfanime.text.codes import TextCode

NEAREST = 5


@dataclass(frozen=True)
class Near:
    """A training image whose text is close to what was asked for.

    Args:
        title: as its table has it; its caption, or its file's name, where there is none.
        genres: its tags.
        similarity: cosine of the two texts' vectors, -1 to 1; see `KeptTexts.near`.
        index: of the image in the training set.
    """

    title: str
    genres: str
    similarity: float
    index: int


@dataclass(frozen=True)
class Imagined(Pictures):
    """Images of a text, and how it was read.

    Args:
        pictures: what `tfanime.generate` returns; `images` are its images.
        text: as it was given.
        read: name of each text label to what the encoder was given.
        read_as: name of each group of labels to its values' shares among the ten nearest training
            texts, the largest first: `{"mood": {"heavy": 0.8, "light": 0.2}}`.
        chosen: the values of these groups, or those asked for, that the images were drawn with.
        nearest: the training texts closest to it, the closest first.
        odds: name of each group that the text chose to the share that its value has in `read_as`.
        by_chance: names of the run's other labels, which differ from image to image.
        words: of a run that knows attributes and no texts, what was understood of the text; `read`,
            `read` and `nearest` are empty then.
        genres: of a run that knows genres as attributes, what the words of the text say of them;
            `read_as` has their odds then.
    """

    pictures: Generated
    text: str
    read: dict[str, str]
    read_as: dict[str, dict[str, float]]
    chosen: dict[str, object]
    nearest: list[Near]
    odds: dict[str, float] = field(default_factory=dict)
    by_chance: tuple[str, ...] = ()
    words: Understood | None = None
    genres: Reading | None = None

    @property
    def images(self) -> np.ndarray:
        """`(n, H, W, 3)` uint8."""
        return self.pictures.images

    def _few(self) -> np.ndarray:
        return self.pictures._few()

    def save(self, path: str | os.PathLike, columns: int | None = None) -> None:
        """As `Generated.save`."""
        self.pictures.save(path, columns)

    def explanation(self) -> str:
        """The reading in a few lines."""
        if self.words is not None:
            lines = [] if self.genres is None else self.genres.lines()
            return "\n".join(map(plain, lines + _as_drawn(self.words, self.chosen, self.genres)))
        lines = [f"{name}: {text}" for name, text in self.read.items()]
        for name, shares in self.read_as.items():
            listing = ", ".join(f"{value} {share:.0%}" for value, share in shares.items())
            lines.append(f"{name} of the nearest training texts: {listing}")
        if self.chosen:
            listing = ", ".join(
                f"{name} {value} ({self._why(name)})" for name, value in self.chosen.items()
            )
            lines.append(f"drawn as: {listing}")
        if self.by_chance:
            lines.append(f"left to chance: {', '.join(self.by_chance)}")
        lines.append("nearest training texts:")
        for near in self.nearest:
            tags = f" ({near.genres})" if near.genres else ""
            lines.append(f"  {near.similarity:.2f}  {near.title}{tags}")
        # Titles are of whoever made the table.
        return "\n".join(map(plain, lines))

    def _why(self, name: str) -> str:
        if name not in self.odds:
            return "asked for"
        others = list(self.read_as[name].values())[1:]
        tied = ", as another value is" if self.odds[name] in others else ""
        return f"odds {self.odds[name]:.0%}{tied}"


def imagine(
    text: str,
    run: str | os.PathLike = zoo.POSTERS,
    n: int = 8,
    seed: int = 0,
    tags: Tags | None = None,
    truncation: float = 1.0,
    out: str | os.PathLike | None = None,
    grid: str | os.PathLike | None = None,
    encoder: TextEncoder | None = None,
    trust_encoder: bool = False,
    progress: bool = False,
    upscale: object = None,
    scale: int = 1,
) -> Imagined:
    """Draws what a text describes.

    The text is cleaned and embedded as the training texts were. A label of genre tags gets the
    genres that the text names, or else those of the nearest training text. Groups of labels that
    the run is conditioned on, such as the class of a poster, get the value that most of the ten
    nearest training texts have, unless `tags` says another. A run that knows attributes and no
    texts gets those that the text names; if genres are among them, as they are of `posters`, each
    other word says how likely they are (`phrases.json`).

    Args:
        text: a phrase, a paragraph, or genres.
        run: a run folder that was trained with texts (`tfanime text attach`) or with attributes,
            or the name of a model that ships.
        n, seed, truncation, out, grid, progress, upscale, scale: as for `tfanime.generate`.
        tags: labels to hold fixed.
        encoder: the loaded `text.TextEncoder` of the run, to save loading it for every call.
        trust_encoder: load the encoder that the run names even if tfanime does not know it. An
            encoder is a program that may read and write files.

    Returns:
        `Imagined`.

    Raises:
        ValueError: for a run without texts and attributes, a text that says nothing, unknown tags,
            or an encoder that tfanime does not know, without `trust_encoder`.

    Example:
        >>> found = imagine("a lonely swordsman under a red moon",  # doctest: +SKIP
        ...                 run="runs/posters", n=8, grid="moon.png")
        >>> print(found.explanation())  # doctest: +SKIP
    """
    check_tags(tags)
    attributes = _attributes(run)
    if attributes is not None:
        return imagine_attributes(
            text, run, attributes, dict(tags or {}), n, seed, truncation=truncation, out=out,
            grid=grid, progress=progress, upscale=upscale, scale=scale,
        )  # fmt: skip
    training_texts = KeptTexts.open(zoo.locate(run))
    schema = load_schema(run)
    named = {code.name for code in training_texts.codes}
    tags = dict(tags or {})
    if bad := sorted(named & set(tags)):
        raise ValueError(f"The text says what {bad[0]!r} is. Received it as a tag too.")
    code = training_texts.described
    read = {code.name: _read(code, text, training_texts)}
    if not read[code.name]:
        raise ValueError(f"A text that says something is needed. Received: {text!r}.")
    encoder = encoder or code.load_encoder(trust_encoder)
    vectors = {code.name: _encoded(code, read[code.name], encoder)}
    near = training_texts.near(vectors[code.name], NEAREST)
    for other in training_texts.codes:
        if other.name == code.name:
            continue
        words = text if not other.genres else _genres(text, training_texts, near)
        read[other.name] = other.prepared(words)
        if read[other.name]:
            same = (other.encoder, other.pooling) == (code.encoder, code.pooling)
            vectors[other.name] = _encoded(
                other,
                read[other.name],
                encoder if same else other.load_encoder(trust_encoder),
            )
    read_as = training_texts.read_as(vectors[code.name])
    conditioned = {one.name for one in schema.fields} if schema is not None else set()
    all_tags = {
        name: next(iter(shares)) for name, shares in read_as.items() if name in conditioned
    } | tags
    pictures = generate(
        run,
        n,
        seed,
        {**vectors, **all_tags},
        truncation,
        out=out,
        grid=grid,
        upscale=upscale,
        progress=progress,
        scale=scale,
    )
    odds = {name: read_as[name][str(value)] for name, value in all_tags.items() if name not in tags}
    by_chance = tuple(sorted(conditioned - named - set(all_tags)))
    nearest = [_near(training_texts.rows[i], i, s) for i, s in near]
    return Imagined(pictures, text, read, read_as, all_tags, nearest, odds, by_chance)


# ---- by attributes -------------------------------------------------------------------------------


def _attributes(run: str | os.PathLike) -> LabelSchema | None:
    """The schema of a run that knows attributes and no texts."""
    folder = zoo.locate(run)
    if (folder / FOLDER / ROWS).is_file():
        return None
    try:
        schema = load_schema(folder)
    except FileNotFoundError:
        return None
    return schema if schema is not None and not schema.vector_size else None


def imagine_attributes(
    text: str,
    run: object,
    schema: LabelSchema,
    tags: dict[str, object],
    n: int,
    seed: int,
    **options: Any,
) -> Imagined:
    """`imagine` for a run, or a loaded generator, that knows the attributes of `schema`."""
    words = understand(text, schema)
    # What it names as attributes is said already.
    rest = words.left if words.tags or words.choices else text
    genres = genres_of(rest, schema)
    if genres is not None:
        words = Understood(genres.tags(schema) | words.tags, words.choices, genres.unknown)
    if not words.tags and not words.choices:
        names = ", ".join(field.name.replace("_", " ") for field in schema.fields)
        raise ValueError(
            f"A text that says something about this run's attributes is needed: {names}. "
            f"Received: {textwrap.shorten(text, 80, placeholder=' ...')!r}."
        )
    schema.encode(tags)  # refuses what the run does not know
    seed = seeds.check_seed(seed)
    n, _ = seeds.check_pictures(n, 0)
    fixed_tags = words.tags | tags
    open_ = {name: values for name, values in words.choices.items() if name not in tags}
    labels = seeds.sample_labels(seed, n, narrowed(schema, open_))
    rows = np.full_like(labels, np.nan)
    for name in open_:
        rows[:, schema.slices()[name]] = labels[:, schema.slices()[name]]
    pictures = generate(run, n, seed, fixed_tags, labels=rows if open_ else None, **options)
    all_tags = fixed_tags | open_
    values = {field.name: all_tags[field.name] for field in schema.fields if field.name in all_tags}
    read_as = {} if genres is None else {"genres": genres.odds}
    return Imagined(pictures, text, {}, read_as, values, [], words=words, genres=genres)


def _as_drawn(
    words: Understood, tags: Mapping[str, object], genres: Reading | None = None
) -> list[str]:
    phrases = []
    for name, tag in tags.items():
        if tag is False and genres is not None and genres.chosen and name in genres.odds:
            continue  # all that were not chosen: too many to be told
        if isinstance(tag, bool):
            phrases.append(name if tag else f"no {name}")
        else:
            phrases.append(f"{name} {' or '.join(tag) if isinstance(tag, tuple) else tag}")
    lines = [f"drawn as: {', '.join(phrases).replace('_', ' ')}"]
    if words.unknown:
        lines.append(f"not understood: {', '.join(words.unknown)}")
    return lines


# ---- by texts ------------------------------------------------------------------------------------


def _read(code: TextCode, text: str, training_texts: KeptTexts) -> str:
    """What the encoder is given: of genre tags those that are named, else the text itself."""
    if code.genres:
        return genre_text(_named(text, training_texts)) or code.prepared(text)
    return code.prepared(text)


def _encoded(code: TextCode, prepared: str, encoder: TextEncoder | None) -> np.ndarray:
    return code.project(code.embedded([prepared], encoder))[0]


def _genres(text: str, training_texts: KeptTexts, near: list[tuple[int, float]]) -> str:
    """Genres that a text names, or those of the nearest training text that has some."""
    if named := _named(text, training_texts):
        return ", ".join(named)
    rows = (training_texts.rows[i] for i, _ in near)
    return next((tags for row in rows if (tags := genre_text(row.get("genres")))), "")


def _named(text: str, training_texts: KeptTexts) -> list[str]:
    """The training set's genres that occur in a text, in its order."""
    places = {}
    for genre in training_texts.genres:
        words = r"\W+".join(map(re.escape, re.findall(r"\w+", genre.lower())))
        match = re.search(rf"\b{words}\b", text.lower()) if words else None
        if match:
            places[genre] = match.start()
    return sorted(places, key=places.__getitem__)


def _near(row: Mapping, index: int, similarity: float) -> Near:
    title = row.get("title") or row.get("caption") or row.get("file") or f"image {index}"
    return Near(str(title), genre_text(row.get("genres")), similarity, index)
