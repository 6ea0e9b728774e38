"""Trains the tagger on labelled faces, calibrates it, and measures it on pictures held out.

    python scripts/train_tagger.py --labelled PACKED [PACKED ...] --shoulders PACKED [PACKED ...]
        --drawn 6000 --unlabelled PACKED --out DIR

PACKED are folders made by `tfanime prepare` from pictures with labels whose names are among
MakeGirlsMoe's; colours that it does not know, and attributes that a set does not have, are not
known and do not enter the loss. Of each set a tenth is held out for the figures, and nine in a
hundred for the calibration; the rest is trained on.

Faces cut out of real pictures are framed closely. Pictures of head and shoulders (`--shoulders`,
best of 128 pixels, and the drawn ones) are therefore also shown, half the time, cut down to the
face: otherwise the network takes hair that fills the frame for twintails, and a forehead at its
edge for a hat.

With `--unlabelled` the network then goes on as its own teacher (noisy student, Xie et al. 2020):
what it says, with the frequencies of hats and glasses set right (distribution alignment, Berthelot
et al. 2020), is learnt on the unlabelled faces, and mixed into the labels of `--labelled`, some of
which are wrong (bootstrapping, Reed et al. 2015). Other taggers may be asked for the colours too.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from tfanime.data import PackedDataset, load_data
from tfanime.files import atomic_path, read_json, write_json
from tfanime.images import save_grid
from tfanime.labels import MAKEGIRLSMOE, LabelSchema
from tfanime.models import tagger
from tfanime.tagging import LABELS, THRESHOLD, WEIGHTS, Tagger, load_tagger, probabilities_of

FIGURES = "figures.json"
HELD_OUT, CALIBRATION = 0.1, 0.1
FACE = (0.17, 0.10, 0.83, 0.76)  # of head and shoulders: left, top, right, bottom in sides
CLOSE = 0.5  # how often head and shoulders are shown as a face
SHIFT, SMALLEST, LARGEST = 0.07, 0.82, 1.06  # of the box that is cut out, in sides
LIGHT, CONTRAST = 0.15, 0.15
ALIGNED = ("hat", "glasses")  # whose frequency on real faces the schema knows
UNKNOWN = -1.0  # as a target
NEWTON_STEPS = 30
SHEET = 12  # pictures in a row of a sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labelled", type=Path, nargs="*", default=[], help="packed faces")
    parser.add_argument("--shoulders", type=Path, nargs="*", default=[], help="and with shoulders")
    parser.add_argument("--drawn", type=int, default=6000, help="how many built-in faces")
    parser.add_argument("--cache", type=Path, help="where the built-in faces are kept")
    parser.add_argument("--unlabelled", type=Path, help="packed faces without labels")
    parser.add_argument("--unlabelled-count", type=int, default=6000, help="how many of them")
    parser.add_argument("--start", type=Path, help="folder of a tagger to go on from")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--keep", type=float, default=0.0, help="share of --start that stays")
    parser.add_argument("--student-epochs", type=int, default=8, help="with --unlabelled")
    parser.add_argument("--trust", type=float, default=0.6, help="in --labelled, beside teachers")
    parser.add_argument("--teachers", type=Path, nargs="*", default=[], help="others, for colours")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--repeat", type=int, default=1, help="--labelled, in a student's epoch")
    parser.add_argument("--student-rate", type=float, default=5e-4)
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="also draw where labels and tagger disagree")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    sets = {folder.name: PackedDataset.open(folder) for folder in options.labelled}
    with_shoulders = {folder.name: PackedDataset.open(folder) for folder in options.shoulders}
    if options.drawn:
        size = tagger.SIZE
        drawn = load_data("drawn", size, count=options.drawn, cache=options.cache)
        with_shoulders["drawn"] = drawn
    sets |= with_shoulders
    thirds = {name: split(dataset) for name, dataset in sets.items()}
    parts = {
        name: [Faces.of(part, name in with_shoulders) for part in third]
        for name, third in thirds.items()
    }
    training, calibrating, held_out = (list(column) for column in zip(*parts.values(), strict=True))
    model = network(options)
    started = time.monotonic()
    known = [targets_of(faces.labels) for faces in training]
    model = train(model, training, known, options.epochs, options.rate, options)
    calibration = calibrate(model, *pooled(calibrating))
    if options.start and options.keep:
        model.set_weights(mixed(load(options.start), model, options.keep))
        calibration = calibrate(model, *pooled(calibrating))
    unlabelled = None
    if options.unlabelled:
        dataset = PackedDataset.open(options.unlabelled)
        some = np.random.default_rng(options.seed).permutation(len(dataset))
        unlabelled = dataset.images(np.sort(some[: options.unlabelled_count]))
    if options.unlabelled and options.student_epochs:
        faces = [*training, Faces(unlabelled, None, np.full((len(unlabelled), 1), np.nan))]
        again = [i for i, f in enumerate(training) if f.close is None] * (options.repeat - 1)
        teachers = [model, *(load(folder) for folder in options.teachers)]
        targets = [
            targets_of(f.labels) if f.close is not None else taught(teachers, f, options.trust)
            for f in training
        ]
        targets.append(aligned(taught_by(teachers, unlabelled)))
        faces += [faces[i] for i in again]
        targets += [targets[i] for i in again]
        model = train(model, faces, targets, options.student_epochs, options.student_rate, options)
        calibration = calibrate(model, *pooled(calibrating))
    minutes = (time.monotonic() - started) / 60
    options.out.mkdir(parents=True, exist_ok=True)
    save(model, options.out)
    trained = load_tagger(options.out)
    figures = {}
    for name, held in zip(parts, held_out, strict=True):
        figures[name] = figures_of(trained, held.whole, held.labels) | {
            "sha256": sets[name].sha256,
            "trained on": len(thirds[name][0]),
            "calibrated on": len(thirds[name][1]),
            "held out": len(thirds[name][2]),
        }
        if held.close is not None:
            figures[f"{name}, close"] = figures_of(trained, held.close, held.labels)
    names = ["epochs", "batch", "rate", "keep", "precision", "seed"]
    settings = {
        "started from": read_json(options.start / FIGURES)["training"] if options.start else None,
        **{name: getattr(options, name) for name in names},
        "student epochs": options.student_epochs if options.unlabelled else 0,
        "student rate": options.student_rate,
        "repeat": options.repeat,
        "trust": options.trust,
        "teachers beside it": len(options.teachers),
        "minutes": round(minutes, 1),
        "weights": model.count_params(),
    }
    report = {"sets": figures, "training": settings, "calibration": calibration}
    if unlabelled is not None:
        report["found on unlabelled"] = shares(trained, unlabelled)
        print("found on unlabelled:", report["found on unlabelled"])
    write_json(options.out / FIGURES, report)
    if options.sheet:
        for name, held in zip(parts, held_out, strict=True):
            draw_disagreements(trained, held, options.sheet.with_stem(options.sheet.stem + name))
        if unlabelled is not None:
            draw_found(trained, unlabelled, options.sheet)
    for name, found in figures.items():
        print(f"{name}: {summary(found)}")


# ---- data --------------------------------------------------------------------------------------


def split(dataset: PackedDataset) -> tuple[PackedDataset, PackedDataset, PackedDataset]:
    """Parts to train on, to calibrate on, and held out."""
    rest, held_out = dataset.split(HELD_OUT, seed=0)
    training, calibration = rest.split(CALIBRATION, seed=1)
    return training, calibration, held_out


@dataclass(frozen=True)
class Faces:
    """Pictures as the network sees them.

    Args:
        whole: `(n, 64, 64, 3)` uint8.
        close: the same, cut down to the face; None where they already are.
        labels: as `known_labels` has them.
    """

    whole: np.ndarray
    close: np.ndarray | None
    labels: np.ndarray

    @classmethod
    def of(cls, dataset: PackedDataset, shoulders: bool) -> Faces:
        pictures = dataset.images()
        whole = cut_out(pictures, (0.0, 0.0, 1.0, 1.0))
        close = cut_out(pictures, FACE) if shoulders else None
        return cls(whole, close, known_labels(dataset.labels(), dataset.schema))


def cut_out(pictures: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """The same part (left, top, right, bottom, in sides) of pictures of any size, at 64x64."""
    size = (tagger.SIZE, tagger.SIZE)
    if pictures.shape[1:3] == size and box == (0.0, 0.0, 1.0, 1.0):
        return pictures
    height, width = pictures.shape[1:3]
    box = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    lanczos = Image.Resampling.LANCZOS
    return np.stack([np.asarray(Image.fromarray(p).resize(size, lanczos, box)) for p in pictures])


def pooled(sets: list[Faces]) -> tuple[np.ndarray, np.ndarray]:
    """All pictures of all sets, whole and close, and their labels."""
    views = [(f.whole, f.labels) for f in sets]
    views += [(f.close, f.labels) for f in sets if f.close is not None]
    pictures, labels = zip(*views, strict=True)
    return np.concatenate(pictures), np.concatenate(labels)


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


# ---- what is to be learnt -----------------------------------------------------------------------


def targets_of(labels: np.ndarray) -> np.ndarray:
    """Labels with NaN to the targets of `tagger.loss`."""
    return np.where(np.isnan(labels), UNKNOWN, labels).astype(np.float32)


def taught(teachers: list[keras.Model], faces: Faces, trust: float) -> np.ndarray:
    """Targets: known labels, and the teachers' opinion of the same attributes where it counts."""
    return targets_of(trust * faces.labels + (1 - trust) * taught_by(teachers, faces.whole))


