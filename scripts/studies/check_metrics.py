"""Do the metrics rank what they must? Real images, damaged ones, other ones, on one protocol.

    python scripts/studies/check_metrics.py --real PACKED --other PACKED --n 1000 --out DIR \\
        [--extractor tagger --extractor mobilenet:FILE.tflite]

Two parts of the real set that share no image are drawn at random. One stands for the real
images; what is compared with it: the other (the floor), that other with a little and with much
noise, blurred, as JPEG of quality 10, one of its images repeated, and another set. Writes
`check.md` and `check.json`.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from tfanime.core.files import write_json, write_text
from tfanime.data import PackedDataset
from tfanime.evaluation import evaluate

METRICS = ("fid", "kid", "prdc", "1nn", "diversity")
COLUMNS = {
    "fid": "FID",
    "kid": "KID",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "1-nn": "1-NN",
    "ms-ssim": "MS-SSIM",
}


def noisy(sigma: float):
    def damage(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return np.clip(np.rint(picture + random.normal(0, sigma, picture.shape)), 0, 255)

    return damage


def blurred(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(2)))


def jpeg(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=10)
    return np.asarray(Image.open(stream))


DAMAGES = {
    "noise, sigma 10 of 255": noisy(10),
    "noise, sigma 40 of 255": noisy(40),
    "blur, radius 2": blurred,
    "JPEG, quality 10": jpeg,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, required=True, help="packed set")
    parser.add_argument("--other", type=Path, help="another packed set, of the same size")
    parser.add_argument("--n", type=int, default=1000, help="images of each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--extractor", action="append", help="may be repeated; default tagger")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    data = PackedDataset.open(options.real)
    subjects = subjects_of(data, options)
    text, stored = [], {}
    for extractor in options.extractor or ["tagger"]:
        rows = {}
        for name, subject in subjects.items():
            report = evaluate(
                subject,
                data,
                METRICS,
                extractor=extractor,
                n=options.n,
                seed=options.seed,
                progress=True,
            )
            values = {figure.name: figure for figure in report.figures}
            rows["other real pictures"] = {key: values[key].floor for key in COLUMNS}
            rows[name] = {key: values[key].value for key in COLUMNS}
        label = extractor.partition(":")[0]
        stored[label] = {"rows": rows, "protocol": dict(report["kid"].protocol)}
        text += [f"\n{label}\n", *table(rows)]
    write_json(options.out / "check.json", stored)
    write_text(options.out / "check.md", "\n".join(text) + "\n")
    print("\n".join(text))


def subjects_of(data: PackedDataset, options) -> dict[str, PackedDataset]:
    """Datasets by name. The damaged images are none of those that they are compared with."""
    from tfanime import from_arrays

    half = options.n / len(data)
    rest, _ = data.split(half, options.seed)  # what `evaluate` takes as real
    pictures = rest.split(options.n / len(rest), options.seed)[1].images()
    random = np.random.default_rng(options.seed)
    subjects = {
        name: from_arrays(np.stack([damage(p, random).astype(np.uint8) for p in pictures]))
        for name, damage in DAMAGES.items()
    }
    subjects["one picture, repeated"] = from_arrays(np.repeat(pictures[:1], options.n, axis=0))
    if options.other:
        subjects[options.other.name] = PackedDataset.open(options.other)
    return subjects


def table(rows: dict[str, dict[str, float]]) -> list[str]:
    lines = ["| compared with real pictures | " + " | ".join(COLUMNS.values()) + " |"]
    lines.append("|---|" + "---|" * len(COLUMNS))
    for name, values in rows.items():
        cells = [f"{values[key]:.4g}" for key in COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
