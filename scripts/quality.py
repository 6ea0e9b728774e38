"""FID and KID of a run's generator, beside the same figures of real pictures against real ones.

    python scripts/quality.py RUN_OR_FOLDER --against PACKED --mobilenet FILE.tflite --n 1000

RUN_OR_FOLDER is a run (or saved model), or a folder of pictures of the set's size. PACKED is a
folder made by `tfanime prepare`. The floor compares two halves of PACKED that share no picture;
the first half is also what the generated pictures are compared with.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from tfanime.data import PackedDataset
from tfanime.metrics import extract, fid_from_features, kid_from_features, load_extractor
from tfanime.saved import DESCRIPTION


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="run, saved model or folder of pictures")
    parser.add_argument("--against", type=Path, required=True, help="packed dataset")
    parser.add_argument("--mobilenet", required=True, help="MobileNetV2 as a TFLite file")
    parser.add_argument("--n", type=int, default=1000, help="pictures of each set")
    parser.add_argument("--seed", type=int, default=0, help="of generation and choice")
    parser.add_argument("--resize", choices=("clean", "legacy"), default="clean")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    try:
        report = compare(options)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    protocol = ", ".join(f"{key} {value}" for key, value in report["protocol"].items())
    print(f"{'':12}{'FID':>9}{'KID':>10}")
    for name in ("floor", "generated"):
        print(f"{name:12}{report[name]['fid']:9.2f}{report[name]['kid']:10.4f}")
    print(protocol)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def compare(options) -> dict:
    """The figures and how they came about."""
    dataset = PackedDataset.open(options.against)
    if len(dataset) < 2 * options.n:
        raise ValueError(
            f"The floor needs two halves of {options.n} pictures. "
            f"Received: a set of {len(dataset)}. Use --n {len(dataset) // 2}."
        )
    extractor = load_extractor(f"mobilenet:{options.mobilenet}")
    chosen = np.random.default_rng(options.seed).permutation(len(dataset))[: 2 * options.n]
    real, other = (
        extract(dataset.images(half), extractor, options.resize, progress=True)
        for half in np.split(chosen, 2)
    )
    fake = extract(drawn(options, dataset), extractor, options.resize, progress=True)
    return {
        "floor": figures(real, other),
        "generated": figures(real, fake),
        "protocol": {
            "extractor": extractor.name,
            "layer": extractor.layer,
            "resize": options.resize,
            "n": options.n,
            "seed": options.seed,
            "against": dataset.sha256[:12],
        },
    }


def drawn(options, dataset: PackedDataset) -> np.ndarray:
    """`(n, H, W, 3)` uint8: of the generator, or of the files in the folder."""
    if (options.run / DESCRIPTION).exists():
        import tfanime

        return tfanime.generate(options.run, options.n, options.seed, progress=True).images
    from tfanime.images import fit, read_image

    endings = {".png", ".jpg", ".jpeg", ".webp"}
    files = sorted(f for f in options.run.rglob("*") if f.suffix.lower() in endings)
    if len(files) < options.n:
        raise ValueError(
            f"A run, or a folder with at least {options.n} pictures, is needed. "
            f"Received: {options.run} with {len(files)}."
        )
    shape = dataset.height, dataset.width
    return np.stack([np.asarray(fit(read_image(file), *shape)) for file in files[: options.n]])


def figures(real: np.ndarray, fake: np.ndarray) -> dict:
    return {"fid": fid_from_features(real, fake), "kid": kid_from_features(real, fake).mean}


if __name__ == "__main__":
    main()
