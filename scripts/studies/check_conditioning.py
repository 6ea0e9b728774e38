"""Does a generator obey its labels? Hair- and eye-colour precision on the built-in drawn faces.

    python scripts/studies/check_conditioning.py --recipe modern --size 32 --minutes 15 --out DIR
    python scripts/studies/check_conditioning.py --run RUN --out DIR

Trains the recipe on `drawn` (or takes RUN, trained on it), and a classifier of the two colours on
other drawn faces, whose labels are true by construction. The precision of a colour is the share of
images asked for with it, all else drawn from the empirical prior, that the classifier reads as
it; beside it stands the classifier's own accuracy on drawn faces that it was not trained on.
Writes DIR/precision.md and DIR/precision.png: a row of eight images a hair colour.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import keras
import numpy as np
from keras import layers

import tfanime
from tfanime.core.files import write_text
from tfanime.core.images import save_grid, to_float
from tfanime.drawn.faces import draw_face, sample_labels

FIELDS = ("hair", "eyes")
TRAINING_SEED, HELD_OUT_SEED = 101, 202  # the built-in set is drawn with seed 0
SHOWN = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="trained on `drawn`; default: train one")
    parser.add_argument("--recipe", default="modern")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--n", type=int, default=100, help="images a colour")
    parser.add_argument("--faces", type=int, default=12_000, help="for the classifier to learn")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    run = options.run or trained(options)
    schema = tfanime.load_generator(run).schema
    size = tfanime.load_generator(run).height
    classify = classifier(schema, size, options.faces)
    held_out = drawn_faces(schema, size, 2_000, HELD_OUT_SEED)
    lines = ["| attribute | precision | classifier on drawn faces |", "|---|---|---|"]
    rows = []
    for field in FIELDS:
        values = schema.field(field).values
        asked = {value: pictures(run, field, value, options.n) for value in values}
        read = {value: classify(images)[field] for value, images in asked.items()}
        truth, found = held_out[1][field], classify(held_out[0])[field]
        precisions = [float((read[value] == i).mean()) for i, value in enumerate(values)]
        for i, value in enumerate(values):
            known = float((found[truth == i] == i).mean())
            lines.append(f"| {field} {value} | {precisions[i]:.2f} | {known:.2f} |")
        known = float((found == truth).mean())
        lines.append(f"| **{field}, mean** | **{np.mean(precisions):.3f}** | {known:.3f} |")
        if field == "hair":
            rows = [images[:SHOWN] for images in asked.values()]
    write_text(options.out / "precision.md", "\n".join(lines) + "\n")
    save_grid(options.out / "precision.png", np.concatenate(rows), columns=SHOWN)
    print("\n".join(lines))


def trained(options) -> Path:
    from tfanime.recipes.config import parse_overrides

    out = options.out / "run"
    overrides = {"image_size": options.size, **parse_overrides(options.settings)}
    data = tfanime.load_data("drawn", size=options.size)
    tfanime.train(options.recipe, data, out=out, minutes=options.minutes, **overrides)
    return out


def pictures(run: Path, field: str, value: str, count: int) -> np.ndarray:
    return tfanime.generate(run, n=count, seed=7, tags={field: value}).images


def drawn_faces(schema, size: int, count: int, seed: int):
    """`(count, size, size, 3)` uint8 and the true index of each field's value."""
    labels = sample_labels(count, seed)
    images = np.stack([draw_face(row, seed * 10**6 + i, size) for i, row in enumerate(labels)])
    places = schema.slices()
    return images, {field: labels[:, places[field]].argmax(axis=1) for field in FIELDS}


def classifier(schema, size: int, count: int):
    """A function from images to the indices of both colours, trained on drawn faces."""
    keras.utils.set_random_seed(0)
    images, truth = drawn_faces(schema, size, count, TRAINING_SEED)
    inputs = x = keras.Input((size, size, 3))
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    outputs = {f: layers.Dense(len(schema.field(f).values), name=f)(x) for f in FIELDS}
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, 8 * count // 64)),
        loss={f: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for f in FIELDS},
        jit_compile=False,
    )
    model.fit(to_float(images), truth, batch_size=64, epochs=8, verbose=2)

    def classify(pictures: np.ndarray) -> dict[str, np.ndarray]:
        found = model.predict(to_float(pictures), batch_size=256, verbose=0)
        return {field: logits.argmax(axis=1) for field, logits in found.items()}

    return classify


if __name__ == "__main__":
    main()
