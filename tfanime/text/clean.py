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

from tfanime.text.between import without

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
_SUBJECTS = _words("synopsis description plot summary background")
_EXCUSES = _words(
    "a add added adding any available be been by database for found has have help here improve "
    "information is it no none of one our series show the there this title to yet currently"
)
_NOTHING = _words("n na n/a none null nan unknown tba tbd - . ? ...")


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

    def kept(match: re.Match) -> str:
        word = _CONTRACTION.sub("", match[0].replace("’", "'"))
        return "" if word.lower() in stop_words() else word

    return _WORD.sub(kept, text)


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
    words = set(re.findall(r"\w+", text.lower()))
    excuse = words & _SUBJECTS and words <= _SUBJECTS | _EXCUSES
    return "" if excuse or text.lower() in _NOTHING else text


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
        # Only its brackets tell a credit from a sentence, and step 4 takes them away.
        text = without(text, *_CREDIT)
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
