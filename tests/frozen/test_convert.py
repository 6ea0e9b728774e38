"""Networks of others as Keras files, from weights of several kinds of file."""

import base64
import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import layers
from PIL import Image

from tfanime.cli import main
from tfanime.frozen import convert, tfjs


@pytest.fixture(scope="module")
def network():
    model = keras.applications.MobileNetV2((32, 32, 3), include_top=False, weights=None)
    random = np.random.default_rng(0)
    for variable in model.weights:
        # Batch norm as it comes does nothing; a variance must stay positive.
        variable.assign(random.uniform(0.1, 0.3, variable.shape).astype(np.float32))
    return model


def tensorflowjs(model):
    """As its converter: old names, files of a fixed size, half the arrays in 8 bits.

    Returns the manifest and the content of the files by name.
    """
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
    files = {"part-1of2": data[:half], "part-2of2": data[half:]}
    return [{"paths": list(files), "weights": entries}], files


def write_folder(folder, network, topology=None):
    manifest, files = tensorflowjs(network)
    for name, part in files.items():
        (folder / name).write_bytes(part)
    topology = topology or {"model_config": {"config": {}}}
    model = {"modelTopology": topology, "weightsManifest": manifest}
    (folder / "model.json").write_text(json.dumps(model))


def test_weights_of_tensorflowjs(network, tmp_path):
    write_folder(tmp_path, network)
    out = tmp_path / "frozen.keras"
    words = ["features", "mobilenet", "--weights", tmp_path / "model.json", "--range", 0, 1]
    done = CliRunner().invoke(main, [*map(str, words), "--size", "32", "--out", str(out)])
    assert done.exit_code == 0, done.output
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


def test_weights_of_keras(network, tmp_path):
    network.save_weights(tmp_path / "mine.weights.h5")
    out = convert.mobilenet(tmp_path / "x" / "frozen.keras", tmp_path / "mine.weights.h5", size=32)
    pictures = np.random.default_rng(1).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    found = keras.saving.load_model(out)(pictures)
    np.testing.assert_allclose(found, network(pictures), rtol=1e-5)


def test_a_network_that_sees_pictures_at_twice_their_size(network, tmp_path):
    network.save_weights(tmp_path / "mine.weights.h5")
    out = tmp_path / "frozen.keras"
    convert.mobilenet(out, tmp_path / "mine.weights.h5", size=16, enlarge=2)
    pictures = np.random.default_rng(1).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    larger = np.empty((2, 32, 32, 3), np.float32)
    for i, channel in np.ndindex(2, 3):
        plane = Image.fromarray(pictures[i, ..., channel])
        larger[i, ..., channel] = plane.resize((32, 32), Image.Resampling.BILINEAR)
    found = keras.saving.load_model(out)(pictures)
    np.testing.assert_allclose(found, network(larger), rtol=1e-4)


def test_weights_that_are_not_there(network, tmp_path):
    words = ["features", "mobilenet", "--weights", str(tmp_path / "none.weights.h5")]
    done = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "frozen.keras")])
    assert done.exit_code == 1 and "could not be read" in done.output
    write_folder(tmp_path, keras.Sequential([keras.Input((4,)), layers.Dense(2)]))
    with pytest.raises(ValueError, match="an array for each weight.*Missing: Conv1/kernel"):
        convert.mobilenet(tmp_path / "frozen.keras", tmp_path / "model.json", size=32)
    with pytest.raises(ValueError, match="is a .keras file. Received: .*frozen.h5"):
        convert.mobilenet(tmp_path / "frozen.h5")


# ---- whole models of TensorFlow.js ---------------------------------------------------------------


@pytest.fixture(scope="module")
def classifier():
    """The kinds of layers that nsfwjs's InceptionV3 has."""
    x = inputs = keras.Input((16, 16, 3), name="input_1")
    x = layers.Conv2D(4, 3, 2, use_bias=False, name="conv2d_1")(x)
    x = layers.BatchNormalization(scale=False, epsilon=1e-3, name="batch_normalization_1")(x)
    x = layers.Activation("relu", name="activation_1")(x)
    one = layers.Conv2D(3, (1, 3), padding="same", use_bias=False, name="conv2d_2")(x)
    other = layers.AveragePooling2D(3, 1, padding="same", name="average_pooling2d_1")(x)
    x = layers.Concatenate(axis=3, name="mixed0")([one, other])
    x = layers.MaxPooling2D(3, 2, name="max_pooling2d_1")(x)
    x = layers.AveragePooling2D(3, 3, name="average_pooling2d_2")(x)
    x = layers.Flatten(name="flatten_1")(x)
    x = layers.Dropout(0.5, name="dropout_1")(x)
    network = keras.Model(inputs, layers.Dense(5, activation="softmax", name="dense_1")(x))
    random = np.random.default_rng(0)
    for variable in network.weights:
        variable.assign(random.uniform(0.1, 0.3, variable.shape).astype(np.float32))
    return network


