"""Seed D, the Anime Faces project: its four objectives, measured on `dcgan`. It names no model.

    python scripts/studies/reproduce_seed_d.py --data FACES --minutes 60 --out DIR

trains `dcgan` at 64x64 in DIR/dcgan (again: goes on), or takes a run of yours with --run. Then:
recognisable faces by FID and KID beside real images, on the tagger's features and with --mobilenet
on MobileNetV2's; variety by MS-SSIM, recall and coverage; mode collapse and vanished gradients by
what the collapse watch follows over the whole run. FACES is a folder, .zip, .tar or packed set of
images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from reproduction import Notebook, call, extractors, larger, number, parser, table

import tfanime
from tfanime.core.files import read_json
from tfanime.core.images import grid
from tfanime.training import checkpoint, log
from tfanime.training import collapse as watch
from tfanime.training.quality_curve import CURVE

SHOWN = 64
EVERY = 150  # steps between two measurements while training


def main() -> None:
    made = parser(__doc__, "runs/reproduction/d")
    made.add_argument("--data", required=True, help="images, or a packed set")
    made.add_argument("--run", type=Path, help="a run to judge, instead of training one")
    made.add_argument("--minutes", type=float, default=60, help="of training, over all calls")
    made.add_argument("--precision", default="mixed_bfloat16")
    made.add_argument("--n", type=int, default=1000, help="images a figure")
    call(made, reproduce)


def reproduce(options) -> None:
    run = options.run or options.out / "dcgan"
    data = tfanime.load_data(options.data)
    if options.run is None:
        tfanime.train(
            "dcgan",
            data,
            out=run,
            minutes=options.minutes,
            precision=options.precision,
            evaluate_every=EVERY,
        )
    show(Notebook("d", options.out, options.report), run, data, options)


def show(book: Notebook, run: Path, data, options) -> None:
    newest = checkpoint.checkpoints(run)[-1]
    meta = read_json(newest / "meta.json")
    config = read_json(run / "config.json")["config"]
    seen = meta["step"] * config["batch_size"] * config["critic_steps"]
    what = run.name, meta["step"], data.sha256, options.n
    quality = {
        name.partition(":")[0]: book.once(
            f"quality, {name}", lambda name=name: measure(run, data, name, options.n), *what
        )
        for name in extractors(options.mobilenet)
    }
    found, seenby = quality["tagger"], watched(run)
    pair = {name: [figure["value"], figure["floor"]] for name, figure in found.items()}
    faces = [
        [
            "",
            f"{metric.upper()}, {name}",
            figures[metric]["value"],
            figures[metric]["floor"],
            "as real",
        ]
        for name, figures in quality.items()
        for metric in ("fid", "kid")
    ]
    faces[0][0] = "recognisable faces"
    spread, gradients = seenby["spread"], seenby["generator's gradient"]
    vanished = f"{seenby['saturation']}, {seenby['vanishing']}"
    rows = [
        *faces,
        ["", "1-NN with PSNR", *pair["1-nn"], "0.5"],
        ["wide variety", "MS-SSIM of pairs", *pair["ms-ssim"], "as real"],
        ["", "mean distance of features", *pair["feature distance"], "as real"],
        ["", "recall (tagger)", *pair["recall"], "1"],
        ["", "coverage (tagger)", *pair["coverage"], "1"],
        [
            "no mode collapse",
            f"spread within a batch, by real: last, least after step {watch.SETTLE}",
            f"{number(spread['last'])}, {number(spread['least'])}",
            "1",
            f"above {watch.COLLAPSED}",
        ],
        ["", "warnings of collapse", seenby["collapse"], "", "0"],
        [
            "no vanished gradient",
            "norm of the generator's gradient: median, least of the log's rows",
            f"{number(gradients['median'])}, {number(gradients['least'])}",
            "",
            "above 0",
        ],
        [
            "",
            "D(real), D(fake), last row",
            f"{number(seenby['d_real'])}, {number(seenby['d_fake'])}",
            "",
            f"not {watch.CERTAIN}, {1 - watch.CERTAIN:.2f}",
        ],
        ["", "warnings of saturation, of a vanished gradient", vanished, "", "0"],
    ]
    columns = ["objective", "measured", "generated", "real against real", "wanted"]
    shots = tfanime.generate(run, n=SHOWN, seed=0).images
    book.block(
        "objectives",
        f"`{config['recipe']}`, {config['image_size'][1]}x{config['image_size'][0]}, "
        f"{meta['step']:,} steps, {seen:,} pictures, {meta['seconds'] / 60:.0f} minutes; figures "
        f"of {options.n:,} pictures.",
        "",
        table(columns, rows),
    )
    book.block("sheet", book.picture("sheet", grid(larger(shots)), f"{SHOWN} unselected pictures"))
    curves = [book.picture("watch", run / "curves.png", "losses, D, gradients and spread")]
    if (run / CURVE).is_file():
        curves.append(book.picture("quality", run / CURVE, "FID and KID over the steps"))
    book.block("curves", "\n\n".join(curves))
    book.write()


def measure(run: Path, data, extractor: str, n: int) -> dict[str, dict[str, float]]:
    metrics = ["fid", "kid"]
    if extractor == "tagger":
        metrics += ["prdc", "1nn", "diversity"]
    report = tfanime.evaluate(run, data, metrics, extractor=extractor, n=n, progress=True)
    return {one.name: {"value": one.value, "floor": one.floor} for one in report.figures}


def watched(run: Path) -> dict:
    """What the collapse watch follows, over the whole run."""
    rows = log.read(run)
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    settled = columns["step"] >= watch.SETTLE
    spread = columns["diversity"][settled] if settled.any() else columns["diversity"]
    warnings = read_json(checkpoint.checkpoints(run)[-1] / "meta.json")["warnings"]
    gradient = columns["g_grad_norm"]
    return {
        "spread": {"last": float(spread[-1]), "least": float(spread.min())},
        "generator's gradient": {
            "median": float(np.median(gradient)),
            "least": float(gradient.min()),
        },
        "d_real": float(columns["d_real"][-1]),
        "d_fake": float(columns["d_fake"][-1]),
        **{kind: sum(watch.ADVICE[kind] in w for w in warnings) for kind in WARNINGS},
    }


WARNINGS = ("collapse", "saturation", "vanishing")

if __name__ == "__main__":
    main()
