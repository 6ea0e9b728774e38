"""The poster study's eight steps of cleaning, in its order; each can be switched off.

1. `markup`: HTML tags, entities, URLs, and what is not ASCII
2. `stop_words`: words that say little
3. `lemmas`: "swordsmen" becomes "swordsman"
4. `punctuation`
5. `spaces`: at both ends, and repeated ones
6. `placeholders`: "No synopsis yet", "[Written by ...]", "(Source: ...)"
7. `tokenise`: words between [CLS] and [SEP]
8. `pad`: all rows as long as the longest

`clean_text` does the first six, text to text. A BERT preprocessor does the last two with its own
vocabulary (`tfanime.text.bert`); `tokenise` and `pad` do them with whole words.

Stop words are scikit-learn's, lemmas simplemma's: both bring their data with the package.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, lru_cache

from tfanime.text.cut import without

CLS, SEP, PAD = "[CLS]", "[SEP]", "[PAD]"
# Among the stop words of scikit-learn, and yet what a story may be about.
MEANINGFUL = frozenset({"bill", "cry", "fire", "found", "interest", "mine", "mill", "system"})

_COMMENT = re.compile(r"<!--"), re.compile(r"-->")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
# No letter has such a number, and html.unescape fails at thousands of digits.
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
_URL = re.compile(r"(?:https?://|ftp://|www\.)\S+", re.I)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CONTRACTION = re.compile(r"(?:n't|'(?:s|re|ve|ll|d|m))$", re.I)
_APOSTROPHES = str.maketrans("‘’ʼ“”–—…", "'''\"\"--.")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CREDIT = re.compile(r"[\[(](?:(?:re)?written by|source ?:)", re.I), re.compile(r"[\])]")
# A text of nothing but such words, with one of the subjects, says that there is none.
_SUBJECTS = _words("synopsis synopses description overview plot summary background")
_EXCUSES = _words(
    "a add added adding an anime announced any available back be been but by check click coming "
    "currently database do doesn don entry film for found has hasn have haven help here improve in "
    "information is isn it like looks manga movie no none not of official on one or our please "
    "provided s series show soon sorry t the there this title to unavailable unknown update was we "
    "will yet you english"
)
_NOTHING = _words("n na n/a none null nan unknown tba tbd - . ? ...") | {
    "to be added",
    "to be announced",
    "to be determined",
    "coming soon",
}


def strip_markup(text: str) -> str:
    """Step 1: without HTML tags, entities and URLs, in ASCII.

    Accents fall away from their letters; other letters than Latin ones are left out.

    Example:
        >>> strip_markup("<i>Pok&eacute;mon</i> see https://x.org ピカチュウ!")
        'Pokemon see !'
    """
    text = html.unescape(_LONG_NUMBER.sub(" ", _without_tags(text)))
    # Entities may have hidden tags: &lt;br&gt;
    text = _URL.sub(" ", _without_tags(text)).translate(_APOSTROPHES)
    # Letter by letter: sorting the marks of one letter takes the square of their number.
    letters = (unicodedata.normalize("NFKD", letter) for letter in text)
    return squeeze_spaces("".join(letters).encode("ascii", "ignore").decode())


def _without_tags(text: str) -> str:
    return _TAG.sub(" ", without(text, *_COMMENT))


def remove_stop_words(text: str) -> str:
    """Step 2: without words such as "the", "is" and "isn't"; what stands between words stays."""

    def replacement(match: re.Match) -> str:
        word = _CONTRACTION.sub("", match[0].replace("’", "'"))
        return "" if word.lower() in stop_words() else word

    return _WORD.sub(replacement, text)


def lemmatise(text: str) -> str:
    """Step 3: every word in its dictionary form."""
    return _WORD.sub(lambda match: _lemma(match[0]), text)


def strip_punctuation(text: str) -> str:
    """Step 4: letters, digits and spaces; an apostrophe leaves no gap."""
    return re.sub(r"[^\w\s]|_", " ", re.sub(r"['’]", "", text))


def squeeze_spaces(text: str) -> str:
    """Step 5: one space between words, none at the ends."""
    return " ".join(text.split())


def drop_placeholders(text: str) -> str:
    """Step 6: empty where the text only says that there is none; without credits in brackets."""
    text = squeeze_spaces(without(text, *_CREDIT))
    return "" if says_nothing(text) else text


def says_nothing(text: str) -> bool:
    """Whether a text only says that there is none: "No synopsis yet", "N/A".

    Example:
        >>> says_nothing("No synopsis has been added yet. Click here to update this information.")
        True
    """
    text = squeeze_spaces(text).lower()
    words = set(re.findall(r"[^\W_]+", text))
    excuse = bool(words & _SUBJECTS) and words <= _SUBJECTS | _EXCUSES
    return excuse or text in _NOTHING or text.rstrip(" .!") in _NOTHING


# In the order of the study.
STEPS: dict[str, Callable[[str], str]] = {
    "markup": strip_markup,
    "stop_words": remove_stop_words,
    "lemmas": lemmatise,
    "punctuation": strip_punctuation,
    "spaces": squeeze_spaces,
    "placeholders": drop_placeholders,
}


def clean_text(text: str, skip: Collection[str] = ()) -> str:
    """Steps 1 to 6.

    Args:
        text: as it was found.
        skip: names of steps to leave out, see `STEPS`.

    Raises:
        ValueError: for a step that does not exist.

    Example:
        >>> clean_text("A lonely <b>swordsman</b> under a red moon.")
        'lonely swordsman red moon'
    """
    skip = check_steps(skip)
    if "placeholders" not in skip:
        # Only its brackets tell a credit from a sentence, and step 4 takes them away; an excuse
        # is one in whole words, of which step 2 takes some away.
        text = drop_placeholders(text)
    for name, step in STEPS.items():
        if name not in skip:
            text = step(text)
    return text


def check_steps(skip: Collection[str]) -> tuple[str, ...]:
    """The names of steps to leave out, in order.

    Raises:
        ValueError: for a step that does not exist.
    """
    skip = (skip,) if isinstance(skip, str) else tuple(skip)
    unknown = [name for name in skip if name not in STEPS]
    if unknown:
        raise ValueError(f"The steps are {', '.join(STEPS)}. Received: {', '.join(unknown)}.")
    return tuple(name for name in STEPS if name in skip)


def tokenise(text: str) -> list[str]:
    """Step 7: the words of a cleaned text between [CLS] and [SEP]."""
    return [CLS, *text.split(), SEP]


def pad(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """Step 8: rows of tokens with [PAD] behind them, all as long as the longest."""
    rows = [list(row) for row in rows]
    longest = max(map(len, rows), default=0)
    return [row + [PAD] * (longest - len(row)) for row in rows]


@cache
def stop_words() -> frozenset[str]:
    """In lower case."""
    try:
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
    except ImportError as error:
        raise _missing("scikit-learn", error) from error
    return frozenset(ENGLISH_STOP_WORDS) - MEANINGFUL


@lru_cache(100_000)
def _lemma(word: str) -> str:
    try:
        import simplemma
    except ImportError as error:
        raise _missing("simplemma", error) from error
    return simplemma.lemmatize(word, "en")


def _missing(package: str, error: ImportError) -> ImportError:
    return ImportError(
        f"Cleaning texts needs {package} ({error}). Install it: pip install '.[text]' in a checkout"
    )