def keras2(network):
    """Its description as Keras 2 wrote it."""
    specs = []
    for layer in network.layers:
        options = json.loads(json.dumps(layer.get_config(), default=str))
        if isinstance(layer, layers.InputLayer):
            options["batch_input_shape"] = options.pop("batch_shape")
        before = [t._keras_history.operation.name for t in layer._inbound_nodes[0].input_tensors]
        nodes = [[[name, 0, 0, {}] for name in before]] if before else []
        specs.append(
            {"class_name": type(layer).__name__, "config": options, "inbound_nodes": nodes}
        )
    return {"model_config": {"class_name": "Model", "config": {"layers": specs}}}


def javascript(value):
    """A value as minifiers write it."""
    if isinstance(value, bool):
        return "!0" if value else "!1"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_key(k)}:{javascript(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(javascript, value)) + "]"
    if isinstance(value, float) and 0 < abs(value) < 1 and "e" not in repr(value):
        return repr(value).replace("0.", ".", 1)
    return json.dumps(value)


def _key(name):
    return name if name.isidentifier() else json.dumps(name)


def write_package(folder, network):
    """As the npm package bundles its models."""
    manifest, files = tensorflowjs(network)
    place = folder / convert.INCEPTION.parent
    place.mkdir(parents=True)
    wrap = (
        "!function(a){{module.exports=a()}}({{1:[function(a,n,i){{n.exports={}}},{{}}]}},{{}},[1]);"
    )
    model = {"modelTopology": keras2(network), "weightsManifest": manifest}
    (place / "model.min.js").write_text(wrap.format(javascript(model)))
    for name, part in files.items():
        coded = base64.b64encode(part).decode()
        (place / f"{name}.min.js").write_text(wrap.format(f'"{coded}"'))


def reference(network):
    """The network with the weights as 8 bits hold them."""
    manifest, files = tensorflowjs(network)
    arrays = tfjs._arrays(b"".join(files.values()), manifest[0]["weights"])
    copy = keras.models.clone_model(network)
    for layer in copy.layers:
        tfjs.give(layer, arrays)
    return copy


def test_drawings_from_the_unpacked_package(classifier, tmp_path, monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    write_package(tmp_path / "package", classifier)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 3)).astype(np.float32)
    stored = reference(classifier)
    wanted = keras.Model(stored.input, stored.get_layer("flatten_1").output)(pixels / 255)
    for folder in ("package", "."):  # as tar unpacks it
        done = CliRunner().invoke(main, ["features", "drawings", "--from", str(tmp_path / folder)])
        assert done.exit_code == 0, done.output
        file = tmp_path / "cache" / "features" / "drawings.keras"
        assert str(file) in done.output
        made = keras.saving.load_model(file)
        assert made.layers[-1].name == "features"
        np.testing.assert_allclose(made(pixels / 127.5 - 1), wanted, rtol=1e-5)
        file.unlink()


def test_a_folder_that_is_not_the_package(tmp_path):
    sentence = "npm pack nsfwjs@4.3.0, then tar xzf.*without dist/models/inception_v3"
    with pytest.raises(ValueError, match=sentence):
        convert.drawings(tmp_path)


def test_all_of_a_model_from_its_json(classifier, tmp_path):
    write_folder(tmp_path, classifier, keras2(classifier))
    config, arrays = tfjs.read_layers_model(tmp_path / "model.json")
    pictures = keras.Input((16, 16, 3))
    outputs = tfjs.layer_outputs(config, arrays, pictures)
    pixels = np.random.default_rng(0).uniform(0, 1, (2, 16, 16, 3)).astype(np.float32)
    found = keras.Model(pictures, outputs["dense_1"])(pixels)
    np.testing.assert_allclose(found, reference(classifier)(pixels), rtol=1e-5)


def test_what_cannot_be_read(classifier, tmp_path):
    topology = keras2(classifier)
    topology["model_config"]["config"]["layers"][3]["class_name"] = "Lambda"
    write_folder(tmp_path, classifier, topology)
    config, arrays = tfjs.read_layers_model(tmp_path / "model.json")
    with pytest.raises(ValueError, match="is one of: Activation, .*Received: 'Lambda'"):
        tfjs.layer_outputs(config, arrays, keras.Input((16, 16, 3)))
    for name, content in (
        ("model.json", '{"format": "graph-model"}'),
        ("model.json", "<html>"),
        ("model.min.js", "module.exports={a:b(1)}"),
        ("model.min.js", "nothing"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match="model.json or model.min.js of a layers model"):
            tfjs.read_layers_model(tmp_path / name)