def taught_by(teachers: list[keras.Model], pictures: np.ndarray) -> np.ndarray:
    """Probabilities `(n, 34)`: flags as the first teacher says; colours the mean of all.

    A teacher alone looks at the mirror image too; of several, every second sees only that.
    """
    mirrored = pictures[:, :, ::-1]
    if len(teachers) == 1:
        views = [(teachers[0], pictures), (teachers[0], mirrored)]
    else:
        views = [(teacher, (pictures, mirrored)[i % 2]) for i, teacher in enumerate(teachers)]
    said = [probabilities_of(predict(*view), MAKEGIRLSMOE) for view in views]
    result = np.mean(said, axis=0)
    if len(teachers) > 1:
        for field in MAKEGIRLSMOE.fields:
            if field.kind == "flag":
                columns = MAKEGIRLSMOE.slices()[field.name]
                result[:, columns] = said[0][:, columns]
    return result


def predict(model: keras.Model, pictures: np.ndarray) -> np.ndarray:
    """Logits `(n, 34)` of `(n, 64, 64, 3)` uint8."""
    parts = [
        model(pictures[i : i + 256].astype(np.float32) / 127.5 - 1, training=False).numpy()
        for i in range(0, len(pictures), 256)
    ]
    return np.concatenate(parts)


def aligned(probabilities: np.ndarray) -> np.ndarray:
    """The same opinions, as sure of `ALIGNED` as makes their mean the frequency of the schema.

    The offset of the log-odds is found by bisection; its sign and size are the same for every
    picture, so that their order stays.
    """
    result = probabilities.copy()
    for name in ALIGNED:
        (wanted,) = MAKEGIRLSMOE.field(name).frequencies
        columns = MAKEGIRLSMOE.slices()[name]
        p = np.clip(probabilities[:, columns], 1e-9, 1 - 1e-9)
        odds = np.log(p / (1 - p))
        low, high = -30.0, 30.0
        for _ in range(60):
            middle = (low + high) / 2
            mean = (1 / (1 + np.exp(-odds - middle))).mean()
            low, high = (middle, high) if mean < wanted else (low, middle)
        result[:, columns] = 1 / (1 + np.exp(-odds - low))
    return result.astype(np.float32)


