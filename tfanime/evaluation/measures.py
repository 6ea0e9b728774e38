"""The metrics by name. Each takes the workbench and gives figures, with the floor beside them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tfanime.evaluation.report import Figure
from tfanime.evaluation.workbench import NotApplicable, Workbench
from tfanime.metrics import (
    extract,
    fid_between,
    fid_from_features,
    gan_train_test,
    inception_score_by_label,
    inception_score_from_posteriors,
    kid_from_features,
    load_classifier,
    mean_feature_distance,
    mean_ms_ssim,
    nearest_neighbour_accuracy,
    nearest_neighbour_accuracy_by_label,
    nearest_training,
    posteriors_from_output,
    prdc_from_features,
)

MOST_PIXELS = 5000  # images of each kind for 1-NN, whose time grows with their square
PROBES = 256  # generated images whose nearest training images are looked up
FEWEST = 20  # images of a class, below which it has no figure of its own
COPY = 100.0  # dB, written for a PSNR that is infinite: JSON has no infinity
SPLITS = 10


def fid(bench: Workbench) -> list[Figure]:
    real = bench.real_statistics_of(0)
    values = [fid_between(real, bench.statistics(0))]
    values += [
        fid_between(bench.real_statistics_of(draw), bench.statistics(draw))
        for draw in range(1, bench.settings.draws)
    ]
    floor = fid_between(real, bench.other_statistics)
    protocol = feature_protocol(bench) | {"features": len(real.mean)}
    return [_over_draws("fid", values, floor, "lower", protocol)]


def kid(bench: Workbench) -> list[Figure]:
    distances = [
        kid_from_features(
            bench.real_features_of(draw), bench.features(draw), seed=bench.settings.seed
        )
        for draw in range(bench.settings.draws)
    ]
    floor = kid_from_features(
        bench.real_features, bench.other_features, seed=bench.settings.seed
    ).mean
    protocol = feature_protocol(bench) | {
        "subsets": distances[0].subsets,
        "subset size": distances[0].subset_size,
    }
    values = [one.mean for one in distances]
    deviation = distances[0].std
    details = {} if deviation is None else {"std over subsets": deviation}
    return [_over_draws("kid", values, floor, "lower", protocol, details)]


def prdc(bench: Workbench) -> list[Figure]:
    values = prdc_from_features(bench.real_features, bench.features())
    floor = prdc_from_features(bench.real_features, bench.other_features)
    protocol = feature_protocol(bench) | {"neighbours": values.neighbours}
    return [
        Figure(name, getattr(values, name), getattr(floor, name), "higher", protocol)
        for name in ("precision", "recall", "density", "coverage")
    ]


def inception_score(bench: Workbench) -> list[Figure]:
    pictures, _ = bench.drawn()
    name, posteriors = _classifier(bench)
    of_fake, of_real = posteriors(pictures), posteriors(bench.real_pictures)
    splits = min(SPLITS, len(of_fake), len(of_real))
    score, floor = (inception_score_from_posteriors(x, splits) for x in (of_fake, of_real))
    protocol = common_protocol(bench) | {"classifier": name, "splits": splits}
    protocol |= bench.stand_in(bench.settings.classifier)
    details: dict = {"std over splits": score.std}
    if bench.settings.label is not None:
        sets = {
            "generated": (of_fake, bench.fake_classes()),
            "real": (of_real, bench.real_classes(bench.real)),
        }
        details |= _scores_by_label(sets, bench.classes)
    return [Figure("inception score", score.mean, floor.mean, "higher", protocol, details=details)]


def _scores_by_label(sets: dict[str, tuple], names: tuple[str, ...]) -> dict:
    """Of labels with images enough in all sets; over as many images each, to be compared."""
    counts = [np.bincount(y[y >= 0], minlength=len(names)) for _, y in sets.values()]
    least = np.min(counts, axis=0)
    labels = np.flatnonzero(least >= FEWEST)
    if not len(labels):
        return {}
    size = int(least[labels].min())
    by_label = {}
    for kind, (posteriors, classes) in sets.items():
        rows = np.isin(classes, labels)
        scores = inception_score_by_label(posteriors[rows], classes[rows], size)
        by_label[kind] = {names[i]: score.mean for i, score in scores.items()}
    return {"by label": by_label, "by label, pictures of a score": size}


def one_nn(bench: Workbench) -> list[Figure]:
    pictures, _ = bench.drawn()
    n = min(MOST_PIXELS, len(pictures), bench.other_n)
    real, other = bench.real_pictures[:n], bench.other_pictures[:n]
    accuracy = nearest_neighbour_accuracy(real, pictures[:n])
    floor = nearest_neighbour_accuracy(real, other)
    details: dict = {"real": accuracy.real_accuracy, "generated": accuracy.fake_accuracy}
    if bench.settings.label is not None:
        of_real, of_fake = bench.real_classes(bench.real), bench.fake_classes()
        by_label = nearest_neighbour_accuracy_by_label(
            bench.real_pictures[of_real >= 0],
            pictures[of_fake >= 0],
            of_real[of_real >= 0],
            of_fake[of_fake >= 0],
        )
        details["by label"] = {
            bench.classes[i]: {"accuracy": one.accuracy, "count": one.count, "reading": one.reading}
            for i, one in by_label.items()
            if one.count >= FEWEST
        }
    protocol = common_protocol(bench) | {"distance": "PSNR of the pixels", "counts": f"{n} + {n}"}
    return [
        Figure(
            "1-nn",
            accuracy.accuracy,
            floor.accuracy,
            "half",
            protocol,
            reading=accuracy.reading,
            details=details,
        )
    ]


def diversity(bench: Workbench) -> list[Figure]:
    pictures, _ = bench.drawn()
    pixels = common_protocol(bench) | {"pairs": "1000 random pairs"}
    figures = []
    if min(pictures.shape[1:3]) >= 11:
        value, real = (
            mean_ms_ssim(x, seed=bench.settings.seed) for x in (pictures, bench.real_pictures)
        )
        reading = "the images are more alike than real ones" if value > real + 0.1 else ""
        figures.append(Figure("ms-ssim", value, real, "floor", pixels, reading=reading))
    value, real = (mean_feature_distance(x) for x in (bench.features(), bench.real_features))
    reading = "the images differ less than real ones do" if value < 0.8 * real else ""
    figures.append(
        Figure("feature distance", value, real, "floor", feature_protocol(bench), reading=reading)
    )
    return figures


def neighbours(bench: Workbench) -> list[Figure]:
    """Memorisation: is the nearest training image nearer than for real images held out?"""
    pictures, _ = bench.drawn()
    probes, held_out = pictures[:PROBES], bench.other_pictures[:PROBES]
    value, floor = _nearest_psnr(bench, probes), _nearest_psnr(bench, held_out)
    in_features, floor_in_features = (
        float(np.median(nearest_training(x[:PROBES], bench.real_features)[1]))
        for x in (bench.features(), bench.other_features)
    )
    among = len(bench.data) - len(bench.other)
    common = {"probes": len(probes), "among": f"{bench.settings.real_n} real images"}
    reading = "nearer to training images than real ones are: look at the sheet for copies"
    return [
        Figure(
            "nearest psnr",
            value,
            floor,
            "floor",
            common_protocol(bench)
            | common
            | {"among": f"{among} real images", "distance": "PSNR of the pixels, median, dB"},
            reading=reading if value > floor + 3 else "no sign of copies",
        ),
        Figure(
            "nearest feature distance",
            in_features,
            floor_in_features,
            "floor",
            feature_protocol(bench) | common | {"distance": "Euclidean, median"},
            reading=reading if in_features < 0.5 * floor_in_features else "no sign of copies",
        ),
    ]


def _nearest_psnr(bench: Workbench, pictures: np.ndarray) -> float:
    """Median over the images of the PSNR with the nearest training image, at most `COPY` dB."""
    nearest = np.zeros(len(pictures))
    for part in bench.training_chunks():
        nearest = np.maximum(nearest, nearest_training(pictures, part)[1][:, 0])
    return float(np.median(np.minimum(nearest, COPY)))


def train_test(bench: Workbench) -> list[Figure]:
    bench = bench.for_gan_train_test
    real = bench.real_features, bench.real_classes(bench.real)
    held_out = bench.other_features, bench.real_classes(bench.other)
    fake = bench.features(), bench.fake_classes()
    sets = [(x[y >= 0], y[y >= 0]) for x, y in (real, held_out, fake)]
    if min(len(y) for _, y in sets) < FEWEST:
        raise NotApplicable(f"it needs {FEWEST} images with a known {bench.settings.label!r}")
    accuracies = gan_train_test(*sets, bench.classes)
    protocol = feature_protocol(bench) | {
        "label": bench.settings.label,
        "classes": len(accuracies.classes),
        "counts": f"{accuracies.count} each",
        "chance": f"{accuracies.chance:.3f} of real ones, "
        f"{accuracies.fake_chance:.3f} of generated ones",
        "head": "softmax over frozen features",
    }
    details = {
        "chance": accuracies.chance,
        "chance of generated ones": accuracies.fake_chance,
        "classes": list(accuracies.classes),
    }
    return [
        Figure(
            name,
            value,
            accuracies.real,
            "floor",
            protocol,
            reading=accuracies.reading,
            details=details,
            count=accuracies.count,
        )
        for name, value in (("gan-train", accuracies.gan_train), ("gan-test", accuracies.gan_test))
    ]


def between_labels(bench: Workbench) -> list[Figure]:
    """FID between the two commonest classes (the poster study's); the floor is of real ones."""
    real, fake = bench.real_classes(bench.real), bench.fake_classes()
    counts = [np.bincount(x[x >= 0], minlength=len(bench.classes)) for x in (real, fake)]
    first, second = np.argsort(-np.minimum(*counts), kind="stable")[:2]
    if min(c[second] for c in counts) < FEWEST:
        raise NotApplicable(f"it needs {FEWEST} images of two classes")
    distance, floor = (
        fid_from_features(features[classes == first], features[classes == second])
        for features, classes in ((bench.features(), fake), (bench.real_features, real))
    )
    names = bench.classes[first], bench.classes[second]
    protocol = feature_protocol(bench) | {
        "counts": f"{counts[1][first]} + {counts[1][second]} generated, "
        f"{counts[0][first]} + {counts[0][second]} real",
        "between": f"{names[0]} and {names[1]} of {bench.settings.label}",
    }
    protocol["features"] = bench.real_features.shape[1]
    count = int(min(c[second] for c in counts))
    return [Figure("fid between labels", distance, floor, "floor", protocol, count=count)]


# ---- protocols ---------------------------------------------------------------------------------


def common_protocol(bench: Workbench) -> dict:
    """What every figure was measured with."""
    settings = bench.settings
    return {
        "subject": ", ".join(f"{key} {value}" for key, value in bench.subject.described.items()),
        "real set": bench.data.sha256,
        "counts": f"{settings.n} generated, {settings.real_n} real, {bench.other_n} other real",
        "draws": settings.draws,
        "seed": settings.seed,
    } | ({"labels": bench.labels_from} if bench.labels_from else {})


def feature_protocol(bench: Workbench) -> dict:
    """The same, with where the features come from."""
    return (
        common_protocol(bench)
        | {
            "extractor": bench.extractor.name,
            "layer": bench.extractor.layer,
            "network": bench.extractor.identity,
            "resize": bench.settings.resize,
        }
        | bench.stand_in(bench.settings.extractor)
    )


def _over_draws(name, values, floor, better, protocol, details=None) -> Figure:
    spread = max(values) - min(values) if len(values) > 1 else None
    details = {**(details or {}), **({"draws": values} if len(values) > 1 else {})}
    mean = float(np.mean(values))
    return Figure(name, mean, float(floor), better, protocol, spread, details=details)


# ---- classifiers -------------------------------------------------------------------------------


def _classifier(bench: Workbench) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    """A name, and a function from images to class posteriors."""
    spec = bench.settings.classifier
    if spec.partition(":")[0] == "tagger":
        field = spec.partition(":")[2] or "hair"
        columns = bench.tagger.schema.slices()[bench.tagger.schema.field(field).name]

        def posteriors(pictures: np.ndarray) -> np.ndarray:
            probabilities = bench.tagger.probabilities(pictures, bench.settings.progress)[
                :, columns
            ]
            if probabilities.shape[1] == 1:  # a flag, which is there or not
                return np.concatenate([1 - probabilities, probabilities], axis=1)
            return probabilities / probabilities.sum(axis=1, keepdims=True)

        return f"{bench.tagger.name}, {field}", posteriors
    network = bench.loaded(spec, load_classifier)

    def from_output(pictures: np.ndarray) -> np.ndarray:
        return posteriors_from_output(
            extract(pictures, network, bench.settings.resize, bench.settings.progress)
        )

    return f"{network.name}, {network.layer}", from_output
