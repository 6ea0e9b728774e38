"""From the characters of a text to tokens: phrases of the table, numbers and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tfanime.sampling.words.lexicon import PHRASE, Lexicon, of_signs, table

PARTICLES = "のをがはでとに"  # end an unknown word of characters

SIGNS = {
    **dict.fromkeys(",;、；，", "comma"),
    **dict.fromkeys(".!?。\n", "stop"),
    **dict.fromkeys(":=：＝", "is"),
    **dict.fromkeys("&+", "and"),
    **dict.fromkeys("/|", "or"),
}


@dataclass
class Token:
    """A part of the text, and what it says."""

    kind: str  # adjective, noun, set, unknown, number, or the name of a function
    start: int
    end: int
    entry: dict = field(default_factory=dict)
    used: bool = True


def tokens_of(text: str, lexicon: Lexicon) -> list[Token]:
    """The tokens of a text in `plain_spelling`, in its order."""
    tokens: list[Token] = []
    pieces = _pieces(text)
    at = 0
    while at < len(pieces):
        kind, start, end = pieces[at]
        if kind == "signs":
            tokens.extend(_sign_tokens(text, start, end, lexicon))
        elif kind == "word":
            stop = at
            while stop < min(at + PHRASE, len(pieces)) and pieces[stop][0] == "word":
                stop += 1
            run = [text[s:e] for _, s, e in pieces[at:stop]]
            count, several = _word_tokens(run, pieces[at:stop], lexicon)
            tokens.extend(several)
            at += count
            continue
        else:
            tokens.append(Token(kind, start, end, {"number": text[start:end]}))
        at += 1
    return tokens


def _pieces(text: str) -> list[tuple[str, int, int]]:
    """`(kind, start, end)` of words, runs of characters, numbers and signs."""
    pieces = []
    at = 0
    while at < len(text):
        number = re.match(r"-?[0-9]+(\.[0-9]+)?(?![0-9a-zа-я'])", text[at:])
        if number and (text[at] != "-" or at == 0 or text[at - 1] in " ="):
            end = at + len(number[0])
            pieces.append(("number", at, end))
        elif text[at] in SIGNS:
            end = at + 1
            pieces.append((SIGNS[text[at]], at, end))
        elif of_signs(text[at]):
            end = at
            while end < len(text) and of_signs(text[end]):
                end += 1
            pieces.append(("signs", at, end))
        elif text[at].isalnum():
            end = at
            while end < len(text) and (text[end].isalnum() or text[end] == "'"):
                if of_signs(text[end]):
                    break
                end += 1
            pieces.append(("word", at, end))
        else:
            end = at + 1
        at = end
    return pieces


def _token(entry: dict, start: int, end: int) -> Token:
    return Token(entry["kind"], start, end, entry)


def _word_tokens(words: list[str], pieces, lexicon: Lexicon) -> tuple[int, list[Token]]:
    """How many words were read, and their tokens."""
    start, end = pieces[0][1:]
    word = words[0]
    match = lexicon.words(words)
    compound = word not in lexicon.phrases and _compound(word, start, end, lexicon)
    if compound and (match is None or match[0] == 1):
        return 1, compound
    if match:
        count, entry = match
        return count, [_token(entry, start, pieces[count - 1][2])]
    if word.endswith("n't"):
        return 1, [Token("not", start, end)]
    if word.endswith("s"):
        entry = lexicon.phrases.get(word[:-1].rstrip("'"))
        if entry:
            return 1, [_token(entry, start, end)]
    entry = lexicon.near(word)
    return 1, [_token(entry, start, end) if entry else Token("unknown", start, end)]


def _compound(word: str, start: int, end: int, lexicon: Lexicon) -> list[Token]:
    """A colour or length and its noun in one word: "blackhaired", "голубоглазая"."""
    for split in table()["splits"]:
        noun = split.rstrip("*")
        place = word.find(noun)
        if place < 3 or (noun == split and not word.endswith(noun)):
            continue
        left = lexicon.words([word[:place]])
        right = lexicon.words([word[place:]])
        if left and right:
            return [_token(left[1], start, start + place), _token(right[1], start + place, end)]
    return []


def _sign_tokens(text: str, start: int, end: int, lexicon: Lexicon) -> list[Token]:
    tokens: list[Token] = []
    at = start
    run = text[:end]
    unknown = None  # where an unknown word began
    while at < end:
        match = lexicon.signs(run, at)
        if match and unknown is not None and match[0] == 1 and "\u3041" <= run[at] <= "\u309f":
            match = match if run[at] in PARTICLES else None
        if not match:
            unknown = at if unknown is None else unknown
            at += 1
            continue
        if unknown is not None:
            tokens.append(Token("unknown", unknown, at))
            unknown = None
        count, entry = match
        tokens.append(_token(entry, at, at + count))
        at += count
    if unknown is not None:
        tokens.append(Token("unknown", unknown, end))
    return tokens


def unknown_words(tokens: list[Token], text: str) -> list[str]:
    """What was typed and not used: neighbours together."""
    spans: list[list[int]] = []
    near = False
    for token in tokens:
        if token.used and token.kind != "unknown":
            near = near and token.kind == "glue"
            continue
        if near and spans:
            spans[-1][1] = token.end
        else:
            spans.append([token.start, token.end])
        near = True
    return [text[start:end] for start, end in spans]


def left_words(tokens: list[Token], text: str) -> str:
    """What was typed and not used, with words such as "lonely", which say nothing of a face."""
    kinds = ("unknown", "filler")
    left = (text[t.start : t.end] for t in tokens if t.kind in kinds or not t.used)
    return " ".join(left)
