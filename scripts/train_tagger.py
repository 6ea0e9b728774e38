"""Trains the tagger on labelled faces, calibrates it, and measures it on pictures held out.

    python scripts/train_tagger.py --labelled PACKED [PACKED ...] --drawn 6000 --out DIR

PACKED are folders made by `tfanime prepare` from pictures with labels whose names are among
MakeGirlsMoe's; colours that it does not know, and attributes that a set does not have, are not
known and do not enter the loss. Of each set a tenth is held out for the figures, and nine in a
hundred for the calibration; the rest is trained on.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfanime.data import PackedDataset, load_data
from tfanime.files import atomic_path, read_json, write_json
from tfanime.images import save_grid
from tfanime.labels import MAKEGIRLSMOE, LabelSchema, to_signed
from tfanime.models import tagger
from tfanime.tagging import LABELS, THRESHOLD, WEIGHTS, Tagger, load_tagger

FIGURES = "figures.json"
HELD_OUT, CALIBRATION = 0.1, 0.1
SHIFT, SMALLEST, LARGEST = 0.07, 0.82, 1.06  # of the box that is cut out, in sides
LIGHT, CONTRAST = 0.15, 0.15
NEWTON_STEPS = 30
SHEET = 12  # pictures in a row of the sheet of disagreements


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labelled", type=Path, nargs="*", default=[], help="packed sets")
    parser.add_argument("--drawn", type=int, default=6000, help="how many built-in faces")
    parser.add_argument("--cache", type=Path, help="where the built-in faces are kept")
    parser.add_argument("--start", type=Path, help="folder of a tagger to go on from")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="also draw where labels and tagger disagree")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    sets = {folder.name: PackedDataset.open(folder) for folder in options.labelled}
    if options.drawn:
        sets["drawn"] = load_data("drawn", tagger.SIZE, count=options.drawn, cache=options.cache)
    parts = {name: split(dataset) for name, dataset in sets.items()}
    started = time.monotonic()
    model = train([train for train, _, _ in parts.values()], options)
    minutes = (time.monotonic() - started) / 60
    pooled = [arrays(part) for _, part, _ in parts.values()]
    calibration = calibrate(model, *map(np.concatenate, zip(*pooled, strict=True)))
    options.out.mkdir(parents=True, exist_ok=True)
    save(model, options.out)
    trained = load_tagger(options.out)
    figures = {name: figures_of(trained, held) for name, (_, _, held) in parts.items()}
    for name, (train_part, part, held) in parts.items():
        figures[name] |= {
            "sha256": sets[name].sha256,
            "trained on": len(train_part),
            "calibrated on": len(part),
            "held out": len(held),
        }
    training = {
        "started from": read_json(options.start / FIGURES)["training"] if options.start else None,
        "epochs": options.epochs,
        "batch": options.batch,
        "rate": options.rate,
        "precision": options.precision,
        "seed": options.seed,
        "minutes": round(minutes, 1),
        "weights": model.count_params(),
    }
    write_json(
        options.out / FIGURES,
        {"sets": figures, "training": training, "calibration": calibration},
    )
    if options.sheet:
        for name, (_, _, held) in parts.items():
            draw_disagreements(trained, held, options.sheet.with_stem(options.sheet.stem + name))
    for name, found in figures.items():
        print(f"{name}: {summary(found)}")


# ---- data --------------------------------------------------------------------------------------


def split(dataset: PackedDataset) -> tuple[PackedDataset, PackedDataset, PackedDataset]:
    """Parts to train on, to calibrate on, and held out."""
    rest, held_out = dataset.split(HELD_OUT, seed=0)
    training, calibration = rest.split(CALIBRATION, seed=1)
    return training, calibration, held_out


def arrays(dataset: PackedDataset) -> tuple[np.ndarray, np.ndarray]:
    """All pictures, and their labels as `known_labels` has them."""
    return dataset.images(), known_labels(dataset.labels(), dataset.schema)


def known_labels(labels: np.ndarray, schema: LabelSchema) -> np.ndarray:
    """`(n, 34)`: labels of another schema in MakeGirlsMoe's, NaN where not known."""
    result = np.full((len(labels), MAKEGIRLSMOE.size), np.nan, np.float32)
    for field in schema.fields:
        part = labels[:, schema.slices()[field.name]]
        if field.name not in MAKEGIRLSMOE.slices():
            continue
        target = MAKEGIRLSMOE.field(field.name)
        columns = MAKEGIRLSMOE.slices()[field.name]
        if field.kind != target.kind:
            raise ValueError(f"{field.name!r} is a {target.kind}. Received: a {field.kind}.")
        if field.kind == "flag":
            result[:, columns] = part
            continue
        mapping = np.array([[v == w for w in target.values] for v in field.values], np.float32)
        found = np.nan_to_num(part) @ mapping
        known = found.sum(axis=1) == 1
        result[known, columns] = found[known]
    return result


