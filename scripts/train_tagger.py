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
SHIFT, SMALLEST, LARGEST = 0.08, 0.7, 1.06  # of the box that is cut out, in sides
LIGHT, CONTRAST = 0.15, 0.15
ERASED = 0.5  # largest side of the box that is erased
NEWTON_STEPS = 30
SHEET = 12  # pictures in a row of the sheet of disagreements


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labelled", type=Path, nargs="*", default=[], help="packed sets")
    parser.add_argument("--drawn", type=int, default=6000, help="how many built-in faces")
    parser.add_argument("--cache", type=Path, help="where the built-in faces are kept")
    parser.add_argument("--start", type=Path, help="folder of a tagger to go on from")
    parser.add_argument(
        "--weight",
        type=weight,
        nargs="*",
        default=[],
        metavar="SET=W",
        help="how much of it is seen",
    )
    parser.add_argument("--mixup", type=float, default=0.0, help="Beta parameter; 0: not mixed")
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
    model = train({name: part for name, (part, _, _) in parts.items()}, options)
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
        "weights": dict(options.weight),
        "mixup": options.mixup,
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


def weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


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
    return tf.clip_by_value(x * kept(count), -1, 1)


def kept(count: int) -> tf.Tensor:
    """`(count, SIZE, SIZE, 1)`: 0 in a box of each, 1 around it (Zhong et al. 2020, random erasing,
    https://arxiv.org/abs/1708.04896)."""
    places = (tf.range(tagger.SIZE, dtype=tf.float32) + 0.5) / tagger.SIZE
    middle = tf.random.uniform((2, count, 1))
    half = tf.random.uniform((2, count, 1), 0, ERASED / 2)
    rows, columns = tf.unstack(tf.abs(places - middle) < half)
    return 1 - tf.cast(rows[:, :, None] & columns[:, None], tf.float32)[..., None]


# ---- training ----------------------------------------------------------------------------------


def train(parts: dict[str, PackedDataset], options) -> keras.Model:
    """The network with the running mean of its weights."""
    weights = dict.fromkeys(parts, 1.0) | dict(options.weight)
    chosen = [batches(part, options) for part in parts.values()]
    keras.mixed_precision.set_global_policy(options.precision)
    model = tagger.network(MAKEGIRLSMOE.size)
    if options.start:
        trained = keras.saving.load_model(options.start / WEIGHTS, compile=False)
        model.set_weights(trained.get_weights())
    seen = [weights[name] * len(part) for name, part in parts.items()]
    per_epoch = int(sum(seen)) // options.batch
    steps = per_epoch * options.epochs
    warm = steps // 50 + 1
    rate = keras.optimizers.schedules.CosineDecay(
        options.rate / 20, steps - warm, warmup_target=options.rate, warmup_steps=warm
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.02, use_ema=True, ema_momentum=0.995)
    model.compile(optimizer, loss=mixed_loss, jit_compile=False)
    rows = tf.data.Dataset.sample_from_datasets(
        chosen, [x / sum(seen) for x in seen], seed=options.seed
    ).batch(options.batch, drop_remainder=True)
    rows = rows.map(lambda x, y: mixed(augmented(x), y, options.mixup)).prefetch(4)
    model.fit(rows, epochs=options.epochs, steps_per_epoch=per_epoch, verbose=2)
    return as_float32(model)


def batches(part: PackedDataset, options) -> tf.data.Dataset:
    """Single pictures with their signed labels, shuffled, without end."""
    pictures, labels = arrays(part)
    signed = to_signed(labels)

    def read(row):
        return pictures[row], signed[row]

    def prepare(row):
        x, y = tf.numpy_function(read, [row], [tf.uint8, tf.float32])
        return tf.ensure_shape(x, pictures.shape[1:]), tf.ensure_shape(y, signed.shape[1:])

    rows = tf.data.Dataset.range(len(pictures)).shuffle(len(pictures), seed=options.seed)
    return rows.repeat().map(prepare)


def mixed(pictures: tf.Tensor, signed: tf.Tensor, beta: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixup (Zhang et al. 2018, https://arxiv.org/abs/1710.09412): each picture with another one
    faintly over it, and the labels of both. A network learns wrong labels less well by heart so.

    Returns:
        pictures: `(B, H, W, 3)`.
        targets: `(B, 2 L + 1)`: labels of the one, of the other, and the share of the one.
    """
    count = tf.shape(pictures)[0]
    if beta:
        one, other = tf.unstack(tf.random.gamma((2, count, 1), beta))
        share = tf.maximum(one, other) / (one + other)
    else:
        share = tf.ones((count, 1))
    across = share[:, None, None]
    targets = tf.concat([signed, signed[::-1], share], axis=1)
    return across * pictures + (1 - across) * pictures[::-1], targets


def mixed_loss(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """`(B,)`: the loss by the labels of both pictures, by their shares."""
    one, other, share = tf.split(targets, [MAKEGIRLSMOE.size, MAKEGIRLSMOE.size, 1], axis=1)
    share = share[:, 0]
    loss = partial(tagger.loss, MAKEGIRLSMOE)
    return share * loss(one, logits) + (1 - share) * loss(other, logits)


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
