"""scripts/frozen_network.py: a network to look through, from weights of several kinds of file."""

import json
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from tests import scripts


@pytest.fixture(scope="module")
def script():
    return scripts.load("frozen_network")


@pytest.fixture(scope="module")
def network():
    model = keras.applications.MobileNetV2((32, 32, 3), include_top=False, weights=None)
    random = np.random.default_rng(0)
    for variable in model.weights:
        # Batch norm as it comes does nothing; a variance must stay positive.
        variable.assign(random.uniform(0.1, 0.3, variable.shape).astype(np.float32))
    return model


def write_tensorflowjs(model, folder):
    """As its converter: old names, files of a fixed size, half the arrays in 8 bits."""
    entries, data = [], b""
    for i, (layer, variable) in enumerate((x, v) for x in model.layers for v in x.weights):
        array = variable.numpy()
        depthwise = type(layer).__name__ == "DepthwiseConv2D" and variable.name == "kernel"
        name = "depthwise_kernel" if depthwise else variable.name
        entry = {"name": f"{layer.name}/{name}", "shape": array.shape, "dtype": "float32"}
        if i % 2:
            least, scale = float(array.min()), float(np.ptp(array)) / 255 or 1.0
            array = np.rint((array - least) / scale).astype(np.uint8)
            entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": least}
        entries.append(entry)
        data += array.tobytes()
    half = len(data) // 2
    for name, part in (("a", data[:half]), ("b", data[half:])):
        (folder / name).write_bytes(part)
    group = {"paths": ["a", "b"], "weights": entries}
    (folder / "model.json").write_text(json.dumps({"weightsManifest": [group]}))


def run(script, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["frozen_network.py", *map(str, words)])
    script.main()


def test_weights_of_tensorflowjs(script, network, tmp_path, monkeypatch):
    write_tensorflowjs(network, tmp_path)
    out = tmp_path / "frozen.keras"
    words = ("--weights", tmp_path / "model.json", "--range", 0, 1, "--size", 32, "--out", out)
    run(script, monkeypatch, *words)
    made = keras.saving.load_model(out)
    for layer in network.layers:
        stored = made.get_layer(layer.name).weights if layer.weights else ()
        for mine, theirs in zip(stored, layer.weights, strict=True):
            # Half a step of 8 bits between 0.1 and 0.3.
            np.testing.assert_allclose(mine.numpy(), theirs.numpy(), atol=0.2 / 255 / 2 + 1e-6)
    # From [-1, 1] to the range asked for.
    rescaled = keras.Model(made.input, made.layers[1].output)
    ends = np.stack([np.full((32, 32, 3), x, np.float32) for x in (-1, 1)])
    np.testing.assert_array_equal(rescaled(ends)[:, 0, 0, 0], [0, 1])


def test_weights_of_keras(script, network, tmp_path, monkeypatch):
    network.save_weights(tmp_path / "mine.weights.h5")
    out = tmp_path / "frozen.keras"
    words = ("--weights", tmp_path / "mine.weights.h5", "--size", 32, "--out", out)
    run(script, monkeypatch, *words)
    pictures = np.random.default_rng(1).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    found = keras.saving.load_model(out)(pictures)
    np.testing.assert_allclose(found, network(pictures), rtol=1e-5)


def test_a_network_that_sees_pictures_at_twice_their_size(script, network, tmp_path, monkeypatch):
    network.save_weights(tmp_path / "mine.weights.h5")
    out = tmp_path / "frozen.keras"
    weights = ("--weights", tmp_path / "mine.weights.h5")
    run(script, monkeypatch, *weights, "--size", 16, "--enlarge", 2, "--out", out)
    pictures = np.random.default_rng(1).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    larger = np.empty((2, 32, 32, 3), np.float32)
    for i, channel in np.ndindex(2, 3):
        plane = Image.fromarray(pictures[i, ..., channel])
        larger[i, ..., channel] = plane.resize((32, 32), Image.Resampling.BILINEAR)
    found = keras.saving.load_model(out)(pictures)
    np.testing.assert_allclose(found, network(larger), rtol=1e-4)


def test_weights_that_are_not_there(script, tmp_path, monkeypatch, capsys):
    words = ("--weights", tmp_path / "none.weights.h5", "--out", tmp_path / "frozen.keras")
    with pytest.raises(SystemExit) as stopped:
        run(script, monkeypatch, *words)
    assert stopped.value.code == 1
    assert "could not be read" in capsys.readouterr().err
