"""What a judge is asked of each image: words, letters, and the rules that explain them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfanime.core.labels import FACES, LabelSchema

FORM, KEY, RULES, SHEET = "form.csv", "key.json", "RULES.md", "s{:02d}.png"
# Fields that the judge answers with a word, and the words that no model is asked for.
OTHER_WORDS = {"hair": ("other", "hidden"), "eyes": ("other", "closed")}
# Flags that the judge answers with a letter: field -> letter, what it stands for.
LETTERS = {
    "long_hair": ("L", "long hair: reaches the shoulders, or runs out of the frame below the chin"),
    "short_hair": ("S", "short hair: ends above the shoulders. Never with L; neither if unclear"),
    "twintails": ("T", "twintails: two tails, left and right; pigtails and two braids too"),
    "ponytail": ("P", "ponytail: one tail, tied at the back, at the side or on top"),
    "drill_hair": ("D", "drills: tight ringlets"),
    "blush": ("B", "blush: pink or red on the cheeks, hatching too"),
    "smile": ("M", "smile: the corners of the mouth clearly up, open or closed"),
    "open_mouth": ("O", "open mouth, a grin that shows teeth too"),
    "hat": ("H", "hat, cap, helmet, hood or headdress"),
    "ribbon": ("R", "ribbon or bow in the hair"),
    "glasses": ("G", "glasses"),
    "male": ("Y", "male"),
    "dark_skin": ("K", "dark skin"),
    "animal_ears": ("N", "animal ears or horns; elf ears are none"),
}
BROKEN = {
    "X": "not usable: no single clear face",
    "Z": "broken: a face, but misshapen, smeared or with parts missing or doubled",
}
NOTHING = "-"
HINTS = {
    "hair": "silver is bright with a shine, gray duller and darker, white nearly white, aqua light "
    "turquoise; cream counts as blonde, maroon as red, bluish navy as blue; `other`: none fits, or "
    "two colours share it equally; `hidden`: no hair can be seen",
    "eyes": "of two colours the left one in the image; dark grey is black; `other`: none fits; "
    "`closed`: both are shut or cannot be seen",
}


def askable(schema: LabelSchema | None) -> dict[str, dict[str, object]]:
    """Column -> tags that ask for it, of the attributes that the form can answer."""
    tags = {}
    for field in schema.fields if schema else ():
        if field.kind == "group" and field.name in OTHER_WORDS:
            for column, value in zip(field.columns, field.values, strict=True):
                tags[column] = {field.name: value}
        elif field.kind == "flag" and field.name in LETTERS:
            tags[field.name] = {field.name: True}
    return tags


def vocabulary(schemas: Sequence[LabelSchema | None]) -> tuple[dict, dict]:
    """The words that the judge may write in each column, and the letter of each flag."""
    tags_of = {column: tags for schema in schemas for column, tags in askable(schema).items()}
    words = {}
    for name, others in OTHER_WORDS.items():
        values = [str(tags[name]) for tags in tags_of.values() if name in tags]
        if values:
            usual = FACES.field(name).values
            # In lower case, as the form is read.
            words[name] = list(dict.fromkeys(word.lower() for word in [*usual, *values, *others]))
    return words, {name: letter for name, (letter, _) in LETTERS.items() if name in tags_of}


def rules_text(words: Mapping[str, Sequence[str]], letters: Mapping[str, str]) -> str:
    """What the judge reads."""
    lines = [
        "# Judging images by eye",
        "",
        f"Look at the sheets one after the other and fill one row of `{FORM}` an image: the number "
        "of the sheet and of the image are there already. Write what you see, not what was meant. "
        f"Do not open `{KEY}`, and let no program answer for you.",
        "",
    ]
    for name, some in words.items():
        lines.append(f"- `{name}`: one of {', '.join(some)}. ({HINTS[name]}.)")
    lines.append(f"- `flags`: letters without separators, `{NOTHING}` if none applies:")
    lines += [f"  - {letter}: {LETTERS[name][1]}" for name, letter in letters.items()]
    lines += [f"  - {letter}: {meaning}" for letter, meaning in BROKEN.items()]
    lines.append("")
    if words:
        example = "".join(letters.values())[:1] or NOTHING
        lines += [
            "Between two words take the one that most people would say; leave out a flag that you "
            "are not sure of. Of a broken face write all that can be seen; with X the other cells "
            "may stay empty.",
            "",
            f"Example: `03,12,{','.join([*(some[0] for some in words.values()), example])}`",
            "",
        ]
    return "\n".join(lines)
