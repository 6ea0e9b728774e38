#!/usr/bin/env python
"""Sends thousands of valid and hostile requests to a served model, and counts what comes back.

    python scripts/serving/check_serving.py                     a tiny generator, 10,000 requests
    python scripts/serving/check_serving.py --model serving/girls/1 --requests 1000

The model runs as TensorFlow Serving runs it (tfanime.export.serving.session), in this process: a
crash would end it before the last line. Every request must end in images or in an error that
says what is wrong, and memory must not grow. Exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

import tfanime
from tfanime.core.labels import Field, LabelSchema

PARTS = 10  # memory is looked at after each
MEGABYTES_10 = 10 * 2**20
NUMBERS = (0, -1, 65, 257, 10**9, 2**31, 2**53, 2**63 - 1, -(2**63))
FLOATS = (np.nan, np.inf, -np.inf, -0.1, 2.5, 3e38)
TEXTS = (
    b"hair=mauve",
    b"nothing-known",
    b"smile,smile",
    b"smile=perhaps",
    b"=",
    b"hair=",
    b"hair==red",
    b"year=1e999",
    b"year=nan",
    b"\xff\xfe\x00\x80",
    b"(((((((((((((((((((a*)*)*)*",
    "髪=青".encode(),
    b"," * 3000,
    b"x" * MEGABYTES_10,
    b"," * MEGABYTES_10,
    b"smile," * (MEGABYTES_10 // 6),
    b"\x00" * MEGABYTES_10,
)
VALID = {
    "seed": lambda random, rows: random.integers(0, 2**53, rows),
    "to_seed": lambda random, rows: random.integers(0, 2**53, rows),
    "n": lambda random, rows: random.integers(1, 4, rows),
    "frames": lambda random, rows: random.integers(1, 4, rows),
    "first": lambda random, rows: random.integers(0, 2**20, rows),
    "truncation": lambda random, rows: random.uniform(0, 2, rows).astype(np.float32),
}
# How a refusal that is not an assertion of ours begins, as TensorFlow writes it.
CLEAR = ("assertion failed: [", "Shape of tensor ", "Inputs are: ", "Type mismatch: actual ")


def valid(random: np.random.Generator, signature, words: list[bytes]) -> dict[str, np.ndarray]:
    """Inputs that are answered with images."""
    rows, found = int(random.integers(1, 4)), {}
    for name, spec in signature.inputs.items():
        shape = [dim.size for dim in spec.tensor_shape.dim]
        if name in VALID:
            found[name] = VALID[name](random, rows)
        elif name in ("tags", "to_tags", "about"):
            found[name] = np.asarray(
                [words[i] for i in random.integers(0, len(words), rows)], object
            )
        elif name == "latents":
            found[name] = random.normal(size=(rows, shape[1])).astype(np.float32)
        elif name == "labels":
            found[name] = np.full((rows, shape[1]), np.nan, np.float32)
        elif name == "pictures":
            sides = random.integers(1, 40, 2)
            found[name] = random.integers(0, 256, (rows, *sides, 3)).astype(np.uint8)
    return found


def spoil(random: np.random.Generator, inputs: dict[str, np.ndarray]) -> None:
    """Makes one input something else, in place."""
    name = str(random.choice(list(inputs)))
    value, way = inputs[name], int(random.integers(0, 8))
    if way == 0:
        inputs[name] = value[:0]
    elif way == 1:
        inputs[name] = value.reshape(-1)[0] if value.size else value
    elif way == 2:
        inputs[name] = value[None]
    elif way == 3:
        inputs[name] = np.repeat(value, 300, axis=0)
    elif way == 4:
        other = random.choice(["dtype", "missing", "extra"])
        if other == "dtype":
            numbers = value.dtype != object
            inputs[name] = value.astype(np.float64) if numbers else np.zeros(len(value), np.int64)
        elif other == "missing":
            del inputs[name]
        else:
            inputs["surprise"] = value
    elif value.size:
        _spoil_a_value(random, inputs, name)


def _spoil_a_value(random, inputs, name) -> None:
    value = inputs[name].copy()
    if name == "pictures":
        height, width = random.choice([0, 1, 500, 513, 3000], 2)
        inputs[name] = np.zeros((1, height, width, random.choice([1, 3, 4])), np.uint8)
        return
    place = tuple(random.integers(0, side) for side in value.shape)
    if value.dtype == object:
        value[place] = TEXTS[random.integers(0, len(TEXTS))]
    elif value.dtype == np.float32:
        value[place] = random.choice(FLOATS)
    else:
        value[place] = int(random.choice(np.asarray(NUMBERS, np.int64)))
    inputs[name] = value


def run(session, requests: int, seed: int = 0) -> tuple[Counter, list[str]]:
    """Sends requests, half of them spoilt.

    Returns:
        How many ended how, and messages that are not clear.
    """
    import tensorflow as tf

    random = np.random.default_rng(seed)
    # An empty text is valid for every model.
    names = sorted(set(session.signatures) - {"__saved_model_init_op"})
    words, counts, unclear = _words(session), Counter(), []
    for _ in range(requests):
        name = names[random.integers(0, len(names))]
        inputs, spoilt = valid(random, session.signatures[name], words), False
        if random.uniform() < 0.5:
            spoil(random, inputs)
            spoilt = True
        sort = "hostile" if spoilt else "valid"
        try:
            outputs = session(name, inputs)
        except (ValueError, TypeError, tf.errors.OpError) as error:
            message = getattr(error, "message", None) or str(error)
            counts[f"{sort}: refused"] += 1
            if not any(start in message for start in CLEAR) or not spoilt:
                unclear.append(f"{name}: {message[:300]}")
            continue
        counts[f"{sort}: {'answered' if _whole(outputs) else 'answered badly'}"] += 1
    return counts, unclear


def _whole(outputs: dict[str, np.ndarray]) -> bool:
    """Whether every image is a PNG file or a row's filling, and every float is finite."""
    files = outputs.get("png_bytes", np.empty(0)).ravel()
    floats = [v for v in outputs.values() if v.dtype == np.float32]
    return all(not f or f.startswith(b"\x89PNG") for f in files) and all(
        np.isfinite(v).all() for v in floats
    )


