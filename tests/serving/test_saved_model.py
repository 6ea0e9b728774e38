"""The exported folder: what is in it, what its signatures answer, what is refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tiny_models import LATENT, SCHEMA, trace_only

import tfanime
from tests import scripts
from tfanime.core import seeds
from tfanime.core.decode import read_image
from tfanime.core.files import read_json
from tfanime.core.images import to_uint8
from tfanime.core.labels import Field, LabelSchema, to_signed
from tfanime.export.serving import server_files
from tfanime.export.serving.saved_model import export_saved_model
from tfanime.export.serving.session import Session
from tfanime.models import GENERATORS
from tfanime.zoo.saved import load_generator, save_generator

COMMON = {"describe", "from_latent", "generate", "generate_png", "interpolate", "serving_default"}


@pytest.fixture(scope="module")
def girls(server) -> Session:
    """The server's own, which takes seconds to load and to call for the first time."""
    return server.models["girls"][1]


@pytest.fixture(scope="module")
def keras_girls(runs):
    return load_generator(runs / "girls")


def row(**changes) -> dict[str, np.ndarray]:
    asked = {"seed": 7, "n": 3, "first": 0, "truncation": 1.0, "tags": b""} | changes
    kinds = {"truncation": np.float32, "tags": object, "to_tags": object, "labels": np.float32}
    return {name: np.asarray([x], kinds.get(name, np.int64)) for name, x in asked.items()}


def pictures(files) -> np.ndarray:
    return np.stack([np.asarray(read_image(file)) for file in files])


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_the_export_says(exported):
    _, girls, plain = exported
    assert set(girls.signatures) == {*COMMON, "from_labels", "upscale"}
    assert set(plain.signatures) == COMMON
    assert (girls.name, girls.version, plain.version) == ("girls", 1, 3)
    told = [read_json(one.path / "assets.extra" / "tfanime.json") for one in (girls, plain)]
    assert [one["leastTruncation"] for one in told] == [0.6, None]
    assert girls.difference <= 1e-5 and plain.difference <= 1e-5


def test_weights_are_stored_once(exported, runs):
    model = load_generator(runs / "plain").model
    plain = exported[2]
    assert plain.weight_bytes == sum(4 * np.prod(w.shape) for w in model.weights)
    names = tf.train.list_variables(str(plain.path / "variables" / "variables"))
    stored = [np.prod(shape) for name, shape in names if name.endswith("VARIABLE_VALUE")]
    assert 4 * sum(stored) == plain.weight_bytes
    kernels = [w.numpy() for w in model.weights if w.name == "kernel"]
    graph = (plain.path / "saved_model.pb").read_bytes()
    assert not any(kernel.tobytes()[:64] in graph for kernel in kernels)


@pytest.mark.slow
def test_warmup_requests_are_answered(exported, girls):
    from tensorflow_serving.apis import prediction_log_pb2

    path, seen = exported[1].path, set()
    for record in tf.data.TFRecordDataset(str(path / "assets.extra/tf_serving_warmup_requests")):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        assert request.model_spec.name == "girls"
        seen.add(request.model_spec.signature_name)
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        assert girls(request.model_spec.signature_name, inputs)
    assert seen == set(exported[1].signatures)


def test_server_files(exported):
    from tensorflow_serving.config import model_server_config_pb2

    folder = exported[0]
    text = (folder / "models.config").read_text()
    found = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    entries = [(c.name, c.base_path, c.model_platform) for c in found.model_config_list.config]
    assert entries == [(n, f"/models/{n}", "tensorflow") for n in ("girls", "plain")]
    # 256 pictures of a batch, at most 64 of a request
    assert "max_batch_size { value: 4 }" in (folder / "batching.config").read_text()
    assert "/monitoring/prometheus/metrics" in (folder / "monitoring.config").read_text()


def test_own_server_files_are_left_alone(tmp_path):
    (tmp_path / "models.config").write_text("mine")
    description = {"limits": {"call": 256, "pictures": 1}}
    for model in ("a", "b"):
        extra = tmp_path / model / "2" / server_files.EXTRA
        extra.mkdir(parents=True)
        (extra / server_files.DESCRIPTION).write_text(str(description).replace("'", '"'))
    server_files.write(tmp_path)
    assert (tmp_path / "models.config").read_text() == "mine"
    assert "max_batch_size { value: 64 }" in (tmp_path / "batching.config").read_text()


