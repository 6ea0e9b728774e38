"""Every recipe for the same number of images: FID, KID, time, and the sheets side by side.

    python scripts/studies/compare_recipes.py --faces PACKED --labelled PACKED \\
        --mobilenet FILE.tflite --images 25600 --out DIR

Recipes run one after another, each in a process of its own: unconditionally on `--faces`, those
that are about labels with them on `--labelled`, and `modern` on both; one of the two sets may be
left out. Stopped and started again, it goes on where it was. DIR receives a run folder each,
`results.json`, `table.md` and `sheets_*.png`: the first 16 fixed latents of every run's averaged
generator, a row each, in the order of the table.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

import tfanime
from tfanime import recipes
from tfanime.core.files import read_json, write_json, write_text
from tfanime.core.images import save_grid
from tfanime.training import checkpoint

ON = {
    "faces": ("dcgan", "dcgan-sn", "wgan", "wgan-gp", "modern"),
    "labelled": (
        *("cdcgan-sn", "clsgan", "infogan", "ac-infogan", "dcgan-dragan", "makegirlsmoe"),
        *("modern", "projected"),
    ),
}
SHEET = 16  # images a row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, help="packed images")
    parser.add_argument("--labelled", type=Path, help="packed images with labels")
    parser.add_argument("--mobilenet", required=True, help="MobileNetV2 as a TFLite file")
    parser.add_argument("--images", type=int, default=25_600, help="real images seen by each")
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--n", type=int, default=1000, help="images per figure")
    parser.add_argument("--only", nargs="+", metavar="RECIPE", help="just these, now")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if not (options.faces or options.labelled):
        parser.error("--faces, --labelled or both name packed sets. Received: neither.")
    options.out.mkdir(parents=True, exist_ok=True)
    results = options.out / "results.json"
    rows = read_json(results) if results.exists() else {}
    for kind in [kind for kind in ON if getattr(options, kind)]:
        for name in ON[kind]:
            run = options.out / f"{name}_{kind}"
            if run.name in rows or options.only and name not in options.only:
                continue
            train(name, kind, run, options)
            rows[run.name] = {"recipe": name, "data": kind, **measure(run, kind, options)}
            write_json(results, rows)
            write_tables(rows, options.out)


def train(name: str, kind: str, run: Path, options) -> None:
    """`tfanime train` in a process of its own; a run that diverges is part of the result."""
    config = recipes.get(name)
    per_step = config.batch_size * config.critic_steps
    command = [
        *(sys.executable, "-m", "tfanime", "train", name),
        *("--data", getattr(options, kind), "--out", run, "--precision", options.precision),
        *("--steps", max(1, options.images // per_step)),
        *(("--set", "conditioning=none") if kind == "faces" else ()),
    ]
    subprocess.run([str(part) for part in command], check=False)


def measure(run: Path, kind: str, options) -> dict:
    config = recipes.get(read_json(run / "config.json")["config"]["recipe"])
    meta = read_json(checkpoint.checkpoints(run)[-1] / "meta.json")
    report = tfanime.evaluate(
        run,
        getattr(options, kind),
        ["fid", "kid"],
        extractor=f"mobilenet:{options.mobilenet}",
        n=options.n,
        progress=True,
    )
    return {
        "step": meta["step"],
        "images": meta["step"] * config.batch_size * config.critic_steps,
        "seconds": meta["seconds"],
        "warnings": len(meta["warnings"]),
        "floor": {name: report[name].floor for name in ("fid", "kid")},
        "generated": {name: report[name].value for name in ("fid", "kid")},
        "protocol": report["kid"].protocol,
    }


def write_tables(rows: dict, out: Path) -> None:
    lines = []
    for kind in ON:
        chosen = [row for row in rows.values() if row["data"] == kind]
        chosen.sort(key=lambda row: row["generated"]["kid"])
        if not chosen:
            continue
        floor = chosen[0]["floor"]
        lines += [
            f"\n{kind}: floor FID {floor['fid']:.1f}, KID {floor['kid']:.4f}\n",
            "| recipe | steps | pictures | seconds | pictures/s | FID | KID | warnings |",
            "|---|---|---|---|---|---|---|---|",
        ]
        sheet = []
        for row in chosen:
            lines.append(
                f"| `{row['recipe']}` | {row['step']:.0f} | {row['images']:,.0f} "
                f"| {row['seconds']:.0f} | {row['images'] / row['seconds']:.0f} "
                f"| {row['generated']['fid']:.0f} | {row['generated']['kid']:.3f} "
                f"| {row['warnings']} |"
            )
            run = out / f"{row['recipe']}_{kind}"
            sheet.append(tfanime.generate(run, SHEET, 0).images)
        save_grid(out / f"sheets_{kind}.png", np.concatenate(sheet), columns=SHEET)
    write_text(out / "table.md", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
