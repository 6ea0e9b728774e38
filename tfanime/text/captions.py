"""Sentences about faces whose attributes are known: descriptions with a truth to compare with."""

from __future__ import annotations

import numpy as np

from tfanime.core.labels import LabelSchema

# How a flag is said, and what of: hair, or the rest of the image.
HAIR = {
    "long_hair": "long",
    "short_hair": "short",
}
STYLES = {
    "twintails": ("twintails", "her hair in twintails"),
    "drill_hair": ("drill curls", "drill hair"),
    "ponytail": ("a ponytail", "her hair in a ponytail"),
}
THINGS = {
    "hat": ("a hat",),
    "ribbon": ("a ribbon", "a hair ribbon"),
    "glasses": ("glasses",),
}
LOOKS = {
    "smile": ("smiling", "with a smile"),
    "open_mouth": ("with an open mouth", "mouth open"),
    "blush": ("blushing", "with a blush"),
}
SUBJECTS = ("a girl", "an anime girl", "a young woman", "a character", "a portrait of a girl")


def captions(labels: np.ndarray, schema: LabelSchema, seed: int = 0) -> list[str]:
    """A sentence for each row of labels.

    What is said is true, and hair and eye colour are always said; which other attributes are said,
    and in which words, varies with the row's number and the seed.

    Args:
        labels: `(n, schema.size)`, 0/1 coding.
        schema: with the groups `hair` and `eyes`, and any of the flags of `labels.MAKEGIRLSMOE`.
        seed: 0 to 2**53 - 1.

    Raises:
        ValueError: for labels without these groups.

    Example:
        >>> captions(labels, MAKEGIRLSMOE)[0]  # doctest: +SKIP
        'a girl with long blue hair and red eyes, smiling'
    """
    names = {field.name for field in schema.fields}
    if not {"hair", "eyes"} <= names:
        raise ValueError(
            "Captions are made of faces with the attributes hair and eyes, such as `drawn`. "
            f"Received: {', '.join(sorted(names))}."
        )
    sentences = []
    for i, row in enumerate(labels):
        rng = np.random.Generator(np.random.Philox(key=[seed, i]))
        sentences.append(_sentence(schema.decode(row), rng))
    return sentences


def _sentence(tags: dict, rng: np.random.Generator) -> str:
    def pick(words):
        return words[int(rng.integers(len(words)))]

    def some(table):
        """What is so and is said: three of four."""
        return [
            pick(words) for name, words in table.items() if tags.get(name) and rng.random() < 0.75
        ]

    lengths = [word for name, word in HAIR.items() if tags.get(name)]
    # Drawn faces may carry both flags, which would be no sentence.
    length = lengths[0] + " " if len(lengths) == 1 and rng.random() < 0.75 else ""
    hair, eyes = f"{length}{tags['hair']} hair", f"{tags['eyes']} eyes"
    order = int(rng.integers(3))
    if order == 0:
        sentence = f"{pick(SUBJECTS)} with {hair} and {eyes}"
    elif order == 1:
        sentence = f"{pick(SUBJECTS)} with {eyes} and {hair}"
    else:
        sentence = f"{hair}, {eyes}"
    extras = some(STYLES) + some(LOOKS)
    things = some(THINGS)
    if things:
        extras.append(pick(("wearing ", "with ")) + " and ".join(things))
    order = rng.permutation(len(extras))
    return ", ".join([sentence, *(extras[i] for i in order)])
