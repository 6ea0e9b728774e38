"""Run folders of strangers: what `tfanime generate` does with them."""

from __future__ import annotations

import io
import json
import marshal
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

from fuzz_common import Worker, damaged, hostile_value, with_hostile_value

DESCRIPTION, WEIGHTS = "generator.json", "generator.keras"
BOMB = 300 * 2**20


def runs(random: Random, folder: Path) -> Iterator[str]:
    canary, sound, run = folder / "canary", folder / "sound", folder / "run"
    with Worker(folder) as worker:
        made = worker.ask({"do": "generator", "out": str(sound)})
        assert made["error"] is None, made
        while True:
            shutil.rmtree(run, ignore_errors=True)
            shutil.copytree(sound, run)
            way = random.choice(WAYS)
            way(run, random, canary)
            problem = worker.judge({"do": "draw", "run": str(run)})
            if canary.exists():
                canary.unlink()
                problem = "its code ran"
            yield problem and f"{way.__name__[1:].replace('_', ' ')}: {problem}"


def _broken_files(run: Path, random: Random, canary: Path) -> None:
    file = run / random.choice((DESCRIPTION, WEIGHTS))
    file.write_bytes(damaged(file.read_bytes(), random))


def _other_description(run: Path, random: Random, canary: Path) -> None:
    stored = json.loads((run / DESCRIPTION).read_text())
    for _ in range(random.randint(1, 2)):
        stored = with_hostile_value(stored, random)
    (run / DESCRIPTION).write_text(json.dumps(stored))


def _huge_schema(run: Path, random: Random, canary: Path) -> None:
    stored = json.loads((run / DESCRIPTION).read_text())
    length = random.choice((10**12, 10**9, 10**7))
    field = {"name": "v", "kind": "vector", "length": length}
    if random.random() < 0.5:
        field = {"name": "v", "kind": "group", "values": [str(i) for i in range(100_000)]}
    stored["schema"] = {"fields": [field]}
    (run / DESCRIPTION).write_text(json.dumps(stored))


def _other_layers(run: Path, random: Random, canary: Path) -> None:
    def change(config: dict) -> dict:
        layer = random.choice(config["config"]["layers"])
        for key, value in random.choice(_layers(canary)).items():
            layer[key] = value
        return config

    _with_config(run, change)


def _other_config(run: Path, random: Random, canary: Path) -> None:
    _with_config(run, lambda config: with_hostile_value(config, random))


def _large_layers(run: Path, random: Random, canary: Path) -> None:
    def change(config: dict) -> dict:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "UpSampling2D":
                layer["config"]["size"] = [random.choice((300, 3000, 10**6))] * 2
            if layer["class_name"] == "Dense" and random.random() < 0.5:
                layer["config"]["units"] = random.choice((10**7, 10**9, 10**15))
        return config

    _with_config(run, change)


def _bombs(run: Path, random: Random, canary: Path) -> None:
    name = random.choice(("config.json", "model.weights.h5", "metadata.json", "../canary"))
    members = _members(run)
    with zipfile.ZipFile(run / WEIGHTS, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, data in members.items():
            if other != name:
                archive.writestr(other, data)
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(BOMB // 2**20):
                member.write(random.choice((b"\0", b" ", b"[")) * 2**20)


def _other_weights(run: Path, random: Random, canary: Path) -> None:
    import h5py

    members = _members(run)
    buffer = io.BytesIO(members["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        found: list[str] = []
        file.visititems(lambda name, node: found.append(name) if hasattr(node, "shape") else None)
        name = random.choice(found)
        del file[name]
        what = random.randrange(4)
        if what == 0:  # 3.6 GB that are not in the file
            file.create_dataset(name, (30_000, 30_000), "f4", chunks=(100, 100), fillvalue=0.0)
        elif what == 1:
            file[name] = h5py.ExternalLink("/etc/passwd", "/")
        elif what == 2:
            file[name] = h5py.SoftLink("/" + name)
        else:
            file[name] = b"text"
    _write(run, members | {"model.weights.h5": buffer.getvalue()})


WAYS = (
    _broken_files,
    _other_description,
    _huge_schema,
    _other_layers,
    _other_config,
    _large_layers,
    _bombs,
    _other_weights,
)


def _layers(canary: Path) -> list[dict]:
    """Ways in which a layer could be code."""
    code = f"open({str(canary)!r}, 'w').close()"
    compiled = marshal.dumps(compile(f"lambda x: {code}", "x", "eval"))
    command = f"touch {canary}"
    function = {"module": "os", "class_name": "function", "config": "system"}
    return [
        {"module": "builtins", "class_name": "exec", "config": {"source": code}},
        {"module": "builtins", "class_name": "eval", "config": code, "registered_name": None},
        {"module": "os", "class_name": "system", "config": {"command": command}},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", str(canary)]}},
        {
            "module": "keras.layers",
            "class_name": "Lambda",
            "config": {
                "function": {
                    "class_name": "__lambda__",
                    "config": {"code": compiled.hex(), "defaults": None, "closure": None},
                }
            },
        },
        {
            "module": "keras.layers",
            "class_name": "TFSMLayer",
            "config": {"filepath": str(canary.parent / "saved"), "call_endpoint": "serve"},
        },
        {"module": "keras.layers", "class_name": "Activation", "config": {"activation": function}},
        {"module": "keras.src.utils.file_utils", "class_name": "get_file", "config": {}},
        {"registered_name": "tfanime>os.system", "config": {"command": command}},
        {"module": None, "class_name": "Nothing", "config": None},
        {"inbound_nodes": [{"args": ["x"], "kwargs": {}}]},
        {"config": hostile_value(Random(0))},
    ]


def _members(run: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(run / WEIGHTS) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _write(run: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(run / WEIGHTS, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def _with_config(run: Path, change) -> None:
    members = _members(run)
    config = json.dumps(change(json.loads(members["config.json"])))
    _write(run, members | {"config.json": config.encode()})