# ---- training ----------------------------------------------------------------------------------


def network(options) -> keras.Model:
    """A new network, or that of `--start`, which computes in `--precision`."""
    keras.mixed_precision.set_global_policy(options.precision)
    model = tagger.network(MAKEGIRLSMOE.size)
    if options.start:
        model.set_weights(load(options.start).get_weights())
    return model


def load(folder: Path) -> keras.Model:
    return keras.saving.load_model(folder / WEIGHTS, compile=False)


def train(
    model: keras.Model,
    sets: list[Faces],
    targets: list[np.ndarray],
    epochs: int,
    rate: float,
    options,
) -> keras.Model:
    """The running mean of the weights, in a network that computes in float32."""
    keras.mixed_precision.set_global_policy(options.precision)
    start, model = model, tagger.network(MAKEGIRLSMOE.size)
    model.set_weights(start.get_weights())
    if not epochs:
        return as_float32(model)
    whole = np.concatenate([faces.whole for faces in sets])
    close = np.concatenate([f.whole if f.close is None else f.close for f in sets])
    wanted = np.concatenate(targets)
    steps = len(whole) // options.batch * epochs
    warm = steps // 50 + 1
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 20, steps - warm, warmup_target=rate, warmup_steps=warm
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=0.02, use_ema=True, ema_momentum=0.995
    )
    model.compile(optimizer, loss=partial(tagger.loss, MAKEGIRLSMOE), jit_compile=False)
    random = np.random.default_rng(options.seed)

    def read(rows):
        nearer = random.random((len(rows), 1, 1, 1)) < CLOSE
        return wanted[rows], np.where(nearer, close[rows], whole[rows])

    def prepare(rows):
        y, x = tf.numpy_function(read, [rows], [tf.float32, tf.uint8])
        y = tf.ensure_shape(y, (options.batch, wanted.shape[1]))
        return augmented(tf.ensure_shape(x, (options.batch, *whole.shape[1:]))), y

    rows = tf.data.Dataset.range(len(whole)).shuffle(len(whole), seed=options.seed)
    batches = rows.batch(options.batch, drop_remainder=True).map(prepare).prefetch(4)
    model.fit(batches, epochs=epochs, verbose=2)
    return as_float32(model)


