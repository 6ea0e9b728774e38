"""From a line of words to attributes, in English, Japanese, Chinese and Russian.

A small grammar, not a model. A text passes through four files in turn:

    lexicon      what each phrase of words.json says, for one schema
    tokens       characters to the phrases that stand in the text
    items        tokens to items ("long blue hair", "a hat")
    relations    a negation, a colour or a length is given to what it belongs to
    reading      items to a schema's attributes

The site has a twin in JavaScript, statement by statement; one list of phrases tests both.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tfanime.sampling.words.items import items_of
from tfanime.sampling.words.lexicon import lexicon_of, plain_spelling
from tfanime.sampling.words.reading import Reading
from tfanime.sampling.words.relations import attach, negate
from tfanime.sampling.words.tokens import left_words, tokens_of, unknown_words

if TYPE_CHECKING:
    from tfanime.core.labels import Field, LabelSchema

LONGEST = 1000  # characters of a text that are read


@dataclass(frozen=True)
class Understood:
    """What a text says of a schema's attributes.

    Args:
        tags: as `tfanime.generate` takes them: `{"hair": "blue", "smile": True}`.
        choices: of a group the values that are left, where several are: pink or blue hair, or any
            but blue.
        unknown: the words that say nothing about these attributes, as they were typed.
        left: the text without the words that do; what it is about may be read from it.
    """

    tags: dict[str, object]
    choices: dict[str, tuple[str, ...]]
    unknown: tuple[str, ...]
    left: str = ""


def understand(text: str, schema: LabelSchema | Iterable[Field]) -> Understood:
    """The attributes that a text names.

    Args:
        text: at most its first 1,000 characters are read.
        schema: the attributes there are; names and values beyond `words.json` are known by their
            own names.

    Example:
        >>> from tfanime.core.labels import MAKEGIRLSMOE
        >>> understand("long blue hair, no hat or ribbon", MAKEGIRLSMOE).tags
        {'long_hair': True, 'short_hair': False, 'hair': 'blue', 'hat': False, 'ribbon': False}
    """
    fields = {f.name: f for f in getattr(schema, "fields", schema)}
    plain_text = unicodedata.normalize("NFKC", text)[:LONGEST]
    tokens = tokens_of(plain_spelling(plain_text), lexicon_of(fields.values()))
    items = items_of(tokens, fields)
    negate(items)
    attach(items, fields)
    reading = Reading(fields)
    for item in items:
        reading.take(item)
    tags, choices = reading.result()
    unknown = tuple(unknown_words(tokens, plain_text))
    return Understood(tags, choices, unknown, left_words(tokens, plain_text))


def narrowed(schema: LabelSchema, choices: Mapping[str, Iterable[str]]) -> LabelSchema:
    """A schema that draws only these values of a group, as often among themselves as before.

    Args:
        schema: without its examples, which would be drawn whole.
        choices: as `Understood.choices`.
    """
    from tfanime.core.labels import LabelSchema

    fields = []
    for f in schema.fields:
        if f.name in choices:
            mask = [value in choices[f.name] for value in f.values]
            frequencies = f.frequencies or f.default_frequencies()
            shares = [p if here else 0.0 for p, here in zip(frequencies, mask, strict=True)]
            f = replace(f, frequencies=tuple(shares if sum(shares) else map(float, mask)))
        fields.append(f)
    return LabelSchema(tuple(fields))
