"""Makes a run into a model that ships: a folder under saved_models/.

    python scripts/studies/ship_model.py RUN --data PACKED --out saved_models/NAME

PACKED are the real images that `train_zoo.py` packed; the figures are measured against
those of them that it held out, or, with --all, against all of them, which it then trained on.
--rows keeps rows of their labels, from which what is not asked for is drawn. --without leaves out
attributes that the generator does not draw: a model promises what it can. It takes values too
(style=game), as for a run that begins with this one, on data that lack them. --only style=bust
makes one value of a group what is drawn unless another is asked for: of the rows, those that have
it are kept. --upscaler names the upscaler, one that ships, that its images are shown through.

The folder receives the averaged generator (kernels in float16, which halves the file;
`generator.keras` stays a plain Keras file), `critic.npz` to train on from (`tfanime train ...
--set start=NAME`), `config.json`, `figures.json` (what `tfanime evaluate` measured, each figure
with its protocol and floor; under `copies` how near the nearest training images are) and
`sheet.png` (64 unselected images of seed 0). MODEL_CARD.md is written by hand.

An upscaler is measured by `compare_upscalers.py` instead. Its sheet shows images of --shows,
enlarged by repeating pixels, by Lanczos and by it. A discriminator that no loss asked is not
shipped, but the smallest of its kind, which begins anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import compare_upscalers
import keras
import numpy as np
from PIL import Image
from train_zoo import HELD_OUT

import tfanime
from tfanime import zoo
from tfanime.core.decode import read_image
from tfanime.core.files import atomic_path, read_json, write_json
from tfanime.core.images import grid, save_image
from tfanime.core.labels import Field, LabelSchema
from tfanime.data import PackedDataset
from tfanime.evaluation.independence import looked_through
from tfanime.frozen.compact import pack_again, round_kernels
from tfanime.gans import GAN
from tfanime.metrics import load_extractor
from tfanime.recipes.config import Config
from tfanime.training import checkpoint
from tfanime.training.build import build_gan
from tfanime.training.warm_start import save_critic
from tfanime.zoo.saved import (
    UPSCALER,
    WEIGHTS,
    kind_of,
    load_schema,
    load_upscaler,
    save_generator,
    save_upscaler,
    store_upscaler,
)

SHEET, DRAWS = 64, 4
ENLARGED = 300  # held-out images that judge an upscaler
ENLARGED_SHOWN = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="packed by train_zoo.py")
    parser.add_argument("--extractor", nargs="+", default=["tagger"], help="of FID and KID")
    parser.add_argument("--all", action="store_true", help="nothing was held out")
    parser.add_argument("--rows", action="store_true", help="keep rows of labels")
    parser.add_argument("--without", nargs="+", default=[], metavar="FIELD[=VALUE]")
    parser.add_argument("--only", nargs="+", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--upscaler", metavar="NAME")
    parser.add_argument("--shows", default=zoo.DEFAULT, help="what an upscaler's sheet enlarges")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    data = PackedDataset.open(options.data)
    training, held_out = (data, data) if options.all else data.split(HELD_OUT)
    usual = dict(pair.split("=", 1) for pair in options.only)
    ship(options.run, options.out, training if options.rows else None, options.without, usual)
    if options.without:
        kept = [field.name for field in load_schema(options.out).fields]
        training, held_out = training.select(kept), held_out.select(kept)
    if options.upscaler:
        store_upscaler(options.out, options.upscaler)
    copies = []
    if kind_of(options.run) == UPSCALER:
        figures = measure_upscaler(options.out, held_out, options.extractor)
        _draw_upscaler_sheet(options.out, options.shows)
    else:
        figures = measure(options.out, held_out, options.extractor)
        copies = tfanime.evaluate(options.out, training, ["neighbours"]).to_json()["figures"]
        _draw_sheet(options.out)
    newest = checkpoint.checkpoints(options.run)[-1]
    meta = read_json(newest / "meta.json")
    trained = {"step": meta["step"], "seconds": round(meta["seconds"])}
    write_json(
        options.out / "figures.json", {"trained": trained, "figures": figures, "copies": copies}
    )


def ship(
    run: Path,
    out: Path,
    rows_of: PackedDataset | None,
    left_out: Collection[str],
    usual: Mapping[str, str] | None = None,
) -> None:
    """Everything but figures and images.

    Args:
        rows_of: data whose label rows the model keeps.
        left_out: names of label fields.
        usual: names of groups to their value that is drawn unless another is asked for.
    """
    stored = read_json(run / "config.json")
    # In float32: the networks compute in what they were made in.
    config = Config.from_json(stored["config"]).override(precision="float32", start=None)
    enlarges = kind_of(run) == UPSCALER
    schema = None if enlarges else load_schema(run)
    gan = build_gan(config, schema)
    checkpoint.restore(gan, checkpoint.checkpoints(run)[-1])
    if left_out:
        gan, schema = without_fields(gan, config, schema, left_out)
    for name, value in (usual or {}).items():
        schema = with_usual(schema, name, value)
    if rows_of is not None:
        rows = rows_of.labels()[:, _columns(rows_of.schema, schema)]
        rows = rows[~np.isnan(rows).any(axis=1)]
        for field in schema.fields:
            if field.kind == "group":  # of a value that is left out
                rows = rows[rows[:, schema.slices()[field.name]].sum(axis=1) == 1]
        for name, value in (usual or {}).items():
            rows = rows[rows[:, schema.columns.index(f"{value}_{name}")] == 1]
        schema = schema.with_rows(rows)
    round_kernels(gan.ema_generator)
    out.mkdir(parents=True, exist_ok=True)
    if enlarges:
        save_upscaler(out, gan.ema_generator, gan.factor, out.name)
    else:
        save_generator(out, gan.ema_generator, schema, out.name)
    pack_again(out / WEIGHTS)
    gan, config = without_files(gan, config, schema)
    if enlarges and not gan.asks_discriminator:
        config = config.override(discriminator={"channels": 1})
        gan = build_gan(config, schema)
    save_critic(gan, out)
    # Those that do not ship are not in the configuration, but judges must know of them.
    seen = stored["config"].get("feature_model")
    features = [seen] if seen else looked_through(stored)
    # Where a run began is a path of the machine that it ran on; the card tells the stages.
    kept = {**stored["config"], "discriminator": dict(config.discriminator), "start": None}
    if seen:  # so that training can go on without it
        kept |= {"feature_model": None, "feature_weight": 0.0}
    if left_out:
        kept["condition_on"] = ",".join(field.name for field in schema.fields)
    stored = {**stored, "config": kept, "looked_through": features}
    if schema is not None:
        stored["labels"] = {k: v for k, v in schema.to_json().items() if k != "examples"}
    write_json(out / "config.json", stored)


def with_usual(schema: LabelSchema, name: str, value: str) -> LabelSchema:
    """The schema whose group always has this value, unless another is asked for."""
    [group] = [field for field in schema.fields if field.name == name]
    frequencies = tuple(float(one == value) for one in group.values)
    if 1.0 not in frequencies:
        raise ValueError(
            f"--only {name}=VALUE is one of {', '.join(group.values)}. Received: {value!r}."
        )
    own = dataclasses.replace(group, frequencies=frequencies)
    return dataclasses.replace(
        schema, fields=tuple(own if field is group else field for field in schema.fields)
    )


def without_fields(gan: GAN, config: Config, schema, left_out: Collection[str]):
    """A GAN whose networks know fewer labels and otherwise draw the same: those left out are always
    absent, which the batch norm behind the first layer and the biases of styles take into account.

    Returns:
        `(GAN, schema)`.
    """
    known = {f.name for f in schema.fields} | {
        f"{f.name}={v}" for f in schema.fields for v in f.values
    }
    unknown = sorted(set(left_out) - known)
    if unknown:
        raise ValueError(f"--without names fields of the run. Received: {', '.join(unknown)}.")
    fields = (f for f in schema.fields if f.name not in left_out)
    left = LabelSchema(tuple(_without_values(field, left_out) for field in fields))
    columns = _columns(schema, left)
    absent = np.setdiff1d(np.arange(schema.size), columns) + config.latent_dim
    smaller = build_gan(config, left)
    for name in ("generator", "ema_generator", "discriminator"):
        for layer in getattr(smaller, name).layers:
            if layer.weights:
                layer.set_weights(_layer_without(layer.name, getattr(gan, name), absent))
    smaller.head.set_weights([array[..., columns] for array in gan.head.get_weights()])
    return smaller, left


def _without_values(field: Field, left_out: Collection[str]) -> Field:
    kept = [value for value in field.values if f"{field.name}={value}" not in left_out]
    if len(kept) == len(field.values):
        return field
    shares = dict(zip(field.values, field.frequencies, strict=True))
    total = sum(shares[value] for value in kept)
    frequencies = tuple(shares[value] / total for value in kept)
    return dataclasses.replace(field, values=tuple(kept), frequencies=frequencies)


def _layer_without(name: str, network: keras.Model, absent: np.ndarray) -> list[np.ndarray]:
    arrays = network.get_layer(name).get_weights()
    if name == "fc":
        return [np.delete(arrays[0], absent, axis=0), *arrays[1:]]
    if name == "fc_bn":
        # x = kept - sum of the absent rows, which are fed -1.
        gamma, beta, mean, variance = arrays
        kernel = network.get_layer("fc").get_weights()[0]
        return [gamma, beta, mean + kernel[absent].sum(axis=0), variance]
    if re.fullmatch(r"style_\d+_fc", name):
        kernel, bias = arrays
        return [np.delete(kernel, absent, axis=0), bias - kernel[absent].sum(axis=0)]
    return arrays


def _columns(schema, wanted) -> np.ndarray:
    """Where the columns of `wanted` are in `schema`."""
    return np.array([schema.columns.index(name) for name in wanted.columns])


def without_files(gan: GAN, config: Config, schema) -> tuple[GAN, Config]:
    """The critic that ships: without the discriminators that look through networks in files."""
    names = config.discriminator.get("features", [])
    names = [names] if isinstance(names, str) else names
    kept = [name for name in names if not name.endswith(".keras")]
    if kept == list(names):
        return gan, config
    config = config.override(discriminator={**config.discriminator, "features": kept})
    smaller = build_gan(config, schema)
    for layer in smaller.discriminator.layers:
        if layer.weights and not isinstance(layer, keras.Model):
            layer.set_weights(gan.discriminator.get_layer(layer.name).get_weights())
    if gan.head is not None:
        rows, wanted = (_rows(x.discriminator) for x in (gan, smaller))
        kernel, bias = gan.head.get_weights()
        smaller.head.set_weights([np.concatenate([kernel[rows[name]] for name in wanted]), bias])
    return smaller, config


def _rows(discriminator: keras.Model) -> dict[str, slice]:
    """Which features of a projected discriminator come from which of its parts, in order."""
    found, start = {}, 0
    means = sorted(
        (layer for layer in discriminator.layers if re.fullmatch(r"mean\d+", layer.name)),
        key=lambda layer: int(layer.name[4:]),
    )
    for mean in means:
        part = next(layer.name for layer in discriminator.layers if layer.output is mean.input)
        found[part] = slice(start, start + mean.output.shape[-1])
        start += mean.output.shape[-1]
    return found


def _draw_sheet(model: Path) -> None:
    """Pictures as the network draws them; in 256 colours, a third of the file."""
    path = model / "sheet.png"
    tfanime.generate(model, n=SHEET, seed=0, grid=path, upscale="none")
    _in_few_colours(path)


def _in_few_colours(path: Path) -> None:
    colours = read_image(path).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    with atomic_path(path) as temporary:
        colours.save(temporary, "PNG", optimize=True)


def measure(model: Path, held_out: PackedDataset, extractors: list[str]) -> list[dict]:
    """FID and KID for every extractor, and what else there is with the tagger's features."""
    found = []
    for extractor in extractors:
        metrics = ["fid", "kid"]
        if extractor == "tagger":
            metrics += ["prdc", "1nn", "diversity", "attributes"]
        report = tfanime.evaluate(
            model, held_out, metrics, extractor=extractor, draws=DRAWS, progress=True
        )
        found += report.to_json()["figures"]
    return found