def augmented(pictures: tf.Tensor) -> tf.Tensor:
    """A batch of bytes as floats in [-1, 1]: mirrored, moved, resized, lighter or darker.

    Colours keep their hue, which is what is to be learnt.
    """
    count = tf.shape(pictures)[0]
    x = tf.cast(pictures, tf.float32) / 127.5 - 1
    side = tf.random.uniform((count, 1), SMALLEST, LARGEST)
    middle = 0.5 + tf.random.uniform((count, 2), -SHIFT, SHIFT)
    low, high = middle - side / 2, middle + side / 2
    mirrored = tf.random.uniform((count, 1)) < 0.5
    left = tf.where(mirrored, high[:, 1:], low[:, 1:])
    right = tf.where(mirrored, low[:, 1:], high[:, 1:])
    boxes = tf.concat([low[:, :1], left, high[:, :1], right], axis=1)
    size = (tagger.SIZE, tagger.SIZE)
    x = tf.image.crop_and_resize(x, boxes, tf.range(count), size, extrapolation_value=1.0)
    shape = (count, 1, 1, 1)
    x *= 1 + tf.random.uniform(shape, -CONTRAST, CONTRAST)
    x += tf.random.uniform(shape, -LIGHT, LIGHT)
    return tf.clip_by_value(x, -1, 1)


# ---- training ----------------------------------------------------------------------------------


def train(parts: list[PackedDataset], options) -> keras.Model:
    """The network with the running mean of its weights."""
    pairs = [arrays(part) for part in parts]
    pictures, labels = map(np.concatenate, zip(*pairs, strict=True))
    signed = to_signed(labels)
    keras.mixed_precision.set_global_policy(options.precision)
    model = tagger.network(MAKEGIRLSMOE.size)
    if options.start:
        trained = keras.saving.load_model(options.start / WEIGHTS, compile=False)
        model.set_weights(trained.get_weights())
    steps = len(pictures) // options.batch * options.epochs
    warm = steps // 50 + 1
    rate = keras.optimizers.schedules.CosineDecay(
        options.rate / 20, steps - warm, warmup_target=options.rate, warmup_steps=warm
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.02, use_ema=True, ema_momentum=0.995)
    model.compile(optimizer, loss=partial(tagger.loss, MAKEGIRLSMOE), jit_compile=False)

    def read(rows):
        return signed[rows], pictures[rows]

    def prepare(rows):
        y, x = tf.numpy_function(read, [rows], [tf.float32, tf.uint8])
        y = tf.ensure_shape(y, (options.batch, signed.shape[1]))
        return augmented(tf.ensure_shape(x, (options.batch, *pictures.shape[1:]))), y

    rows = tf.data.Dataset.range(len(pictures)).shuffle(len(pictures), seed=options.seed)
    batches = rows.batch(options.batch, drop_remainder=True).map(prepare).prefetch(4)
    model.fit(batches, epochs=options.epochs, verbose=2)
    return as_float32(model)


def as_float32(model: keras.Model) -> keras.Model:
    """The same weights in a network that computes in float32."""
    keras.mixed_precision.set_global_policy("float32")
    copy = tagger.network(MAKEGIRLSMOE.size)
    copy.set_weights(model.get_weights())
    return copy


# ---- calibration -------------------------------------------------------------------------------


def calibrate(model: keras.Model, pictures: np.ndarray, labels: np.ndarray) -> dict:
    """Makes the probabilities true on average: a temperature for each group, slope and offset for
    each flag (Platt 1999), which become part of the last layer's weights.

    Returns:
        field name to `{"scale", "offset", "loss before", "loss after"}`.
    """
    logits = model.predict(pictures.astype(np.float32) / 127.5 - 1, batch_size=64, verbose=0)
    logits = logits.astype(np.float64)
    last = model.get_layer("logits")
    kernel, bias = last.get_weights()
    report = {}
    for field in MAKEGIRLSMOE.fields:
        columns = MAKEGIRLSMOE.slices()[field.name]
        known = ~np.isnan(labels[:, columns]).any(axis=1)
        x, y = logits[known, columns], labels[known, columns].astype(np.float64)
        loss, start = (_group_loss, [1.0]) if field.kind == "group" else (_flag_loss, [1.0, 0.0])
        found = minimise(partial(loss, x, y), np.array(start))
        scale, offset = found[0], found[1] if len(found) > 1 else 0.0
        kernel[:, columns] *= scale
        bias[columns] = bias[columns] * scale + offset
        report[field.name] = {
            "scale": float(scale),
            "offset": float(offset),
            "loss before": float(loss(x, y, np.array(start))),
            "loss after": float(loss(x, y, found)),
        }
    last.set_weights([kernel, bias])
    return report


