"""A trained upscaler beside nearest, bicubic and Lanczos enlargement: PSNR, SSIM, perception.

    python scripts/studies/compare_upscalers.py RUN --against PACKED \\
        --mobilenet FILE.tflite --out DIR

PACKED is a folder made by `tfanime prepare` of images that RUN has not been trained on. They are
made small as in training, once cleanly and once made worse, enlarged, and compared with what they
were: PSNR and SSIM (higher is closer), with --perceptual how far apart EfficientNet-Lite0 sees
them (`frozen.lite0.perceptual`), and with --mobilenet the mean Euclidean distance of the pooled
MobileNetV2 features of each pair (lower is closer). Figures are means over images. --out gets the
table as table.md and a sheet of eight images.

Other programs are compared through files: --small DIR writes the small images, DIR/clean/ and
DIR/worse/; --beside NAME=DIR reads what a program made of them, in folders and files of the same
names.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime import zoo
from tfanime.core.decode import read_image
from tfanime.core.files import read_json, write_text
from tfanime.core.images import grid, save_image, to_float
from tfanime.data import PackedDataset
from tfanime.metrics import extract, load_extractor
from tfanime.metrics.diversity import ssim
from tfanime.metrics.nearest_neighbour import psnr
from tfanime.sampling.upscale import reduced, upscale
from tfanime.zoo.saved import load_upscaler

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
INPUTS = {"clean": 0.0, "worse": 1.0}
PERCEPTUAL = "perceptual distance"
FORMS = {"PSNR": "{:.2f}", "SSIM": "{:.4f}", PERCEPTUAL: "{:.4f}", "feature distance": "{:.3f}"}
SHOWN = 8
CHUNK = 16  # images that a network looks at at a time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="run of an upscaler")
    parser.add_argument("--against", type=Path, required=True, help="packed dataset")
    parser.add_argument("--mobilenet", help="MobileNetV2 as a TFLite file")
    parser.add_argument("--perceptual", action="store_true", help="needs the extra features")
    parser.add_argument("--small", type=Path, metavar="DIR", help="write the small images")
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--n", type=int, default=500, help="images to compare")
    parser.add_argument("--seed", type=int, default=0, help="of choice and degradation")
    parser.add_argument("--out", type=Path, help="folder for table.md and sheet.png")
    options = parser.parse_args()
    try:
        compare(options)
    except (ValueError, OSError) as error:
        parser.error(str(error))


def compare(options) -> None:
    upscaler = load_upscaler(options.run)
    dataset = PackedDataset.open(options.against)
    factor = upscaler.factor
    if dataset.height % factor or dataset.width % factor:
        raise ValueError(
            f"Both sides of the pictures must be multiples of {factor}. "
            f"Received: {dataset.width}x{dataset.height}."
        )
    chosen = np.random.default_rng(options.seed).permutation(len(dataset))[: options.n]
    real = dataset.images(np.sort(chosen))
    extractor = load_extractor(f"mobilenet:{options.mobilenet}") if options.mobilenet else None
    faults = faults_of(options.run)
    if options.small:
        for name, share in INPUTS.items():
            for i, one in enumerate(reduced(real, factor, share, options.seed, **faults)):
                save_image(options.small / name / f"{i:06d}.png", one)
    beside = dict(pair.split("=", 1) for pair in options.beside)
    rows = measure(
        upscaler,
        real,
        extractor,
        options.seed,
        progress=True,
        faults=faults,
        distance=perceptual_distance(*real.shape[1:3]) if options.perceptual else None,
        beside=beside,
    )
    columns = list(rows[0])
    cells = [[FORMS.get(name, "{}").format(value) for name, value in row.items()] for row in rows]
    lines = [columns, ["---"] * len(columns), *cells]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(table)
    print(f"{len(real)} pictures of {options.against} ({dataset.sha256[:12]}), factor {factor}")
    if options.out:
        write_text(options.out / "table.md", table + "\n")
        save_image(options.out / "sheet.png", sheet(upscaler, real[:SHOWN], options.seed, faults))


def faults_of(run: Path) -> dict[str, float]:
    """How the small images were made worse that a run has seen, as `reduced` takes it."""
    file = zoo.locate(run) / "config.json"
    config = read_json(file)["config"] if file.is_file() else {}
    return {name: config.get(name, 0.0) for name in ("wobble", "sharpened")}


def perceptual_distance(height: int, width: int):
    """A function of two `(n, H, W, 3)` uint8, the mean distance of pairs (Zhang et al. 2018)."""
    from tfanime.frozen.lite0 import perceptual

    network = perceptual(height, width)

    def maps(pictures):
        return [np.asarray(found) for found in network(to_float(pictures), training=False)]

    def distance(pictures: np.ndarray, real: np.ndarray) -> float:
        found = []
        for start in range(0, len(real), CHUNK):
            pairs = zip(*(maps(x[start : start + CHUNK]) for x in (pictures, real)), strict=True)
            # The maps are scaled so that the mean over features is that of whole vectors.
            apart = [np.square(one - two).mean(axis=(1, 2, 3)) for one, two in pairs]
            found.append(np.mean(apart, axis=0))
        return float(np.concatenate(found).mean())

    return distance


def measure(
    upscaler,
    real: np.ndarray,
    extractor=None,
    seed: int = 0,
    progress: bool = False,
    faults: Mapping[str, float] | None = None,
    distance=None,
    beside: Mapping[str, str] | None = None,
) -> list[dict]:
    """A row for every kind of small image and way to enlarge it.

    Args:
        upscaler: a loaded one.
        real: `(n, H, W, 3)` uint8, what the enlarged images should be.
        extractor: adds the distance of its features.
        seed: of how the small images are made worse.
        progress: show a progress bar.
        faults: how, as `reduced` takes it.
        distance: adds it; see `perceptual_distance`.
        beside: other ways to enlarge, and the folders with what they made.

    Returns:
        Rows from the names of columns to words and means over the images.
    """
    expected = extract(real, extractor) if extractor else None
    rows = []
    for name, share in INPUTS.items():
        ways = enlargements(upscaler, real, share, seed, progress, faults)
        for other, folder in (beside or {}).items():
            files = sorted((Path(folder) / name).glob("*.png"))[: len(real)]
            ways[other] = np.stack([np.asarray(read_image(file).convert("RGB")) for file in files])
        for kind, pictures in ways.items():
            errors = np.square(pictures.astype(np.float64) - real).mean(axis=(1, 2, 3))
            row = {"input": name, "enlarged by": kind, "PSNR": float(psnr(errors).mean())}
            row["SSIM"] = float(ssim(pictures, real).mean())
            if distance:
                row[PERCEPTUAL] = distance(pictures, real)
            if extractor:
                apart = np.linalg.norm(extract(pictures, extractor) - expected, axis=1)
                row["feature distance"] = float(apart.mean())
            rows.append(row)
    return rows


def sheet(
    upscaler, pictures: np.ndarray, seed: int = 0, faults: Mapping[str, float] | None = None
) -> np.ndarray:
    """`(h, w, 3)` uint8, a column an image: the image, then for every kind of small image what
    nearest, bicubic and the upscaler make of it."""
    lines = [pictures]
    for share in INPUTS.values():
        enlarged = enlargements(upscaler, pictures, share, seed, faults=faults)
        lines += [enlarged[kind] for kind in ("nearest", "bicubic", upscaler.name)]
    return grid(np.concatenate(lines), columns=len(pictures))


def enlargements(
    upscaler, pictures, share: float, seed: int, progress: bool = False, faults=None
) -> dict:
    """Way to enlarge -> `(n, H, W, 3)` uint8, from images made small, a share of them worse."""
    small = reduced(pictures, upscaler.factor, share, seed, **(faults or {}))
    plain = {kind: resized(small, upscaler.factor, kind) for kind in FILTERS}
    return {**plain, upscaler.name: upscale(small, upscaler, progress=progress)}


def resized(small: np.ndarray, factor: int, kind: str) -> np.ndarray:
    size = (factor * small.shape[2], factor * small.shape[1])
    return np.stack([np.asarray(Image.fromarray(x).resize(size, FILTERS[kind])) for x in small])


if __name__ == "__main__":
    main()
