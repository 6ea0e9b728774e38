"""Trains what `tfanime imagine` reads a phrase by: how far each word speaks for each genre.

    python scripts/studies/train_phrases.py anime_synopsis.csv.gz posters.csv --out phrases.json

A table has a column of genres ("Action, Sci-Fi" or "Action|Drama") and texts in `synopsis`, `title`
or both. For each word and genre the log of how many times as often the word occurs in texts of the
genre as in others is kept, in tenths, drawn towards zero by `SHRINK` imagined texts. How often the
first genre of a text that was not learnt from is right is said, by five-fold cross-validation over
titles.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import sys
from collections import Counter
from pathlib import Path

from tfanime.sampling.phrases import GENRES, SMALL, Phrases, stem, stems

SHRINK = 3.0
FEWEST = 8  # texts that a word occurs in
LEAST = 6  # tenths by which it must speak for or against a genre
SAID = 25  # tenths, at least, of the words below
# What everybody knows and few synopses of anime say: a word alone makes its genre twice as likely
# as not.
PLAIN = {
    "action": "battle fight fighter swordsman samurai ninja warrior assassin gunman war soldier",
    "adventure": "journey quest voyage treasure explorer pirate traveller wanderer expedition",
    "comedy": "funny comedy silly prank clumsy gag hilarious laugh slapstick parody cat idiot",
    "drama": "lonely grief tears loss orphan illness farewell regret widow letter funeral",
    "fantasy": "dragon wizard witch elf magic fairy kingdom sorcerer spell princess unicorn knight",
    "historical": "samurai shogun emperor dynasty edo medieval feudal geisha ancient century",
    "horror": "ghost haunted zombie vampire demon curse corpse nightmare monster scream cemetery",
    "magical_girls": "wand transform sparkle",
    "mecha": "mecha robot pilot cockpit gundam android",
    "music": "band guitar idol singer song piano concert orchestra violin stage melody",
    "mystery": "mystery detective clue riddle vanish case secret investigate murder murderer",
    "romance": "love lovers kiss bride wedding sweetheart romance couple crush confession",
    "sci_fi": "robot space spaceship astronaut android alien mecha cyborg planet galaxy future",
    "slice_of_life": "everyday classroom school cafe cooking bakery club picnic neighbour camping",
    "sports": "baseball football soccer basketball volleyball tennis swimming race boxing match "
    "tournament athlete stadium",
    "supernatural": "ghost vampire spirit shrine exorcist youkai onmyoji possessed",
    "thriller": "detective killer murder murderer spy suspect hostage conspiracy kidnapped "
    "police crime blackmail stalker serial",
}
SAME = {
    **{"suspense": "thriller", "psychological": "thriller", "sci-fi": "sci_fi", "sci fi": "sci_fi"},
    **{"mahou shoujo": "magical_girls", "magic girls": "magical_girls"},
    **{"slice of life": "slice_of_life", "school": "slice_of_life"},
}
ADULT = {"hentai", "erotica"}  # no table has words of these
# Words of credits and markup, which the sources repeat.
CREDITS = """written mal rewrite source ann anidb anime manga series episode season ova special dvd
bd film movie novel chapter volume adaptation story based"""
LEFT_OUT = set(CREDITS.split())


def rows_of(path: Path) -> list[tuple[str, list[str], set[str]]]:
    """Title, texts and genres of each row that has all of them."""
    read = gzip.open if path.suffix == ".gz" else open
    rows = []
    with read(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            column = next((c for c in row if c.startswith("genre") and row[c]), None)
            if column is None:
                continue
            words = {word.strip() for word in row[column].replace("|", ",").lower().split(",")}
            if words & ADULT:
                continue
            genres = {SAME.get(word, word) for word in words} & set(GENRES)
            texts = [row[c] for c in ("synopsis", "title") if row.get(c)]
            if texts:
                rows.append((row.get("title") or texts[0], texts, genres))
    return rows


def table(rows) -> dict:
    """Frequencies of genres, and tenths of a log ratio by word."""
    there, having = Counter(), {genre: Counter() for genre in GENRES}
    many = dict.fromkeys(GENRES, 0)
    for _, texts, genres in rows:
        found = set().union(*(stems(text) for text in texts)) - LEFT_OUT - SMALL
        there.update(found)
        for genre in genres:
            having[genre].update(found)
            many[genre] += 1
    words = {}
    for word, count in there.items():
        if count < FEWEST:
            continue
        ratios = []
        for genre in GENRES:
            prior = many[genre] / len(rows)
            inside = (having[genre][word] + SHRINK * prior) / (many[genre] + SHRINK * prior)
            outside = count - having[genre][word] + SHRINK * (1 - prior)
            outside /= len(rows) - many[genre] + SHRINK * (1 - prior)
            rate = math.log(inside / outside)
            # Where the two shares hardly differ, by their standard errors, it is chance.
            spread = math.sqrt(
                1 / (having[genre][word] + 1) + 1 / (count - having[genre][word] + 1)
            )
            ratios.append(round(10 * rate * min(1, abs(rate) / (2 * spread))))
        if max(map(abs, ratios)) >= LEAST:
            words[word] = ratios
    for genre, plain in PLAIN.items():
        place, rarity = GENRES.index(genre), (len(rows) - many[genre]) / many[genre]
        said = max(SAID, math.ceil(10 * math.log(2 * rarity)))
        for word in map(stem, plain.split()):
            ratios = words.setdefault(word, [0] * len(GENRES))
            ratios[place] = max(said, ratios[place])
    return {
        "genres": list(GENRES),
        "frequencies": [round(many[g] / len(rows), 4) for g in GENRES],
        "words": dict(sorted(words.items())),
    }


def measured(rows) -> str:
    """How good the reading of texts is that were not learnt from."""
    order = {title: i % 5 for i, title in enumerate(sorted({title for title, _, _ in rows}))}
    right, chance, n = 0, 0.0, 0
    for part in range(5):
        data = table([row for row in rows if order[row[0]] != part])
        reader = Phrases(data)
        usual = max(zip(data["frequencies"], GENRES, strict=True))[1]
        for title, texts, genres in rows:
            if order[title] != part or not genres:
                continue
            reading = reader.read(" ".join(texts[0].split()[:12]))
            if not reading.known:
                continue
            n += 1
            right += reading.chosen[0] in genres
            chance += usual in genres
    first, usual = right / n, chance / n
    return (
        f"{n} texts of at most 12 words: first genre right {first:.3f}, most frequent {usual:.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = [row for path in options.tables for row in rows_of(path)]
    print(f"{len(rows)} rows; {measured(rows)}", file=sys.stderr)
    data = table(rows)
    lines = ",\n".join(
        f'"{w}":{json.dumps(v, separators=(",", ":"))}' for w, v in data["words"].items()
    )
    head = json.dumps({k: v for k, v in data.items() if k != "words"})[:-1]
    options.out.write_text(f'{head}, "words": {{\n{lines}\n}}}}\n', encoding="utf-8")
    print(f"{len(data['words'])} words, {options.out.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
