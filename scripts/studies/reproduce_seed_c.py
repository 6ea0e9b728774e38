"""Seed C, the Stanford study: DCGAN, DCGAN + SN and WGAN, and what it learnt of SRGAN.

    python scripts/studies/reproduce_seed_c.py --compared compare/ --faces SMALL --large LARGE \\
        --mobilenet FILE.tflite --steps 3000 --out DIR

compare/ is what `compare_recipes.py` wrote. SMALL are packed faces of 32x32, on which two
upscalers are trained in DIR, both for --steps: one on clean small images, one with half of them
made worse; LARGE are such faces of 64x64. A trained run may take the place of either: --clean RUN,
--worse RUN. Both are judged on faces that neither has seen, and on what `dcgan` drew, enlarged to
64x64 and compared with LARGE.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import compare_upscalers
import numpy as np
from reproduction import Notebook, call, larger, number, parser, rows_of, table

import tfanime
from tfanime import recipes
from tfanime.core.files import read_json
from tfanime.data import PackedDataset
from tfanime.metrics import extract, fid_from_features, kid_from_features, load_extractor
from tfanime.sampling.upscale import upscale
from tfanime.training import checkpoint, log
from tfanime.zoo.saved import load_upscaler

# What the study says, of images judged by eye.
REPORTED = {
    "dcgan": "15 % good, 14 % broken",
    "dcgan-sn": "diverse at 30 epochs, then monotonous",
    "wgan": "40 % good, its best",
}
SHARES = {"clean": 0.0, "worse": 0.5}  # of small images made worse in training
HELD_OUT = 0.05
SHOWN = 16
FEATURES = 1280  # of MobileNetV2


def main() -> None:
    made = parser(__doc__, "runs/reproduction/c")
    made.add_argument("--compared", type=Path, required=True, help="folder of compare_recipes.py")
    made.add_argument("--faces", type=Path, help="packed small faces, for the upscalers")
    made.add_argument("--large", type=Path, help="packed faces, twice as large")
    made.add_argument("--steps", type=int, default=3000, help="of training, an upscaler")
    made.add_argument("--clean", type=Path, help="run of an upscaler, instead of training one")
    made.add_argument("--worse", type=Path, help="the same, trained on worse images too")
    made.add_argument("--precision", default="mixed_bfloat16")
    made.add_argument("--n", type=int, default=300, help="images a figure")
    call(made, reproduce)


def reproduce(options: argparse.Namespace) -> None:
    book = Notebook("c", options.out, options.report)
    compared(book, options.compared)
    if options.faces and options.large:
        upscalers(book, options)
    book.write()


# ---- the three networks ------------------------------------------------------------------------


def compared(book: Notebook, folder: Path) -> None:
    results = read_json(folder / "results.json")
    rows, sheet = [], []
    for recipe, said in REPORTED.items():
        run = folder / f"{recipe}_faces"
        if run.name not in results:
            raise ValueError(
                "--compared is a folder of compare_recipes.py with dcgan, dcgan-sn and "
                f"wgan. Received: {str(folder)!r}, without {recipe}."
            )
        found = results[run.name]
        last = log.read(run)[-1]
        rows.append(
            [
                f"`{recipe}`",
                said,
                int(found["images"]),
                found["step"],
                found["generated"]["fid"],
                found["generated"]["kid"],
                float(last["diversity"]),
                float(last["g_grad_norm"]),
                found["warnings"],
            ]
        )
        sheet.append(tfanime.generate(run, n=SHOWN, seed=0).images)
    floor = results["dcgan_faces"]["floor"]
    columns = ["recipe", "the study", "pictures seen", "steps", "FID", "KID", "spread, by real"]
    columns += ["generator's gradient", "warnings"]
    book.block(
        "networks",
        table(columns, rows),
        "",
        f"MobileNetV2's features; real against real: FID {number(floor['fid'])}, "
        f"KID {floor['kid']:.3f}. Spread and gradient: last row of the log.",
        "",
        book.picture("networks", rows_of([larger(one) for one in sheet]), "rows"),
    )


# ---- the lesson of SRGAN -----------------------------------------------------------------------


def upscalers(book: Notebook, options: argparse.Namespace) -> None:
    train, held_out = PackedDataset.open(options.faces).split(HELD_OUT)
    runs = {kind: trained(kind, train, options) for kind in SHARES}
    loaded = {kind: load_upscaler(run) for kind, run in runs.items()}
    stamps = [checkpoint.checkpoints(run)[-1].name for run in runs.values()]
    real = held_out.images(np.arange(min(options.n, len(held_out))))
    rows = []
    for kind, upscaler in loaded.items():
        made = book.once(
            f"held out, {kind}",
            lambda upscaler=upscaler: compare_upscalers.measure(upscaler, real),
            *stamps,
            held_out.sha256,
        )
        for row in made:
            plain = row["enlarged by"] in compare_upscalers.FILTERS
            if not plain or kind == "clean" and row["enlarged by"] != "nearest":
                by = row["enlarged by"] if plain else f"trained on {kind} pictures"
                rows.append([row["input"], by, row["PSNR"], f"{row['SSIM']:.3f}"])
    rows.sort(key=lambda row: row[0])
    steps = {
        kind: read_json(checkpoint.checkpoints(run)[-1] / "meta.json") for kind, run in runs.items()
    }
    told = ", ".join(
        f"{kind}: {one['step']:,} steps, {one['seconds'] / 60:.0f} minutes"
        for kind, one in steps.items()
    )
    told = f"{len(real):,} pictures. {told}."
    lines = [table(["small pictures", "enlarged by", "PSNR", "SSIM"], rows), "", told, ""]
    drawn = tfanime.generate(options.compared / "dcgan_faces", n=options.n, seed=1).images
    if options.mobilenet:
        found = book.once(
            "drawn",
            lambda: of_drawn(drawn, loaded, options.large, f"mobilenet:{options.mobilenet}"),
            *stamps,
            checkpoint.checkpoints(options.compared / "dcgan_faces")[-1].name,
        )
        rows = [[kind, *pair] for kind, pair in found.items()]
        lines += [table(["drawn pictures, enlarged by", "FID", "KID"], rows), ""]
        few = ", fewer than features: FID reads high" if options.n < FEATURES else ""
        lines += [f"On MobileNetV2's features, {options.n:,} pictures each{few}.", ""]
    few = drawn[:SHOWN]
    shown = [
        compare_upscalers.resized(few, 2, "nearest"),
        compare_upscalers.resized(few, 2, "bicubic"),
    ]
    shown += [upscale(few, upscaler) for upscaler in loaded.values()]
    lines.append(
        book.picture("upscaled", rows_of(shown), "nearest, bicubic, trained on clean, on worse")
    )
    book.block("upscalers", *lines)


def trained(kind: str, train: PackedDataset, options: argparse.Namespace) -> Path:
    given = getattr(options, kind)
    if given is not None:
        return given
    run = options.out / f"upscaler-{kind}"
    config = recipes.get("srgan").override(
        degraded=SHARES[kind],
        precision=options.precision,
        image_size=(train.height, train.width),
        lr_decay_steps=options.steps,
    )
    tfanime.train(config, train, out=run, steps=options.steps)
    return run


def of_drawn(drawn: np.ndarray, loaded: dict, large: Path, extractor: str) -> dict:
    """FID and KID of enlarged drawn images against real ones of the large size."""
    network = load_extractor(extractor)
    dataset = PackedDataset.open(large)
    chosen = np.random.default_rng(0).permutation(len(dataset))[: 2 * len(drawn)]
    real, other = (
        extract(dataset.images(np.sort(part)), network)
        for part in (chosen[: len(drawn)], chosen[len(drawn) :])
    )
    kinds = {
        "bicubic": compare_upscalers.resized(drawn, 2, "bicubic"),
        **{f"trained on {kind}": upscale(drawn, upscaler) for kind, upscaler in loaded.items()},
    }
    found = {"(real against real)": other, **{k: extract(x, network) for k, x in kinds.items()}}
    return {
        kind: [fid_from_features(real, x), kid_from_features(real, x, seed=0).mean]
        for kind, x in found.items()
    }


if __name__ == "__main__":
    main()
