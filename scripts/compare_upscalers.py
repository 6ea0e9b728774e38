"""A trained upscaler beside nearest, bicubic and Lanczos enlargement: PSNR, SSIM, perception.

    python scripts/compare_upscalers.py RUN --against PACKED --mobilenet FILE.tflite --out DIR

PACKED is a folder made by `tfanime prepare` of pictures that RUN has not been trained on. They are
made small as in training, once cleanly and once made worse, enlarged, and compared with what they
were: PSNR and SSIM (higher is closer), and with --mobilenet the mean Euclidean distance of the
pooled MobileNetV2 features of each pair (lower is closer). Figures are means over pictures. --out
gets the table as table.md and a sheet of eight pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime.data import PackedDataset
from tfanime.files import write_text
from tfanime.images import grid, save_image
from tfanime.metrics import extract, load_extractor
from tfanime.metrics.diversity import ssim
from tfanime.metrics.nearest_neighbour import psnr
from tfanime.saved import load_upscaler
from tfanime.upscaling import reduced, upscale

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
INPUTS = {"clean": 0.0, "worse": 1.0}
SHOWN = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="run of an upscaler")
    parser.add_argument("--against", type=Path, required=True, help="packed dataset")
    parser.add_argument("--mobilenet", help="MobileNetV2 as a TFLite file")
    parser.add_argument("--n", type=int, default=500, help="pictures to compare")
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
    expected = extract(real, extractor) if extractor else None
    rows, shown = [], [real[:SHOWN]]
    for name, share in INPUTS.items():
        small = reduced(real, factor, share, options.seed)
        enlarged = {kind: resized(small, factor, kind) for kind in FILTERS}
        enlarged[upscaler.name] = upscale(small, upscaler, progress=True)
        for kind, pictures in enlarged.items():
            errors = np.square(pictures.astype(np.float64) - real).mean(axis=(1, 2, 3))
            figures = [f"{psnr(errors).mean():.2f}", f"{ssim(pictures, real).mean():.4f}"]
            if extractor:
                apart = np.linalg.norm(extract(pictures, extractor) - expected, axis=1)
                figures.append(f"{apart.mean():.3f}")
            rows.append([name, kind, *figures])
        shown += [enlarged[kind][:SHOWN] for kind in ("nearest", "bicubic", upscaler.name)]
    columns = ["input", "enlarged by", "PSNR", "SSIM", "feature distance"]
    columns = columns[: len(rows[0])]
    lines = [columns, ["---"] * len(columns), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(table)
    print(f"{len(real)} pictures of {options.against} ({dataset.sha256[:12]}), factor {factor}")
    if options.out:
        write_text(options.out / "table.md", table + "\n")
        save_image(options.out / "sheet.png", grid(np.concatenate(shown), columns=len(shown[0])))


def resized(small: np.ndarray, factor: int, kind: str) -> np.ndarray:
    size = (factor * small.shape[2], factor * small.shape[1])
    return np.stack([np.asarray(Image.fromarray(x).resize(size, FILTERS[kind])) for x in small])


if __name__ == "__main__":
    main()