def _words(session) -> list[bytes]:
    import json

    answer = session("describe", {"about": np.asarray([b""], object)})
    stored = json.loads(answer["json"][0])["schema"]
    words = [b""]
    for field in LabelSchema.from_json(stored).fields if stored else ():
        if field.kind == "group":
            words += [f"{field.name}={value}".encode() for value in field.values]
        else:
            words.append(
                (field.name if field.kind == "flag" else f"{field.name}={field.low}").encode()
            )
    return words


def memory(what: str) -> int:
    """`VmRSS` or `VmHWM` of this process, in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) // 1024


def tiny(folder: Path) -> Path:
    """Exports an untrained generator with every kind of label, and an upscaler."""
    from tfanime.models import GENERATORS, UPSCALERS
    from tfanime.zoo.saved import save_generator, save_upscaler

    hair = Field("hair", "group", ("red", "blue"))
    year = Field("year", "value", (), (), 1990, 2020)
    schema = LabelSchema((hair, Field("smile", "flag"), year))
    model = GENERATORS["modern"](32, 32, 8, schema.size, channels=4)
    save_generator(folder / "run", model, schema, "tiny")
    save_upscaler(
        folder / "up", UPSCALERS["srgan"](32, 32, factor=2, channels=4, blocks=1), 2, "up"
    )
    out = folder / "serving" / "tiny"
    return tfanime.export_saved_model(folder / "run", out, upscaler=folder / "up").path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="a version folder; default: a tiny one")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    from tfanime.export.serving.session import Session

    with tempfile.TemporaryDirectory() as folder:
        session = Session(options.model or tiny(Path(folder)))
        run(session, max(20, options.requests // 20), options.seed + 1)
        used, counts, unclear = [memory("VmRSS")], Counter(), []
        for part in range(PARTS):
            found, messages = run(session, options.requests // PARTS, options.seed + 2 + part)
            counts, unclear = counts + found, unclear + messages
            used.append(memory("VmRSS"))
        peak = memory("VmHWM")
    for what, count in sorted(counts.items()):
        print(f"{what:24} {count:7,}")
    print(f"memory: {' '.join(map(str, used))} MiB, from warming up to the end; peak {peak}")
    for message in unclear[:20]:
        print("unclear:", message)
    bad = len(unclear) + sum(n for what, n in counts.items() if "badly" in what)
    print(f"{sum(counts.values()):,} requests, {bad} of them not answered as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
