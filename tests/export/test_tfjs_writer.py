"""What tfanime writes for TensorFlow.js: each operation, and all beside the official converter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from networks import GENERATED, generator, in_time, inputs, pictures, upscaler

from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.files import read_json
from tfanime.core.labels import to_signed
from tfanime.export.graph import precision
from tfanime.export.graph.graph import Graph, Node, from_keras
from tfanime.export.graph.rewrite import rewrite
from tfanime.export.web import tfjs, tfjs_reference
from tfanime.export.web.check import check_artifact
from tfanime.zoo.saved import kind_of, load_generator, load_upscaler

ROOT = Path(__file__).resolve().parents[2]
RANDOM = np.random.default_rng(0)


@pytest.fixture
def reference():
    """The module of the official converter, which is no part of the usual environment."""
    try:
        tfjs_reference.require()
    except ImportError as error:
        if os.environ.get("TFANIME_REFERENCE"):
            raise
        pytest.skip(f"run by scripts/test_reference.sh, in an environment of its own: {error}")
    return tfjs_reference


def written(graph, folder, dtypes=None):
    tfjs.convert(graph, folder, dtypes or {})
    return tfjs.read(folder)


def image_graph(*steps: Node, side: int | None = 6) -> Graph:
    """Steps behind an input of 8 channels, each taking the one before."""
    nodes = [Node("pictures", "input", options={"shape": (side, side, 8)})]
    for step in steps:
        nodes.append(Node(step.name, step.op, (nodes[-1].name,), step.weights, step.options))
    return Graph(tuple(nodes), ("pictures",), nodes[-1].name)


def of(*shape) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


KERNEL = {"kernel": of(3, 3, 8, 8), "bias": of(8)}
SAME = {"strides": (1, 1), "padding": "same"}
CONV = Node("conv", "conv", weights=KERNEL, options=SAME)
PLAIN = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
ALPHA, SLOPE = of(8), 0.3


@pytest.mark.parametrize("op", PLAIN)
def test_activations(op, tmp_path):
    x = of(2, 6, 6, 8)
    artifact = written(image_graph(Node("it", op)), tmp_path)
    np.testing.assert_allclose(artifact.function()(x), PLAIN[op](x), atol=1e-6)


def test_scales_shifts_and_leaks(tmp_path):
    scale, shift, x = of(8), of(8), of(2, 6, 6, 8)
    steps = (
        Node("norm", "affine", weights={"scale": scale, "shift": shift}),
        Node("leak", "leaky_relu", options={"slope": SLOPE}),
        Node("parametric", "prelu", weights={"alpha": ALPHA}),
        Node("again", "scale", weights={"scale": scale}),
    )
    y = x * scale + shift
    y = np.where(y > 0, y, SLOPE * y)
    y = np.where(y > 0, y, ALPHA * y) * scale
    found = written(image_graph(*steps), tmp_path).function()(x)
    np.testing.assert_allclose(found, y, rtol=1e-5, atol=1e-6)


def test_a_norm_that_was_not_folded(tmp_path):
    """The plain Keras graph, as bench_web.py converts it, has them in double precision."""
    scale, shift, x = of(8).astype(np.float64), of(8).astype(np.float64), of(2, 6, 6, 8)
    norm = Node("norm", "affine", weights={"scale": scale, "shift": shift})
    artifact = written(image_graph(norm), tmp_path)
    assert artifact.weights["norm/scale"].dtype == "float32"
    np.testing.assert_allclose(artifact.function()(x), x * scale + shift, atol=1e-6)


@pytest.mark.parametrize(
    ("behind", "fused"),
    [
        (Node("relu", "relu"), True),
        (Node("leak", "leaky_relu", options={"slope": SLOPE}), True),
        (Node("parametric", "prelu", weights={"alpha": ALPHA}), True),
        (Node("tanh", "tanh"), False),
    ],
)
def test_a_convolution_takes_its_rectifier_along(behind, fused, tmp_path):
    graph, x = image_graph(CONV, behind), of(2, 6, 6, 8)
    artifact = written(graph, tmp_path)
    expected = ["Placeholder", "_FusedConv2D"] + ([] if fused else ["Tanh"])
    assert artifact.operations == expected
    np.testing.assert_allclose(artifact.function()(x), np.asarray(graph(x)), atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"strides": (2, 2), "padding": "same"},
        {"strides": (1, 1), "padding": "valid"},
        {"strides": (1, 1), "padding": ((0, 1), (2, 1))},
    ],
)
def test_strides_and_padding(options, tmp_path):
    graph, x = image_graph(Node("conv", "conv", weights=KERNEL, options=options)), of(2, 6, 6, 8)
    np.testing.assert_allclose(
        written(graph, tmp_path).function()(x), np.asarray(graph(x)), atol=1e-5
    )


@pytest.mark.parametrize("side", [6, None])
@pytest.mark.parametrize(
    "step",
    [
        Node("up", "shuffle", options={"block": 2, "crop": 0}),
        Node("up", "shuffle", options={"block": 2, "crop": 1}),
        Node("up", "resize", options={"factor": 3, "method": "bilinear"}),
        Node("up", "resize", options={"factor": 2, "method": "nearest"}),
        Node("less", "mean", options={"pool_size": (2, 2), "strides": (1, 1), "padding": "same"}),
        Node("turned", "mirror"),
    ],
    ids=lambda step: str(step.op if isinstance(step, Node) else step),
)
def test_sizes(step, side, tmp_path):
    graph, x = image_graph(CONV, step, side=side), of(2, 6, 6, 8)
    np.testing.assert_allclose(
        written(graph, tmp_path).function()(x), np.asarray(graph(x)), atol=1e-5
    )


def test_a_step_that_two_take_keeps_its_rectifier_apart(tmp_path):
    x = Node("pictures", "input", options={"shape": (6, 6, 8)})
    conv = Node("conv", "conv", ("pictures",), KERNEL, SAME)
    relu = Node("relu", "relu", ("conv",))
    total = Node("sum", "add", ("relu", "conv", "pictures"))
    both = Node("both", "concat", ("sum", "relu"))
    graph, given = Graph((x, conv, relu, total, both), ("pictures",), "both"), of(1, 6, 6, 8)
    artifact = written(graph, tmp_path)
    assert artifact.operations.count("Relu") == 1 and artifact.operations.count("AddV2") == 2
    np.testing.assert_allclose(artifact.function()(given), np.asarray(graph(given)), atol=1e-5)


def test_numbers_of_a_channel_spread_over_a_map(tmp_path):
    """As conditional batch norm multiplies and adds them."""
    x = Node("pictures", "input", options={"shape": (6, 6, 8)})
    z = Node("latents", "input", options={"shape": (8,)})
    one = Node("one", "reshape", ("latents",), options={"shape": (1, 1, 8)})
    times = Node("times", "multiply", ("pictures", "one"))
    plus = Node("plus", "add", ("times", "one"))
    graph = Graph((x, z, one, times, plus), ("pictures", "latents"), "plus")
    maps, numbers = of(2, 6, 6, 8), of(2, 8)
    found = written(graph, tmp_path).function()(numbers, maps)  # latents come first
    spread = numbers[:, None, None]
    np.testing.assert_allclose(found, maps * spread + spread, rtol=1e-5, atol=1e-6)


def test_names_that_meet(tmp_path):
    """Two steps whose names are one to TensorFlow."""
    graph, x = image_graph(Node("a b", "relu"), Node("a*b", "tanh")), of(1, 6, 6, 8)
    np.testing.assert_allclose(
        written(graph, tmp_path).function()(x), np.tanh(np.maximum(x, 0)), atol=1e-6
    )


def test_long_weights_become_files_of_four_mebibytes(tmp_path):
    kernel = of(8, 150_000)
    x = Node("latents", "input", options={"shape": (8,)})
    weights = {"kernel": kernel, "bias": np.zeros(150_000, np.float32)}
    graph = Graph((x, Node("fc", "dense", ("latents",), weights)), ("latents",), "fc")
    given = of(1, 8)
    artifact = written(graph, tmp_path)
    [group] = read_json(tmp_path / tfjs.MODEL)["weightsManifest"]
    sizes = [(tmp_path / path).stat().st_size for path in group["paths"]]
    assert sizes == [2**22, 5_400_000 - 2**22]
    np.testing.assert_allclose(artifact.function()(given), given @ kernel, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("low, high", [(-1.0, 2.0), (0.5, 3.0), (0.7, 0.7)])
def test_eight_bits_are_256_steps(low, high, tmp_path):
    kernel = np.linspace(low, high, 24, dtype=np.float32).reshape(8, 3)
    x = Node("latents", "input", options={"shape": (8,)})
    weights = {"kernel": kernel, "bias": np.zeros(3, np.float32)}
    graph = Graph((x, Node("fc", "dense", ("latents",), weights)), ("latents",), "fc")
    artifact = written(graph, tmp_path, {("fc", "kernel"): "uint8", ("fc", "bias"): "float16"})
    found = artifact.weights["fc/kernel"]
    assert (found.dtype, artifact.weights["fc/bias"].dtype) == ("uint8", "float16")
    assert np.abs(found.values - kernel).max() <= (high - low) / 255 / 2 + 1e-6
    assert (found.values == 0).sum() == (kernel == 0).sum()


def test_layers_of_others_are_refused(tmp_path):
    given = keras.Input((4, 4, 2), name="pictures")
    pooled = keras.layers.MaxPooling2D(name="mine")(given)
    graph = from_keras(keras.Model(given, pooled))
    with pytest.raises(ValueError, match="'mine', a MaxPooling2D. .*--converter tensorflowjs"):
        tfjs.convert(graph, tmp_path, {})


def transposed() -> Graph:
    given = keras.Input((4, 4, 2), name="pictures")
    layer = keras.layers.Conv2DTranspose(3, 3, 2, padding="valid", name="up")
    return rewrite(from_keras(keras.Model(given, layer(given))))


def test_transposed_convolutions_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'up', a Conv2DTranspose"):
        tfjs.convert(transposed(), tmp_path, {})


def test_those_of_the_official_converter_are_refused_too(reference, tmp_path):
    graph = transposed()
    reference.convert(graph, tmp_path / "theirs", {})
    x = [np.zeros((1, 4, 4, 2), np.float32)]
    with pytest.raises(RuntimeError, match="Received: Conv2DBackpropInput"):
        check_artifact(tfjs.read(tmp_path / "theirs"), graph, {}, x)


# ---- beside the official converter ---------------------------------------------------------------
# In 16 bits: in 8 it rounds a few halves, computed in float32, to the other side.


def alike(model, given, folder, kind):
    plan = precision.plan(rewrite(from_keras(model)), kind)
    found = []
    for write in (tfjs.convert, tfjs_reference.convert):
        write(plan.graph, folder / write.__module__, plan.dtypes)
        found.append(tfjs.read(folder / write.__module__).function()(*given))
    np.testing.assert_allclose(*found, atol=1e-6)


@pytest.mark.parametrize("name", in_time((name,) for name in GENERATED))
def test_generators_of_the_recipes(reference, name, tmp_path):
    model = generator(name)
    alike(model, inputs(model), tmp_path, "float16")


def test_upscalers(reference, tmp_path):
    alike(upscaler(), [pictures(1, 7, 12)], tmp_path, "float16")
    for factor in (2, 4):
        compact = upscaler(factor, "compact")
        alike(compact, [pictures(1, 7, 12)], tmp_path / str(factor), "float16")


SHIPPED = [name for name in zoo.names() if not name.startswith("tagger")]


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_models_that_ship(reference, name, tmp_path):
    folder = zoo.path(name)
    if kind_of(folder) == "upscaler":
        alike(load_upscaler(folder).model, [pictures(1, 8, 8)], tmp_path, "float16")
        return
    made = load_generator(folder)
    labels = to_signed(seeds.sample_labels(0, 2, made.schema))
    alike(made.model, [seeds.latents(0, 2, made.latent_dim), labels], tmp_path, "float16")


def test_without_tensorflowjs(monkeypatch):
    name = "tensorflowjs.converters.tf_saved_model_conversion_v2"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "tensorflowjs", None)
    with pytest.raises(ImportError, match="tfjs-reference"):
        tfjs_reference.require()


@pytest.mark.slow
def test_a_broken_decision_forests_does_not_matter(reference, tmp_path):
    """In a fresh interpreter whose tensorflow_decision_forests, jax and others cannot be had."""
    for name in ("tensorflow_decision_forests", "ydf"):
        (tmp_path / f"{name}.py").write_text("raise AttributeError('broken')\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from tfanime.export.web import tfjs_reference; tfjs_reference.require()\n"
        "print([n for n in tfjs_reference.NEVER + tfjs_reference.OPTIONAL if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "tensorflow_decision_forests" not in done.stdout  # the stand-in is gone again
