"""The process behind `fuzz_common.Worker`: a job a line on stdin, an answer a line on stdout."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import numpy as np  # noqa: E402
from fuzz_common import EXPECTED, RAW  # noqa: E402

import tfanime  # noqa: E402

MEMORY = 3 * 2**30  # bytes beyond what the imports take
TINY = {"generator": {"channels": 4}, "discriminator": {"channels": 4}, "batch_size": 8}
TEXTS = ["red moon", "lone sword", "blue sea", "green hill"] * 4


class Encoder:
    """Stands for a text encoder: numbers that depend on the text."""

    identity, width = "fuzz", 8

    def encode(self, texts, batch_size=None) -> np.ndarray:
        seeds = [hashlib.sha256(text.encode()).digest()[:8] for text in texts]
        return np.stack([np.frombuffer(s, np.uint8).astype(np.float32) for s in seeds])


def faces(job) -> None:
    """A packed set of 32 drawn faces of 16x16."""
    from tfanime.core.labels import MAKEGIRLSMOE
    from tfanime.drawn.faces import draw_faces

    images, labels = draw_faces(32, size=16, seed=1)
    _packed(Path(job["out"]), images, labels, MAKEGIRLSMOE)


def generator(job) -> None:
    """A saved generator of 16x16, conditioned on a group; `text`: and on a text, whose encoder
    is named `encoder`."""
    import keras

    from tfanime.core.files import read_json, write_json
    from tfanime.core.labels import Field, LabelSchema
    from tfanime.data import PackedDataset
    from tfanime.data.stored_arrays import text_file
    from tfanime.text.codes import TextCode
    from tfanime.text.vector_cache import keep_texts
    from tfanime.zoo.saved import save_generator

    out, data = Path(job["out"]), Path(job["out"]) / "data"
    schema = LabelSchema((Field("hair", "group", ("blue", "red")),))
    labels = np.eye(2, dtype=np.float32)[np.arange(16) % 2]
    _packed(data, np.zeros((16, 16, 16, 3), np.uint8), labels, schema)
    packed = PackedDataset.open(data)
    if job.get("text"):
        vectors = Encoder().encode(TEXTS)
        code = TextCode("plot", job["encoder"]).fitted(vectors, 3)
        code.save(text_file(data, "plot"), codes=code.project(vectors))
        write_json(data / "dataset.json", read_json(data / "dataset.json") | {"texts": ["plot"]})
        rows = [json.dumps({"title": f"T{i}", "plot": text}) for i, text in enumerate(TEXTS)]
        (data / "texts.jsonl").write_text("\n".join(rows) + "\n")
        packed = PackedDataset.open(data)
    latents, given = keras.Input((4,)), keras.Input((packed.schema.size,))
    x = keras.layers.Dense(192)(keras.layers.Concatenate()([latents, given]))
    x = keras.layers.UpSampling2D(2)(keras.layers.Reshape((8, 8, 3))(x))
    model = keras.Model([latents, given], keras.layers.Activation("tanh")(x))
    save_generator(out, model, packed.schema, "fuzz")
    if job.get("text"):
        keep_texts(packed, packed, out)


def draw(job) -> None:
    found = tfanime.generate(job["run"], n=2, seed=1).images
    if found.dtype != np.uint8 or len(found) != 2:
        raise AssertionError(f"{found.dtype} {found.shape}")


def imagine(job) -> None:
    encoder = Encoder() if job.get("stub") else None
    found = tfanime.imagine(job["text"], job["run"], n=1, encoder=encoder)
    told = found.explanation()
    if "\x1b" in told:
        raise AssertionError(f"an explanation that drives a terminal: {told[:80]!r}")


def train(job) -> dict:
    """Trains to step 6 with a checkpoint every 2; gives the digest of the last one's arrays."""
    from tfanime.training.checkpoint import checkpoints

    run = tfanime.train(
        "dcgan",
        job["data"],
        out=job["out"],
        steps=job.get("steps", 6),
        checkpoint_every=2,
        sample_every=6,
        tensorboard=False,
        progress=False,
        **TINY,
    )
    digest = hashlib.sha256(str(run.step).encode())
    with np.load(checkpoints(run.path)[-1] / "state.npz") as stored:
        for name in sorted(stored.files):
            digest.update(stored[name].tobytes())
    return {"digest": digest.hexdigest()}


def _packed(out: Path, images, labels, schema) -> None:
    from tfanime.core.files import write_json
    from tfanime.data.writer import Writer

    out.mkdir(parents=True)
    writer = Writer(out, *images.shape[1:3])
    for image in images:
        writer.add(image)
    write_json(out / "files.json", [f"{i}.png" for i in range(len(images))])
    writer.finish(labels, schema)


JOBS = {job.__name__: job for job in (faces, generator, draw, imagine, train)}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever prints, prints into the log
    _limit_memory()
    print(json.dumps({"error": None}), file=answers, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        answer = {"error": None}
        try:
            answer |= JOBS[job["do"]](job) or {}
        except Exception as error:
            answer["error"] = [_kind(error), str(error)[:500]]
        print(json.dumps(answer), file=answers, flush=True)


def _kind(error: Exception) -> str:
    """The name of an exception; of a kind of an expected one, the name of that."""
    kinds = () if isinstance(error, RAW) else EXPECTED
    return next((kind for kind in kinds if isinstance(error, kind)), type(error)).__name__


def one_thread() -> None:
    """How many threads share a sum decides its last bits."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _limit_memory() -> None:
    import keras  # noqa: F401

    one_thread()
    with open("/proc/self/status") as status:
        size = next(line for line in status if line.startswith("VmSize:"))
    most = int(size.split()[1]) * 1024 + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
