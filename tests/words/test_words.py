"""What people say and what is understood: the same phrases in Python and in JavaScript."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tfanime.core.labels import FACES, Field, LabelSchema
from tfanime.sampling.words import Understood, understand
from tfanime.sampling.words.lexicon import lexicon_of

HERE = Path(__file__).parent
GENRES = "action adventure comedy drama fantasy horror romance sci_fi thriller"
MORE = "historical magical_girls mecha music mystery slice_of_life sports supernatural"
SCHEMAS = {
    "everything": LabelSchema(
        (
            *FACES.fields,
            Field("medium", "group", ("anime", "film")),
            *(Field(name, "flag") for name in GENRES.split()),
            Field("year", "value", (), (), 1950, 2026),
        )
    ),
    "tiny": LabelSchema(
        (
            Field("hair", "group", ("blonde", "blue", "red")),
            Field("eyes", "group", ("blue", "green")),
            Field("smile", "flag"),
            Field("glasses", "flag"),
        )
    ),
    "covers": LabelSchema(
        (
            Field("medium", "group", ("anime", "manga", "webtoon")),
            FACES.field("hair"),
            Field("male", "flag"),
            Field("long_hair", "flag"),
            *(Field(name, "flag") for name in (*GENRES.split(), *MORE.split())),
        )
    ),
    "posters": LabelSchema(
        (Field("mood", "group", ("light", "heavy")), Field("slice_of_life", "flag"))
    ),
}


def golden() -> list[tuple[str, str, frozenset[str], str]]:
    rows = []
    for line in (HERE / "golden.tsv").read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            language, phrase, wanted, *schema = line.split("\t")
            rows.append((language, phrase, frozenset(wanted.split()), *(schema or ["everything"])))
    return rows


GOLDEN = golden()


def written(found: Understood, schema: LabelSchema, like: frozenset[str]) -> set[str]:
    """What was understood, in the golden file's own words."""
    parts = set()
    for name, tag in found.tags.items():
        kind = schema.field(name).kind
        parts.add(
            {True: name, False: f"-{name}"}[tag]
            if kind == "flag"
            else f"{name}={tag:g}"
            if kind == "value"
            else f"{name}={tag}"
        )
    for name, left in found.choices.items():
        # Which of two ways of saying it: the golden file's.
        out = [v for v in schema.field(name).values if v not in left]
        negative = any(part.startswith(f"{name}!=") for part in like)
        part = (
            f"{name}!={'|'.join(sorted(out))}" if negative else f"{name}={'|'.join(sorted(left))}"
        )
        parts.add(part)
    return parts | {f"?{word.replace(' ', '_')}" for word in found.unknown}


def ordered(parts: frozenset[str]) -> set[str]:
    found = set()
    for part in parts:
        name, equals, values = part.partition("=")
        found.add(name + equals + "|".join(sorted(values.split("|"))))
    return found


def test_there_are_enough_phrases():
    count = {language: 0 for language in ("en", "ja", "zh", "ru")}
    for language, *_ in GOLDEN:
        count[language] += 1
    assert len(GOLDEN) > 300 and min(count.values()) >= 70


@pytest.mark.parametrize("language", ["en", "ja", "zh", "ru"])
def test_phrases_are_understood(language):
    wrong = []
    for spoken, phrase, wanted, name in GOLDEN:
        if spoken != language:
            continue
        schema = SCHEMAS[name]
        found = written(understand(phrase, schema), schema, wanted)
        if found != ordered(wanted):
            wrong.append(f"{phrase!r}: {' '.join(sorted(found))}, not {' '.join(sorted(wanted))}")
    assert wrong == []


def test_phrases_are_listed_once_for_fields_of_the_same_names():
    mine, theirs = (SCHEMAS[name].fields for name in ("everything", "tiny"))
    drawn = [replace(f, frequencies=f.default_frequencies()) for f in mine]
    assert lexicon_of(drawn) is lexicon_of(mine) is not lexicon_of(theirs)
    assert "dragon" not in lexicon_of(mine).phrases
    assert "dragon" in lexicon_of([*mine, Field("dragon", "flag")]).phrases


def in_javascript(questions: list[tuple[str, str]]) -> list[Understood]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the JavaScript twin cannot run")
    schemas = {name: schema.to_json()["fields"] for name, schema in SCHEMAS.items()}
    done = subprocess.run(
        [node, str(HERE / "twin.mjs")],
        input=json.dumps({"schemas": schemas, "questions": questions}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [
        Understood(
            answer["tags"],
            {name: tuple(left) for name, left in answer["choices"].items()},
            tuple(answer["unknown"]),
            answer["left"],
        )
        for answer in json.loads(done.stdout)
    ]


def mixtures(count: int) -> list[str]:
    """Phrases cut and joined anew, with typing errors: nobody means them, both read them alike."""
    chance = random.Random(5)
    pieces = [piece for _, phrase, *_ in GOLDEN for piece in (phrase, *phrase.split(" "))]
    joints = [
        " ",
        " ",
        " ",
        ", ",
        "、",
        "",
        " and ",
        " or ",
        " no ",
        "なし",
        " без ",
        "不",
        "?",
        "-",
        "'",
    ]
    texts = []
    for _ in range(count):
        text = "".join(
            chance.choice(pieces) + chance.choice(joints) for _ in range(chance.randint(1, 6))
        )
        if chance.random() < 0.5 and text:
            at = chance.randrange(len(text))
            text = (
                text[:at]
                + chance.choice("aeя髪 7.\u0130😀\u0301")
                + text[at + chance.randint(0, 2) :]
            )
        texts.append(text)
    return texts


@pytest.mark.slow
def test_javascript_understands_the_same():
    questions = [(phrase, name) for _, phrase, _, name in GOLDEN]
    names = list(SCHEMAS)
    questions += [(text, names[i % 3]) for i, text in enumerate(mixtures(900))]
    for (phrase, name), found in zip(questions, in_javascript(questions), strict=True):
        expected = understand(phrase, SCHEMAS[name])
        assert (found.tags, found.choices, found.unknown, found.left) == (
            expected.tags,
            expected.choices,
            expected.unknown,
            expected.left,
        ), phrase