def _group_loss(x: np.ndarray, y: np.ndarray, parameters: np.ndarray) -> float:
    x = x * parameters[0]
    return float((np.logaddexp.reduce(x, axis=1) - (x * y).sum(axis=1)).mean())


def _flag_loss(x: np.ndarray, y: np.ndarray, parameters: np.ndarray) -> float:
    x = x * parameters[0] + parameters[1]
    return float((np.logaddexp(0, x) - x * y).mean())


def minimise(loss, parameters: np.ndarray, width: float = 1e-3) -> np.ndarray:
    """Newton's method with differences for derivatives; the losses are convex and smooth."""
    for _ in range(NEWTON_STEPS):
        moves = np.eye(len(parameters)) * width
        slope = np.array([loss(parameters + m) - loss(parameters - m) for m in moves]) / (2 * width)
        bend = np.array(
            [
                [
                    loss(parameters + a + b)
                    - loss(parameters + a - b)
                    - loss(parameters - a + b)
                    + loss(parameters - a - b)
                    for a in moves
                ]
                for b in moves
            ]
        ) / (4 * width**2)
        step = np.linalg.solve(bend + 1e-9 * np.eye(len(parameters)), slope)
        share = 1.0
        while share > 1e-6 and loss(parameters - share * step) > loss(parameters):
            share /= 2
        parameters = parameters - share * step
        if np.abs(share * step).max() < 1e-8:
            break
    return parameters


def save(model: keras.Model, out: Path) -> None:
    with atomic_path(out / WEIGHTS) as temporary:
        model.save(temporary)
    write_json(out / LABELS, {**MAKEGIRLSMOE.to_json(), "threshold": THRESHOLD})


# ---- figures -----------------------------------------------------------------------------------


def figures_of(trained: Tagger, dataset: PackedDataset) -> dict:
    """Figures against the labels: top-1 of groups; precision, recall, accuracy of each column."""
    pictures, labels = arrays(dataset)
    found = trained.labels(pictures)
    top1, columns = {}, {}
    for field in MAKEGIRLSMOE.fields:
        place = MAKEGIRLSMOE.slices()[field.name]
        known = ~np.isnan(labels[:, place]).any(axis=1)
        if not known.any():
            continue
        y, x = labels[known, place] > 0.5, found[known, place] > 0.5
        if field.kind == "group":
            top1[field.name] = float((y & x).any(axis=1).mean())
        for i, column in enumerate(field.columns):
            columns[column] = scores(y[:, i], x[:, i])
    return {"top1": top1, "attributes": columns}


def scores(truth: np.ndarray, found: np.ndarray) -> dict:
    """Of one attribute; precision and recall are null where nothing was found or there."""
    both = int((truth & found).sum())
    return {
        "precision": both / int(found.sum()) if found.any() else None,
        "recall": both / int(truth.sum()) if truth.any() else None,
        "accuracy": float((truth == found).mean()),
        "pictures with it": int(truth.sum()),
        "pictures": len(truth),
    }


def summary(found: dict) -> str:
    worst = min(found["attributes"], key=lambda column: found["attributes"][column]["accuracy"])
    groups = ", ".join(f"{name} top-1 {value:.3f}" for name, value in found["top1"].items())
    return f"{groups}; least accuracy {found['attributes'][worst]['accuracy']:.3f} ({worst})"


def draw_disagreements(trained: Tagger, dataset: PackedDataset, path: Path) -> None:
    """Two rows for each flag: labelled so and not found, most certain first; then the reverse."""
    pictures, labels = arrays(dataset)
    sure = trained.probabilities(pictures)
    rows = []
    for i, column in enumerate(MAKEGIRLSMOE.columns):
        if MAKEGIRLSMOE.fields[0].size <= i < MAKEGIRLSMOE.slices()["eyes"].start:
            for wanted, doubt in ((1, 1 - sure[:, i]), (0, sure[:, i])):
                doubt = np.where(labels[:, i] == wanted, doubt, -1)
                rows.append(pictures[np.argsort(-doubt)[:SHEET]])
                print(f"row {len(rows)}: {column} labelled {wanted}")
    save_grid(path, np.concatenate(rows), columns=SHEET)


if __name__ == "__main__":
    main()