def test_versions_are_never_replaced(runs, exported, tmp_path, monkeypatch):
    trace_only(monkeypatch, "generate")
    same = (np.zeros((1, 2, 2, 3)),) * 2
    monkeypatch.setattr("tfanime.export.serving.saved_model._compared", lambda *_: same)
    before = shutil.copytree(exported[2].path, tmp_path / "plain" / "1")
    inside = {p: p.read_bytes() for p in before.rglob("*") if p.is_file()}
    with pytest.raises(ValueError, match="never replaced. Received: 1, .* version out for 2"):
        export_saved_model(runs / "plain", tmp_path / "plain", version=1)
    assert export_saved_model(runs / "plain", tmp_path / "plain").version == 2
    assert {p: p.read_bytes() for p in before.rglob("*") if p.is_file()} == inside


def test_nothing_is_left_of_an_export_that_draws_something_else(runs, tmp_path, monkeypatch):
    trace_only(monkeypatch, "generate")
    differing = (np.zeros((1, 2, 2, 3)), np.full((1, 2, 2, 3), 2e-4))
    monkeypatch.setattr("tfanime.export.serving.saved_model._compared", lambda *_: differing)
    with pytest.raises(RuntimeError, match="by 0.0001 at most. Received: 0.0002"):
        export_saved_model(runs / "plain", tmp_path / "plain")
    assert list((tmp_path / "plain").iterdir()) == []


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"out": "a b"}, "name on the server"),
        ({"out": "x", "most": 0}, "most is a whole number from 1 to 256"),
        ({"out": "x", "most": 257}, "most is a whole number"),
        ({"out": "x", "version": 0}, "version is a whole number, at least 1"),
        ({"out": "x/3", "version": 4}, "said once"),
        ({"out": "x", "run": "larger"}, "A run of a generator is needed"),
        ({"out": "x", "upscaler": "girls"}, "A run of an upscaler is needed"),
    ],
)
def test_wrong_arguments(runs, tmp_path, arguments, message):
    arguments = {"run": "plain"} | arguments
    for name in {"run", "upscaler"} & set(arguments):
        arguments[name] = runs / arguments[name]
    arguments["out"] = tmp_path / arguments["out"]
    with pytest.raises(ValueError, match=message):
        export_saved_model(**arguments)
    assert list(tmp_path.iterdir()) == []


def test_names_that_have_no_text_are_refused(runs, tmp_path):
    schema = LabelSchema((Field("hair", "group", ("red, dark", "blue")),))
    save_generator(tmp_path / "run", GENERATORS["dcgan"](16, 16, 2, 2, channels=2), schema, "x")
    with pytest.raises(ValueError, match="Received: 'red, dark' of 'hair'"):
        export_saved_model(tmp_path / "run", tmp_path / "out" / "x")


# ---- what is drawn -------------------------------------------------------------------------------


