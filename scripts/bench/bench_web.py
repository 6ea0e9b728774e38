"""Drawing in a browser: our export in tfjs's WASM beside onnxruntime-web and LiteRT.js.

    python scripts/bench/bench_web.py [--runs 20] [--sizes 64 128] [--threads 2] [--profile]

The MakeGirlsMoe generator (Jin et al. 2017) with random weights, float32, the same for all: as
Keras has it and rewritten, in the site's own module; as ONNX in onnxruntime-web and as a .tflite in
LiteRT.js, each as its converter finds it, and the ONNX one rewritten too. One page of one headless
Chromium draws in turns, on one thread, and ours on --threads as well (by default as many as the
site would take; 1 leaves that out); the least time of each counts. Before that, each must draw
what Keras draws. --profile also says how our time divides among operations. Needs the `web` extra,
onnx, playwright and Debian's chromium.
"""

import argparse
import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from base64 import b64encode
from pathlib import Path

import numpy as np

import tfanime  # noqa: F401  (keeps TensorFlow's start-up noise off the terminal)

# isort: split
from tfanime.core import seeds
from tfanime.core.images import to_uint8
from tfanime.core.labels import MAKEGIRLSMOE, to_signed
from tfanime.export.graph.graph import from_keras
from tfanime.export.graph.rewrite import rewrite
from tfanime.export.web import tfjs
from tfanime.export.web.site import built_site
from tfanime.models import srresnet

PACKAGES = ("onnxruntime-web@1.30.0", "@litertjs/core@2.5.3")
ROOT = Path(__file__).resolve().parents[2]
LATENT = 128
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}

PAGE = """
import { Generator } from "./tfanime.js";
const ort = await import("./node_modules/onnxruntime-web/dist/ort.wasm.min.mjs");
ort.env.wasm.numThreads = 1;
const { latents, labels, expected, names, threads } = await (await fetch("./bench.json")).json();
const z = Float32Array.from(latents), y = Float32Array.from(labels);
const competitors = {};
const failures = {};
let cores = 1; // what the site asks for before it starts threads
Object.defineProperty(navigator, "hardwareConcurrency", { get: () => cores });

for (const model of ["keras", "ours"]) {
  const generator = await Generator.load(".", { model, backend: "wasm" });
  competitors[`tfjs ${model}`] = async () =>
    (await generator.generate({ latent: z, labels: y })).pixels;
}
if (threads > 1) {
  cores = threads;
  const another = await import("./again/tfanime.js"); // a second module, for its own threads
  const generator = await another.Generator.load(".", { model: "ours", backend: "wasm" });
  const draw = () => generator.generate({ latent: z, labels: y });
  for (let tries = 0; tries < 200 && (await draw()).threads < threads; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  competitors[`tfjs ours, ${threads} threads`] = async () => {
    const picture = await draw();
    if (picture.threads !== threads) throw new Error(`${picture.threads} threads have started`);
    return picture.pixels;
  };
}
for (const model of ["keras", "ours"]) {
  const session = await ort.InferenceSession.create(`./${model}.onnx`, {
    executionProviders: ["wasm"], graphOptimizationLevel: "all",
  });
  competitors[`onnxruntime ${model}`] = async () => {
    const feeds = {
      [names.latents]: new ort.Tensor("float32", z, [1, z.length]),
      [names.labels]: new ort.Tensor("float32", y, [1, y.length]),
    };
    return (await session.run(feeds))[names.output].data;
  };
}
try {
  const { loadLiteRt, loadAndCompile, Tensor } = await import("./litert.js");
  await loadLiteRt("./node_modules/@litertjs/core/wasm/");
  const model = await loadAndCompile("./keras.tflite", { accelerator: "wasm" });
  competitors["LiteRT keras"] = async () => {
    const given = model.getInputDetails().map(({ name, shape }) =>
      shape.at(-1) === z.length ? new Tensor(z, [1, z.length]) : new Tensor(y, [1, y.length]));
    const found = await model.run(given);
    const first = Array.isArray(found) ? found[0] : Object.values(found)[0];
    const pixels = Float32Array.from(first.toTypedArray());
    for (const tensor of [...given, first]) tensor.delete?.();
    return pixels;
  };
} catch (error) {
  failures["LiteRT keras"] = String(error);
}

async function bench(runs) {
  const times = {}, off = {};
  for (const [name, draw] of Object.entries(competitors)) {
    try {
      const pixels = await draw();
      off[name] = pixels.reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i])), 0);
      times[name] = Infinity;
    } catch (error) {
      failures[name] = String(error);
      delete competitors[name];
    }
  }
  for (let i = 0; i < runs; i++) {
    for (const [name, draw] of Object.entries(competitors)) {
      const start = performance.now();
      await draw();
      times[name] = Math.min(times[name], performance.now() - start);
    }
  }
  return { times, off, failures };
}
window.bench = bench;

/** Milliseconds of our drawing by operation: kernels of WASM return when they are done. */
async function profile(runs) {
  const engine = globalThis._tfengine, run = engine.runKernel, spent = {};
  const draw = competitors["tfjs ours"];
  await draw();
  engine.runKernel = function (name, ...given) {
    const start = performance.now();
    try {
      return run.call(this, name, ...given);
    } finally {
      spent[name] = (spent[name] ?? 0) + (performance.now() - start) / runs;
    }
  };
  const start = performance.now();
  for (let i = 0; i < runs; i++) await draw();
  const whole = (performance.now() - start) / runs;
  engine.runKernel = run;
  return { spent, whole };
}
window.profile = profile;
"""


