"""The client against a server with the official protocols: gRPC and REST, both ways alike."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
from tiny_models import LATENT, SCHEMA

import tfanime
from tfanime.core import seeds
from tfanime.serving import Client, client, rest_transport

pytestmark = pytest.mark.usefixtures("models_once")
UNAVAILABLE, INVALID = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture(params=["rest", "grpc"])
def address(request, server):
    server.failures.clear()
    server.delay = 0.0
    yield getattr(server, request.param)
    server.failures.clear()
    server.delay = 0.0


@pytest.fixture
def girls(address):
    with Client(address, "girls") as found:
        yield found


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(client, "LONGEST_WAIT", 0.002)


def step(a: np.ndarray, b: np.ndarray) -> int:
    """The largest difference of pictures, in steps of 255."""
    assert a.shape == b.shape and a.dtype == b.dtype == np.uint8
    return int(np.abs(a.astype(int) - b).max())


# ---- the same pictures ---------------------------------------------------------------------------


def test_generate(girls, runs):
    """13 pictures, where the model gives 10 for a request."""
    tags = {"hair": "blue", "smile": False, "year": 2001.5}
    asked = dict(n=13, seed=7, tags=tags, truncation=0.8, first=3)
    found, expected = girls.generate(**asked), tfanime.generate(runs / "girls", **asked)
    np.testing.assert_allclose(found.latents, expected.latents, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert step(found.images, expected.images) <= 1
    assert found.tags == expected.tags and found.schema == SCHEMA
    assert (found.seed, found.indices[0]) == (7, 3)


def test_interpolate(girls, runs):
    asked = dict(seeds=[1, 2], tags=[{"hair": "red"}, {"hair": "blue"}], frames=4, truncation=0.9)
    found, expected = girls.interpolate(**asked), tfanime.interpolate(runs / "girls", **asked)
    np.testing.assert_allclose(found.latents, expected.latents, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.labels, expected.labels, rtol=0, atol=1e-6)
    assert step(found.images, expected.images) <= 1


def test_from_latent_and_upscale(girls, runs):
    expected = tfanime.generate(runs / "girls", n=11, seed=1)
    found = girls.from_latent(expected.latents, expected.labels)
    assert step(found, expected.images) <= 1
    larger = girls.upscale(found[:2])
    assert step(larger, tfanime.upscale(found[:2], runs / "larger")) <= 1


def test_a_model_without_labels(address, runs):
    with Client(address, "plain", version=3) as plain:
        found, expected = plain.generate(n=2, seed=5), tfanime.generate(runs / "plain", 2, 5)
        assert step(found.images, expected.images) <= 1
        assert found.labels is None and found.schema is None and plain.schema is None
        assert step(plain.from_latent(found.latents), expected.images) <= 1
        with pytest.raises(ValueError, match="Tags need a model that was trained with labels"):
            plain.generate(tags={"hair": "blue"})
        with pytest.raises(ValueError, match="exported without an upscaler"):
            plain.upscale(found.images)


def test_texts_need_a_model_that_reads(girls):
    with pytest.raises(ValueError, match="was trained with texts, and this one was not"):
        girls.imagine("a moon")


def test_describe_and_ready(girls, address):
    about = girls.describe()
    assert (about["latentDim"], about["height"], about["width"]) == (LATENT, 32, 48)
    assert about["limits"] == {"pictures": 10, "call": 256} and about["upscaler"]["factor"] == 2
    assert girls.ready
    with pytest.raises(LookupError, match="no such model: .*nobody"):
        _ = Client(address, "nobody").ready


def test_predict_passes_arrays_as_they_are(girls):
    z = seeds.latents(1, 2, LATENT)
    labels = np.full((2, SCHEMA.size), np.nan, np.float32)
    found = girls.predict("from_latent", {"latents": z, "labels": labels}, ["pictures"])
    assert list(found) == ["pictures"] and found["pictures"].dtype == np.float32
    assert found["pictures"].shape == (2, 32, 48, 3)


# ---- what goes wrong -----------------------------------------------------------------------------


def test_what_the_server_refuses_is_a_sentence(girls):
    asked = {"seed": 1, "n": 10**9, "first": 0}
    inputs = {name: np.asarray([x], np.int64) for name, x in asked.items()}
    inputs |= {"truncation": np.ones(1, np.float32), "tags": np.asarray([b""], object)}
    with pytest.raises(ValueError) as caught:
        girls.predict("generate", inputs)
    assert str(caught.value) == (
        "n, images of a request, is a whole number from 1 to 10. Received: 1000000000."
    )
    with pytest.raises(ValueError, match="Received: none."):
        girls.predict("generate", {})
    with pytest.raises(ValueError, match="nothing.* not found"):
        girls.predict("nothing", inputs)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"seed": -1}, "seed is a whole number"),
        ({"n": 0}, "n, the number of images, is a whole number"),
        ({"truncation": 3}, "truncation is a number from 0 to 2"),
        ({"tags": {"hair": "mauve"}}, "'hair' is one of: red, blue"),
        ({"tags": {"hat": True}}, "'hat' is not a known attribute"),
    ],
)
def test_wrong_arguments_do_not_reach_the_server(girls, server, arguments, message):
    girls.describe()
    before = server.calls
    with pytest.raises(ValueError, match=message):
        girls.generate(**{"n": 1} | arguments)
    assert server.calls == before


def test_a_busy_server_is_asked_again(girls, server):
    girls.describe()
    before = server.calls
    server.failures += [(UNAVAILABLE, "loading")] * 3
    assert girls.generate(n=1).images.shape == (1, 32, 48, 3)
    assert server.calls == before + 4
    server.failures += [(UNAVAILABLE, "loading")] * 9
    with pytest.raises(ConnectionError, match="not ready or too busy: loading"):
        girls.generate(n=1)
    assert len(server.failures) == 9 - client.ATTEMPTS


def test_what_is_refused_is_not_asked_again(girls, server):
    girls.describe()
    server.failures += [
        (INVALID, "no [x] assertion failed: [The rule. Received: 3.]\n\t [[{{n}}]]")
    ]
    server.failures += [(UNAVAILABLE, "never met")]
    with pytest.raises(ValueError, match=r"^The rule. Received: 3.$"):
        girls.generate(n=1)
    assert len(server.failures) == 1


def test_an_internal_error(girls, server):
    girls.describe()
    server.failures.append((grpc.StatusCode.INTERNAL, "out of " + "order " * 500))
    with pytest.raises(RuntimeError, match="failed .*: out of order") as caught:
        girls.generate(n=1)
    assert len(str(caught.value)) < 700


def test_a_slow_server(address, server):
    with Client(address, "girls", timeout=0.3) as girls:
        girls.describe()
        server.delay, before = 1.0, server.calls
        with pytest.raises(TimeoutError, match="did not answer within 0.3 s"):
            girls.generate(n=1)
        assert server.calls == before + 1


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_no_server(kind):
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        nobody = Client(f"{kind}://127.0.0.1:{taken.getsockname()[1]}", "girls", attempts=2)
        assert not nobody.ready
        with pytest.raises(ConnectionError, match="No model server answers at"):
            nobody.generate()


@pytest.mark.parametrize("address", ["localhost:8500", "ftp://x:1", "http://", ""])
def test_addresses(address):
    with pytest.raises(ValueError, match=r"is http://HOST:PORT .* or grpc://HOST:PORT"):
        Client(address, "girls")


def test_settings():
    with pytest.raises(ValueError, match="attempts is a whole number"):
        Client("http://x:1", "girls", attempts=0)
    with pytest.raises(ValueError, match="timeout is a number of seconds"):
        Client("http://x:1", "girls", timeout=0)


def test_zeros_at_the_ends_of_bytes_survive_json():
    value = np.asarray([[b"a\0\0", b"\0"]], object)
    sent = json.loads(json.dumps(rest_transport._to_json(value)))
    back = rest_transport._from_json(sent)
    assert back.tolist() == value.tolist() and back.shape == (1, 2)


# ---- REST as people write it --------------------------------------------------------------------


def post(server, body: str, model: str = "girls"):
    request = urllib.request.Request(f"{server.rest}/v1/models/{model}:predict", body.encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


ROW = '{"seed": 7, "n": 1, "first": 0, "truncation": 1, "tags": "hair=red"}'


def test_rows_and_columns(server):
    code, rows = post(server, f'{{"signature_name": "generate_png", "instances": [{ROW}, {ROW}]}}')
    assert code == 200 and len(rows["predictions"]) == 2
    [first, second] = rows["predictions"]
    assert first == second and first["tags"][0].startswith("hair=red")
    asked = '{"seed": [7], "n": [1], "first": [0], "truncation": [1], "tags": ["hair=red"]}'
    code, columns = post(server, f'{{"signature_name": "generate_png", "inputs": {asked}}}')
    assert code == 200 and columns["outputs"]["png_bytes"][0] == first["png_bytes"]
    code, answer = post(server, f'{{"instances": [{ROW}]}}')  # serving_default
    assert code == 200 and np.shape(answer["predictions"][0]["pictures"]) == (1, 32, 48, 3)


@pytest.mark.parametrize(
    "body, message",
    [
        (f'{{"instances": [{ROW.replace("red", "x")}]}}', "tags are of: hair=red|blue"),
        (f'{{"instances": [{ROW.replace("7", "7.5")}]}}', "seed"),
        ('{"instances": []}', "JSON"),
        ("nonsense", "JSON"),
    ],
)
def test_errors_are_json(server, body, message):
    code, answer = post(server, body)
    assert code == 400 and message in answer["error"]


def test_metadata_lists_the_signatures(server):
    with urllib.request.urlopen(f"{server.rest}/v1/models/girls/metadata", timeout=60) as response:
        answer = json.load(response)
    assert answer["model_spec"]["version"] == "1"
    assert set(answer["metadata"]["signature_def"]["signature_def"]) >= {"generate", "upscale"}