def test_generate_draws_keras_pictures(girls, keras_girls):
    tags = {"hair": "blue", "smile": False}
    asked = row(seed=2**53 - 1, n=10, first=5, truncation=0.7, tags=b"hair=blue, no-smile")
    found = {name: value[0] for name, value in girls("generate", asked).items()}
    z = seeds.truncate(seeds.latents(2**53 - 1, 10, LATENT, 5), 0.7)
    labels = seeds.sample_labels(2**53 - 1, 10, SCHEMA, tags, 5)
    expected = keras_girls(z, to_signed(labels))
    np.testing.assert_allclose(found["latents"], z, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found["labels"], labels)
    np.testing.assert_allclose(found["pictures"], expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(pictures(found["png_bytes"]), to_uint8(found["pictures"]))
    assert all(tags.startswith(b"hair=blue,") and b"smile" not in tags for tags in found["tags"])
    png = girls("generate_png", asked)
    assert sorted(png) == ["labels", "latents", "png_bytes", "tags"]
    np.testing.assert_array_equal(png["png_bytes"][0], found["png_bytes"])


def test_requests_of_a_batch_do_not_disturb_each_other(girls):
    """A server may put the rows of several users into one call."""
    asked = [row(seed=3, n=2, tags=b"smile"), row(n=10, first=4), row(truncation=0.5, n=1)]
    together = {name: np.concatenate([r[name] for r in asked]) for name in asked[0]}
    found = girls("generate", together)
    for i, request in enumerate(asked):
        alone, n = girls("generate", request), int(request["n"][0])
        np.testing.assert_allclose(found["pictures"][i, :n], alone["pictures"][0], atol=1e-5)
        np.testing.assert_array_equal(found["labels"][i, :n], alone["labels"][0])
        assert found["png_bytes"].shape[1] == 10 and set(found["png_bytes"][i, n:]) <= {b""}
        assert not found["pictures"][i, n:].any()


def test_labels_as_vectors(girls):
    fixed = SCHEMA.encode({"hair": "red", "year": 2000})
    asked = row(labels=fixed)
    del asked["tags"]
    found = girls("from_labels", asked)
    same = girls("generate", row(tags=b"hair=red,year=2000"))
    assert sorted(found) == sorted(same)
    np.testing.assert_array_equal(found["labels"], same["labels"])
    np.testing.assert_array_equal(found["png_bytes"], same["png_bytes"])


def test_from_latent(girls, keras_girls):
    z = seeds.latents(1, 3, LATENT)
    labels = np.stack([SCHEMA.encode(t) for t in ({}, {"hair": "red"}, {"smile": True})])
    found = girls("from_latent", {"latents": z, "labels": labels})
    np.testing.assert_allclose(found["pictures"], keras_girls(z, to_signed(labels)), atol=1e-5)
    assert found["png_bytes"].shape == (3,)


def test_interpolate(girls, runs):
    asked = {"seed": 1, "to_seed": 2, "frames": 6, "truncation": 0.9}
    kinds = {"truncation": np.float32}
    inputs = {name: np.asarray([x], kinds.get(name, np.int64)) for name, x in asked.items()}
    inputs |= {"tags": np.asarray([b"smile"], object), "to_tags": np.asarray([b""], object)}
    found = girls("interpolate", inputs)
    tags = [{"smile": True}, {}]
    loop = tfanime.interpolate(runs / "girls", [1, 2], tags, frames=6, truncation=0.9)
    np.testing.assert_allclose(found["latents"][0], loop.latents[:6], atol=1e-6)
    np.testing.assert_allclose(found["labels"][0], loop.labels[:6], atol=1e-6)
    step = np.abs(pictures(found["png_bytes"][0]).astype(int) - loop.images[:6])
    assert step.max() <= 1


def test_upscale(girls, runs):
    small = np.random.default_rng(0).integers(0, 256, (2, 9, 14, 3)).astype(np.uint8)
    found = girls("upscale", {"pictures": small})
    expected = tfanime.upscale(small, runs / "larger")
    assert found["pictures"].shape == (2, 18, 28, 3)
    assert np.abs(found["pictures"].astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(pictures(found["png_bytes"]), found["pictures"])


@pytest.mark.slow
def test_files_are_shown_through_the_upscaler_that_the_model_names(runs, tmp_path, monkeypatch):
    from tfanime import zoo
    from tfanime.zoo.saved import store_upscaler

    monkeypatch.setattr(zoo.shipped, "PLACES", (tmp_path / "zoo",))
    shutil.copytree(runs / "larger", tmp_path / "zoo" / "enlarger")
    (tmp_path / "zoo" / "enlarger" / "MODEL_CARD.md").write_text("# Larger\n")
    run = shutil.copytree(runs / "plain", tmp_path / "plain")
    store_upscaler(run, "enlarger")
    served = export_saved_model(run, tmp_path / "serving" / "plain")
    assert "upscale" in served.signatures
    session = Session(served.path)
    try:
        found = session("generate", row(seed=3, n=2))
        about = json.loads(session("describe", {"about": np.asarray([b""], object)})["json"][0])
        asked = row(seed=1, to_seed=2, frames=2, to_tags=b"")
        moving = session("interpolate", {k: v for k, v in asked.items() if k not in ("n", "first")})
    finally:
        session.close()
    assert about["upscaler"] == {"name": "larger", "factor": 2, "shown": True}
    expected = tfanime.generate(run, n=2, seed=3).images
    assert expected.shape == (2, 64, 64, 3) and found["pictures"].shape == (1, 2, 32, 32, 3)
    assert np.abs(pictures(found["png_bytes"][0]).astype(int) - expected).max() <= 2
    assert pictures(moving["png_bytes"][0]).shape == (2, 64, 64, 3)
    same = (np.zeros((1, 2, 2, 3)),) * 2
    monkeypatch.setattr("tfanime.export.serving.saved_model._compared", lambda *_: same)
    trace_only(monkeypatch, "generate", "upscale")
    without = export_saved_model(run, tmp_path / "serving" / "small", upscaler="none")
    assert "upscale" not in without.signatures


def test_the_size_of_files_that_a_server_shows():
    from tfanime.serving.answers import shown_size

    about = {"height": 32, "width": 48}
    for upscaler, size in (
        (None, (32, 48)),
        ({"name": "x", "factor": 4}, (32, 48)),
        ({"name": "x", "factor": 4, "shown": False}, (32, 48)),
        ({"name": "x", "factor": 4, "shown": True}, (128, 192)),
    ):
        assert shown_size({**about, "upscaler": upscaler}) == size


@pytest.mark.slow
def test_a_model_trained_in_bfloat16_is_served_in_float32(tmp_path, monkeypatch):
    """One seed is one picture, and bfloat16 rounds differently in every graph."""
    import keras

    trace_only(monkeypatch, "generate")
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = GENERATORS["dcgan"](16, 16, 3, 0, channels=4)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    save_generator(tmp_path / "run", model, None, "bf")
    assert export_saved_model(tmp_path / "run", tmp_path / "s" / "bf").difference <= 1e-5


@pytest.mark.slow
def test_imagine(tmp_path, monkeypatch):
    """A text becomes the vector of a field; this reader counts letters."""
    from tfanime.export.serving.served.module import Limits, Reader, Served

    trace_only(monkeypatch, "imagine")
    schema = LabelSchema((*SCHEMA.fields, Field("text", "vector", length=2)))
    model = GENERATORS["dcgan"](16, 16, 3, schema.size, channels=4)

    def read(texts):
        length = tf.cast(tf.strings.length(texts), tf.float32)
        return tf.stack((length / 10, -length), axis=1)

    module = Served(model, schema, {}, Limits(4, 4), reader=Reader("text", read))
    signatures = {"imagine": module.signatures()["imagine"]}
    tf.saved_model.save(module, str(tmp_path), signatures=signatures)
    session = Session(tmp_path)
    found = session("imagine", row(n=2, tags=b"hair=red") | {"text": np.asarray([b"moon"], object)})
    labels = found["labels"][0]
    np.testing.assert_allclose(to_signed(labels[:, 5:]), [[0.4, -4]] * 2, rtol=1e-6)
    assert SCHEMA.decode(labels[1, :5])["hair"] == "red"
    same = seeds.sample_labels(7, 2, schema, {"hair": "red", "text": np.float32([0.4, -4])})
    np.testing.assert_allclose(labels, same, rtol=1e-6)
    for text in (b"", b"x" * 2001):
        with pytest.raises(tf.errors.InvalidArgumentError, match="text has 1 to 2000 bytes."):
            session("imagine", row(n=2) | {"text": np.asarray([text], object)})
    session.close()


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "signature, changes, message",
    [
        ("generate", {"n": 0}, "n, images of a request, is a whole number from 1 to 10."),
        ("generate", {"n": 10**9}, "Received: 1000000000."),
        ("generate", {"seed": -1}, "seed is a whole number from 0 to 9007199254740991."),
        ("generate", {"first": 2**32 - 2}, "first + n is a whole number from 1 to 4294967296."),
        ("generate", {"first": 2**63 - 1}, "first, the index of the first image,"),
        ("generate", {"truncation": np.nan}, "truncation is a number from 0 to 2. Received: nan."),
        ("generate", {"tags": b"hat"}, "tags are of: hair=red|blue"),
        ("from_labels", {"labels": [0.5, np.nan, 1, 1, 1]}, "labels of hair are numbers from 0"),
        ("from_labels", {"labels": [0, 1, 2, 1, 1]}, "labels of long_hair are numbers from 0 to 1"),
        ("from_labels", {"labels": [0, 1, 1, 1]}, "labels_0_1 [1,4] is not compatible with"),
        ("generate", {"seed": [7]}, "seed_0_2 [1,1] is not compatible with"),
    ],
)
def test_refusals(girls, signature, changes, message):
    asked = row(**changes)
    if signature == "from_labels":
        del asked["tags"]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        girls(signature, asked)
    assert message in caught.value.message


def test_rows_that_do_not_fit(girls):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Received: seed 1, n 2, first 1"):
        girls("generate", row() | {"n": np.asarray([1, 2])})
    many = {name: np.repeat(value, 30, axis=0) for name, value in row(n=10).items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match="largest n .* Received: 300."):
        girls("generate", many)
    none = {name: value[:0] for name, value in row().items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match="1 to 256. Received: seed 0"):
        girls("generate", none)


def test_latents_must_be_finite(girls):
    labels = np.full((2, SCHEMA.size), np.nan, np.float32)
    for bad in (np.nan, np.inf):
        z = np.zeros((2, LATENT), np.float32)
        z[1, 3] = bad
        with pytest.raises(tf.errors.InvalidArgumentError, match="latents are finite numbers."):
            girls("from_latent", {"latents": z, "labels": labels})


def test_pictures_to_enlarge_have_limits(girls):
    for shape in ((1, 0, 4, 3), (1, 513, 4, 3), (9, 512, 512, 3), (1, 4, 4, 1)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="enlarge|number of pixels|Shape"):
            girls("upscale", {"pictures": np.zeros(shape, np.uint8)})


def test_tags_of_a_model_without_labels_are_refused(server):
    session = server.models["plain"][3]
    assert session("generate", row())["pictures"].shape == (1, 3, 32, 32, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="trained without labels: tags is"):
        session("generate", row(tags=b"smile"))


def test_mixed_valid_and_hostile_requests(girls):
    """scripts/serving/check_serving.py sends 10,000; this is the same, shorter."""
    counts, unclear = scripts.load("serving/check_serving").run(girls, 250)
    assert not unclear
    assert counts["valid: answered"] > 90 and counts["hostile: refused"] > 90
    assert not any("badly" in what for what in counts)