def to_onnx(graph, path):
    """Writes a graph of ours as ONNX, in its order of sides: channels first."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants, shapes = [], [], graph.shapes()

    def constant(name, value, kind=np.float32):
        constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def add(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def by_channel(value, shape):
        return np.reshape(value, (-1, 1, 1)) if len(shape) == 3 else np.reshape(value, -1)

    for node in graph.nodes:
        n, w, o, shape = node.name, node.weights, node.options, shapes[node.name]
        x = list(node.inputs)
        if node.op == "input":
            continue
        if node.op == "dense":
            parts = [x[0], constant(f"{n}.w", w["kernel"]), constant(f"{n}.b", w["bias"])]
            add("Gemm", parts, n)
        elif node.op in ("conv", "conv_transpose"):
            moved = w["kernel"].transpose(3, 2, 0, 1)
            parts = [x[0], constant(f"{n}.w", moved), constant(f"{n}.b", w["bias"])]
            if node.op == "conv_transpose":
                total = [k - s for k, s in zip(w["kernel"].shape, o["strides"], strict=False)]
                pads = [t // 2 for t in total] + [t - t // 2 for t in total]
                add("ConvTranspose", parts, n, strides=o["strides"], pads=pads)
            elif isinstance(o["padding"], str):
                same = {"same": "SAME_UPPER", "valid": "VALID"}[o["padding"]]
                add("Conv", parts, n, strides=o["strides"], auto_pad=same)
            else:
                (top, bottom), (left, right) = o["padding"]
                add("Conv", parts, n, strides=o["strides"], pads=[top, left, bottom, right])
        elif node.op == "affine":
            scale = constant(f"{n}.scale", by_channel(w["scale"], shape))
            add("Mul", [x[0], scale], f"{n}.scaled")
            add("Add", [f"{n}.scaled", constant(f"{n}.shift", by_channel(w["shift"], shape))], n)
        elif node.op == "prelu":
            add("PRelu", [x[0], constant(f"{n}.alpha", by_channel(w["alpha"], shape))], n)
        elif node.op == "leaky_relu":
            add("LeakyRelu", x, n, alpha=o["slope"])
        elif node.op in ("relu", "tanh", "sigmoid"):
            add(node.op.capitalize(), x, n)
        elif node.op == "add":
            add("Sum" if len(x) > 2 else "Add", x, n)
        elif node.op == "concat":
            add("Concat", x, n, axis=1)
        elif node.op == "reshape":
            last = x[0]
            if len(shapes[last]) == 3:
                last = add("Transpose", [last], f"{n}.last", perm=[0, 2, 3, 1])
            size = constant(f"{n}.size", (-1, *shape), np.int64)
            plain = add("Reshape", [last, size], f"{n}.plain" if len(shape) == 3 else n)
            if len(shape) == 3:
                add("Transpose", [plain], n, perm=[0, 3, 1, 2])
        elif node.op == "shuffle":
            whole = add("DepthToSpace", x, f"{n}.whole" if o["crop"] else n, blocksize=o["block"])
            if o["crop"]:
                starts = constant(f"{n}.starts", [o["crop"]] * 2, np.int64)
                ends = constant(f"{n}.ends", [o["crop"] + side for side in shape[:2]], np.int64)
                axes = constant(f"{n}.axes", [2, 3], np.int64)
                add("Slice", [whole, starts, ends, axes], n)
        else:
            sys.exit(f"bench_web.py cannot write {node.op!r} as ONNX.")
    add("Transpose", [graph.output], "drawn", perm=[0, 2, 3, 1])

    def tensor(name, sides):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *sides])

    whole = helper.make_graph(
        nodes,
        "generator",
        [tensor(name, shapes[name]) for name in graph.inputs],
        [tensor("drawn", shapes[graph.output])],
        constants,
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def to_tflite(model, path):
    import tensorflow as tf

    signature = [tf.TensorSpec((1, *x.shape[1:]), tf.float32) for x in model.inputs]
    draw = tf.function(lambda *x: model(list(x), training=False), input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([draw.get_concrete_function()])
    path.write_bytes(converter.convert())


def write_folder(folder, size, blocks, threads):
    """The site and every form of one generator; returns what Keras draws."""
    shutil.copytree(built_site(), folder, dirs_exist_ok=True)
    model = srresnet.generator(size, size, LATENT, MAKEGIRLSMOE.size, blocks=blocks)
    random = np.random.default_rng(0)
    for weight in model.weights:  # batch norms that do something, outputs that are no single grey
        name = weight.path.rsplit("/", 1)[-1]
        if name in ("gamma", "moving_variance"):
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        elif name in ("beta", "moving_mean", "bias"):
            weight.assign(random.normal(0, 0.1, weight.shape))
    z = seeds.latents(7, 1, LATENT)
    labels = to_signed(seeds.sample_labels(7, 1, MAKEGIRLSMOE))
    pictures = np.asarray(model([z, labels], training=False))
    keras_graph = from_keras(model)
    entries = []
    for name, graph in (("keras", keras_graph), ("ours", rewrite(keras_graph))):
        out = folder / "models" / name
        tfjs.convert(graph, out, {})
        (out / "reference.bin").write_bytes(to_uint8(np.clip(pictures, -1, 1)).tobytes())
        files = sorted(path for path in out.iterdir() if path.is_file())
        artifact = tfjs.read(out)
        entries.append(
            {
                "name": name,
                "kind": "generator",
                "graph": f"models/{name}/{tfjs.MODEL}",
                "precision": "float32",
                "weightBytes": sum(f.stat().st_size for f in files if f.suffix == ".bin"),
                "files": [
                    {
                        "path": f.relative_to(folder).as_posix(),
                        "bytes": f.stat().st_size,
                        "sha256": hashlib.sha256(f.read_bytes()).hexdigest(),
                    }
                    for f in files
                ],
                "latentDim": LATENT,
                "height": size,
                "width": size,
                "inputs": dict(artifact.inputs),
                "output": artifact.output,
                "schema": MAKEGIRLSMOE.to_json(),
                "references": [
                    {
                        "seed": 7,
                        "latent": b64encode(z.astype("<f4").tobytes()).decode(),
                        "labels": np.clip(labels[0], -1, 1).tolist(),
                        "picture": f"models/{name}/reference.bin",
                        "offset": 0,
                    }
                ],
                "tolerance": 0.02,
            }
        )
        to_onnx(graph, folder / f"{name}.onnx")
    to_tflite(model, folder / "keras.tflite")
    (folder / "tfanime.json").write_text(json.dumps({"format": 1, "models": entries}))
    names = dict(zip(("latents", "labels"), keras_graph.inputs, strict=True))
    question = {"latents": z[0].tolist(), "labels": labels[0].tolist(), "threads": threads}
    question |= {"expected": pictures.ravel().tolist(), "names": {**names, "output": "drawn"}}
    (folder / "bench.json").write_text(json.dumps(question))
    (folder / "bench.js").write_text(PAGE)
    (folder / "again").symlink_to(".")
    page = '<!doctype html><meta charset="utf-8"><script type="module" src="bench.js"></script>'
    (folder / "bench.html").write_text(page)


def packages():
    """The other runtimes, fetched once, and LiteRT.js as one file that a browser can load."""
    folder = ROOT / "build" / "bench_web"
    if not (folder / "node_modules" / "onnxruntime-web").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", *PACKAGES], cwd=folder)
    bundle = folder / "litert.js"
    if not bundle.is_file():
        (folder / "entry.js").write_text('export * from "@litertjs/core";')
        vite = ROOT / "web_export" / "node_modules" / "rolldown" / "bin" / "cli.mjs"
        command = ["node", vite, "entry.js", "--file", bundle, "--format", "esm"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **TYPES}

    def end_headers(self):
        # A page that is isolated has threads, and a clock of 5 microseconds instead of 100.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *arguments):
        pass


def measure(folder, runs, profile):
    from playwright.sync_api import sync_playwright

    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(300_000)
        page.on("pageerror", lambda error: sys.exit(f"The page failed: {error}"))
        page.goto(f"http://127.0.0.1:{server.server_port}/bench.html")
        page.wait_for_function("window.bench")
        found = page.evaluate(f"bench({runs})")
        found["profile"] = page.evaluate(f"profile({runs})") if profile else None
        browser.close()
    server.shutdown()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--blocks", type=int, default=16)
    parser.add_argument("--threads", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    others = packages()
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_folder(folder, size, arguments.blocks, arguments.threads)
            (folder / "node_modules").symlink_to(others / "node_modules")
            shutil.copy(others / "litert.js", folder)
            found = measure(folder, arguments.runs, arguments.profile)
        times = found["times"]
        ours = times["tfjs ours"]
        print(f"\n{size} px, least of {arguments.runs}, load average {os.getloadavg()[0]:.1f}")
        print(f"{'':<22}{'ms':>8}{'ours / it':>11}{'it - Keras':>12}")
        for name, least in sorted(times.items(), key=lambda pair: pair[1]):
            print(f"{name:<22}{least:8.1f}{ours / least:11.2f}{found['off'][name]:12.1e}")
        for name, reason in found["failures"].items():
            print(f"{name:<22}{reason}")
        if found["profile"]:
            spent, whole = found["profile"]["spent"], found["profile"]["whole"]
            print(f"\na drawing of tfjs ours, mean of {arguments.runs}: {whole:.1f} ms")
            for name, ms in sorted(spent.items(), key=lambda pair: -pair[1]):
                print(f"{name:<18}{ms:8.2f}{ms / whole:9.1%}")


if __name__ == "__main__":
    main()