def mixed(first: keras.Model, second: keras.Model, share: float) -> list[np.ndarray]:
    """Means of the weights of a network and of what became of it (Wortsman et al. 2022).

    What the second learnt mostly stays, and so does more of what it forgot.
    """
    both = zip(first.get_weights(), second.get_weights(), strict=True)
    return [share * a + (1 - share) * b for a, b in both]


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
    logits = predict(model, pictures).astype(np.float64)
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


def figures_of(trained: Tagger, pictures: np.ndarray, labels: np.ndarray) -> dict:
    """Figures against the labels: top-1 of groups; precision, recall, accuracy of each column."""
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


def shares(trained: Tagger, pictures: np.ndarray) -> dict[str, float]:
    """In how many of the pictures each attribute is found."""
    found = trained.labels(pictures).mean(axis=0)
    return {c: round(float(v), 4) for c, v in zip(MAKEGIRLSMOE.columns, found, strict=True)}


def draw_disagreements(trained: Tagger, faces: Faces, path: Path) -> None:
    """Two rows for each flag: labelled so and not found, most certain first; then the reverse."""
    sure = trained.probabilities(faces.whole)
    rows = []
    for i in flag_columns():
        for wanted, doubt in ((1, 1 - sure[:, i]), (0, sure[:, i])):
            doubt = np.where(faces.labels[:, i] == wanted, doubt, -1)
            rows.append(faces.whole[np.argsort(-doubt)[:SHEET]])
            print(f"row {len(rows)}: {MAKEGIRLSMOE.columns[i]} labelled {wanted}")
    save_grid(path, np.concatenate(rows), columns=SHEET)


def draw_found(trained: Tagger, pictures: np.ndarray, path: Path) -> None:
    """A row for each flag: random pictures with it."""
    found, random, rows = trained.labels(pictures), np.random.default_rng(0), []
    for i in flag_columns():
        row = np.full((SHEET, *pictures.shape[1:]), 255, np.uint8)
        some = random.permutation(np.flatnonzero(found[:, i]))[:SHEET]
        row[: len(some)] = pictures[some]
        rows.append(row)
        print(f"row {len(rows)}: {MAKEGIRLSMOE.columns[i]}")
    save_grid(path, np.concatenate(rows), columns=SHEET)


def flag_columns() -> range:
    return range(MAKEGIRLSMOE.fields[0].size, MAKEGIRLSMOE.slices()["eyes"].start)


if __name__ == "__main__":
    main()
