"""Does a generator obey words? Hair and eye colours of captions, on the built-in drawn faces.

    python scripts/studies/check_captions.py --minutes 15 --out DIR
    python scripts/studies/check_captions.py --run RUN --out DIR

Draws faces, writes a sentence about each ("a girl with long blue hair and red eyes, smiling"),
embeds the sentences with the offline BERT, and trains a recipe on images and vectors alone: no
label tells it what a colour is. Then new sentences, about attributes drawn anew, ask for every
colour, and the tagger that ships with tfanime reads the images; the discriminator looks through
EfficientNet-Lite0 (extra `features`). The precision of a colour is the share of images whose
sentence has it that are read as it. Beside it stand the tagger's reading of drawn faces, and how
often it reads the colour on any of the images: chance.

Writes DIR/captions.md and DIR/captions.png, a row of images a sentence. A second call goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import tfanime
from tfanime.core.files import write_text
from tfanime.core.images import save_grid, to_uint8
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.core.seeds import latents
from tfanime.drawn.faces import draw_face, sample_labels
from tfanime.drawn.render import render
from tfanime.tagging import load_tagger
from tfanime.text.attach import attach
from tfanime.text.captions import captions
from tfanime.text.vector_cache import KeptTexts

FIELDS = ("hair", "eyes")
KEPT_AS_IT_IS = ("stop_words", "lemmas", "punctuation")  # "with" and commas say what goes with what
NEW_SEED, LABEL_SEED = 77, 303  # the built-in faces and their sentences have seed 0
SENTENCES = (
    "a girl with long blue hair and red eyes, smiling",
    "a girl with long red hair and blue eyes, smiling",
    "an anime girl with blonde hair and green eyes, wearing glasses",
    "a young woman with black hair and purple eyes, wearing a hat",
    "a girl with short pink hair and yellow eyes, her hair in twintails",
    "silver hair, brown eyes, with an open mouth",
)
ACROSS = 8
ALL = 384  # directions of the encoder
# `modern` with the one discriminator of Projected GAN in place of its own.
THROUGH_FEATURES = {
    "loss": "hinge",
    "penalty": "none",
    "joint_batch": True,
    "augment": "translation",
    "augment_target": None,
    "g_lr": 4e-4,
    "d_lr": 4e-4,
}
# Narrow and without the largest map, for a CPU: 199 instead of 90 images a second of processor
# time. More images a batch are more texts to tell one's own from; a linear layer lets the
# generator choose among the many numbers of a text.
SETTINGS = {
    "condition_on": "caption",
    "generator": {"channels": 32},
    **THROUGH_FEATURES,
    "discriminator": {
        "name": "projected",
        "features": "lite0@4",  # not the one that judges
        "scales": [2, 4, 8],
        "channels": 32,
        "pixel_channels": 16,
    },
    "label_embedding": 64,
    "head_weight": 1.0,
    "batch_size": 32,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="trained by this script; default: train one")
    parser.add_argument("--recipe", default="modern")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--faces", type=int, default=12_000)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--n", type=int, default=40, help="images a colour")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    run = options.run or trained(options)
    kept, generator, tagger = KeptTexts.open(run), tfanime.load_generator(run), load_tagger()
    code = kept.codes[0]
    encoder = code.load_encoder(trust_encoder=True)  # it is a run of ours
    asked = wanted(options.n)
    sentences = captions(asked, MAKEGIRLSMOE, seed=NEW_SEED)
    vectors = code.project(code.embedded([code.prepared(s) for s in sentences], encoder))
    pictures = draw(generator, vectors, seed=7)
    read = tagger.labels(pictures)
    real = np.stack(
        [draw_face(row, LABEL_SEED * 10**6 + i, generator.height) for i, row in enumerate(asked)]
    )
    known = tagger.labels(real)
    lines = [
        f"{len(sentences):,} new sentences, {options.n} pictures a colour, {generator.width} px.",
        "",
        "| colour | precision | tagger on drawn faces | by chance |",
        "|---|---|---|---|",
    ]
    means = {}
    for field in FIELDS:
        place = MAKEGIRLSMOE.slices()[field]
        # The tagger's schema has the same fields.
        there = tagger.schema.slices()[field]
        truth, found = asked[:, place].argmax(1), read[:, there].argmax(1)
        drawn = known[:, there].argmax(1)
        rows = []
        for i, value in enumerate(MAKEGIRLSMOE.field(field).values):
            chosen = truth == i
            rows.append(
                [(found == i)[chosen].mean(), (drawn == i)[chosen].mean(), (found == i).mean()]
            )
            lines.append(f"| {value} {field} | " + " | ".join(f"{x:.2f}" for x in rows[-1]) + " |")
        means[field] = np.mean(rows, axis=0)
        told = " | ".join(f"**{x:.3f}**" for x in means[field])
        lines.append(f"| **{field}, mean** | {told} |")
    both = np.mean(list(means.values()), axis=0)
    lines.append("| **both** | " + " | ".join(f"**{x:.3f}**" for x in both) + " |")
    write_text(options.out / "captions.md", "\n".join(lines) + "\n")
    shown = code.project(code.embedded([code.prepared(s) for s in SENTENCES], encoder))
    save_grid(
        options.out / "captions.png",
        draw(generator, np.repeat(shown, ACROSS, axis=0), seed=1),
        columns=ACROSS,
    )
    print("\n".join(lines))


def trained(options) -> Path:
    from tfanime.recipes.config import parse_overrides

    faces, run = options.out / "faces", options.out / "run"
    if not faces.exists():
        render(faces, options.faces, options.size)
    # What binds a colour to hair or eyes is in directions that vary little: all are kept.
    attach(faces, "caption", captions=True, skip=KEPT_AS_IT_IS, size=ALL, encoder="minilm")
    settings = {**SETTINGS, "precision": options.precision, **parse_overrides(options.settings)}
    tfanime.train(options.recipe, faces, out=run, minutes=options.minutes, **settings)
    return run


def wanted(each: int) -> np.ndarray:
    """Labels of which every hair and every eye colour has `each` rows or a few more."""
    values = {field: MAKEGIRLSMOE.field(field).size for field in FIELDS}
    labels = sample_labels(each * max(values.values()), LABEL_SEED)
    for step, (field, count) in enumerate(values.items()):
        # Other steps through the values, so that every pair of colours occurs.
        chosen = (np.arange(len(labels)) * (1 + 2 * step) + np.arange(len(labels)) // count) % count
        labels[:, MAKEGIRLSMOE.slices()[field]] = np.eye(count)[chosen]
    return labels


def draw(generator, vectors: np.ndarray, seed: int) -> np.ndarray:
    z = latents(seed, len(vectors), generator.latent_dim)
    parts = [
        generator(z[i : i + 64], vectors[i : i + 64].astype(np.float32))
        for i in range(0, len(z), 64)
    ]
    return to_uint8(np.concatenate(parts))


if __name__ == "__main__":
    main()