def measure_upscaler(model: Path, held_out: PackedDataset, extractors: list[str]) -> list[dict]:
    """How near enlarged images come to the real ones, beside plain ways to enlarge; the sheet."""
    upscaler, faults = load_upscaler(model), compare_upscalers.faults_of(model)
    chosen = np.random.default_rng(0).permutation(len(held_out))[:ENLARGED]
    pictures, found = held_out.images(np.sort(chosen)), []
    for number, name in enumerate(extractors):
        extractor = load_extractor(name)
        rows = compare_upscalers.measure(
            upscaler,
            pictures,
            extractor,
            progress=True,
            faults=faults,
            distance=None
            if number
            else compare_upscalers.perceptual_distance(*pictures.shape[1:3]),
        )
        protocol = {
            "real set": held_out.sha256,
            "counts": f"{len(pictures)} pictures",
            "factor": upscaler.factor,
            "seed": 0,
        }
        of_features = {
            "feature distance": {"extractor": extractor.name, "network": extractor.identity},
            compare_upscalers.PERCEPTUAL: {"extractor": "lite0, four maps of unit vectors"},
        }
        columns = {"PSNR": "higher", "SSIM": "higher", compare_upscalers.PERCEPTUAL: "lower"}
        columns["feature distance"] = "lower"
        for kind in compare_upscalers.INPUTS:
            here = {row["enlarged by"]: row for row in rows if row["input"] == kind}
            for column, better in columns.items():
                if number and column != "feature distance":
                    continue
                own = of_features.get(column, {})
                found.append(
                    {
                        "name": f"{column.lower()}, {kind}",
                        "value": here[upscaler.name][column],
                        "better": better,
                        "floor": None,
                        "protocol": {
                            **protocol,
                            "small pictures": kind,
                            **(faults if kind == "worse" else {}),
                            **own,
                        },
                        "details": {name: row[column] for name, row in here.items()},
                    }
                )
    return found


def _draw_upscaler_sheet(model: Path, shows: str) -> None:
    """Of drawn images: those that judge it are not ours to pass on."""
    drawn = tfanime.generate(shows, n=ENLARGED_SHOWN, seed=0, upscale="none").images
    upscaler = load_upscaler(model)
    lines = [
        compare_upscalers.resized(drawn, upscaler.factor, way) for way in ("nearest", "lanczos")
    ]
    lines.append(tfanime.upscale(drawn, upscaler))
    save_image(model / "sheet.png", grid(np.concatenate(lines), columns=len(drawn)))
    _in_few_colours(model / "sheet.png")


if __name__ == "__main__":
    main()
