"""What the web export's rewrite is worth: operations, multiply-adds, and time in tfjs's WASM.

    python scripts/bench/bench_export.py RUN [--runs 20]

Converts the generator of a run twice in float32: as Keras has it, and rewritten. Both then draw in
Node with the tfjs that the site is built with, in turns; the least time of each counts.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

import tfanime
from tfanime.export.graph.graph import Graph, Node, from_keras
from tfanime.export.graph.rewrite import multiply_adds, rewrite
from tfanime.export.web import tfjs

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "tests" / "export" / "run_model.mjs"
MODULES = ROOT / "web_export" / "node_modules"
TURNS = 2


def as_keras_has_it(model, inputs):
    """A graph of one step: the Keras model itself."""
    nodes = [Node(t.name, "input", options={"shape": tuple(t.shape[1:])}) for t in model.inputs]
    whole = Node("model", "layer", tuple(inputs), options={"layer": model})
    return Graph((*nodes, whole), tuple(inputs), "model")


def milliseconds(folder, artifact, inputs, runs):
    feeds = {
        artifact.inputs[name]: {"shape": list(x.shape), "values": x.ravel().tolist()}
        for name, x in inputs.items()
    }
    files = [folder / name for name in ("entry.json", "inputs.json", "out.bin")]
    files[0].write_text(json.dumps({"graph": tfjs.MODEL, "output": artifact.output}))
    files[1].write_text(json.dumps(feeds))
    command = ["node", RUNNER, MODULES, "wasm", folder, *files, str(runs)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"Node could not run the model: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)["milliseconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    if not MODULES.is_dir():
        sys.exit(f"Timing needs the site's packages. Run: npm ci --prefix {MODULES.parent}")

    generator = tfanime.load_generator(arguments.run)
    trained = from_keras(generator.model)
    graphs = {
        "as trained": as_keras_has_it(generator.model, trained.inputs),
        "rewritten": rewrite(trained),
    }
    counted = {"as trained": trained, "rewritten": graphs["rewritten"]}
    inputs = {"latents": np.zeros((1, generator.latent_dim), np.float32)}
    if generator.schema:
        inputs["labels"] = np.zeros((1, generator.schema.size), np.float32)
    with tempfile.TemporaryDirectory() as temporary:
        found = {name: [] for name in graphs}
        artifacts = {}
        for name, graph in graphs.items():
            folder = Path(temporary) / name.replace(" ", "_")
            tfjs.convert(graph, folder, {})
            artifacts[name] = folder, tfjs.read(folder)
        for _ in range(TURNS):
            for name, (folder, artifact) in artifacts.items():
                found[name] += milliseconds(folder, artifact, inputs, arguments.runs)
    for name, (_, artifact) in artifacts.items():
        operations = Counter(artifact.operations)
        print(
            f"{name:10}  {sum(operations.values())} operations, "
            f"{multiply_adds(counted[name]) / 1e6:,.0f} million multiply-adds, "
            f"{min(found[name]):.1f} ms"
        )
        print(f"{'':10}  " + ", ".join(f"{n} {op}" for op, n in operations.most_common()))
    before, after = (min(times) for times in found.values())
    print(f"rewritten: {before / after:.2f} times as fast (least of {len(found['rewritten'])})")


if __name__ == "__main__":
    main()
