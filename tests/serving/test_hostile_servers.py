"""Whatever answers at an address, the client ends in time, in memory, and with one sentence."""

from __future__ import annotations

import base64
import gzip
import io
import json
import resource
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from tfanime.serving import BadAnswer, Client, client

HEIGHT, WIDTH, LATENT = 8, 12, 3
ABOUT = {
    "height": HEIGHT,
    "width": WIDTH,
    "latentDim": LATENT,
    "schema": {"fields": [{"name": "hair", "kind": "group", "values": ["red", "blue"]}]},
    "upscaler": {"name": "larger", "factor": 2},
    "limits": {"pictures": 4, "call": 256},
    "texts": None,
}


def png(height=HEIGHT, width=WIDTH) -> dict:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (9, 8, 7)).save(buffer, "PNG")
    return {"b64": base64.b64encode(buffer.getvalue()).decode()}


def drawn(n=2, **changes) -> dict:
    outputs = {"png_bytes": [[png()] * n], "latents": [[[0.5] * LATENT] * n]}
    return {**outputs, "labels": [[[1.0, 0.0]] * n], **changes}


class Hostile:
    """Answers `describe` with `about`, and everything else with `answer`: JSON, bytes, or a
    function of the handler."""

    def __init__(self):
        self.about, self.answer, self.asked = ABOUT, {"outputs": drawn()}, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(body["signature_name"])
                if body["signature_name"] == "describe" and outer.about is not None:
                    about = outer.about
                    text = about if isinstance(about, str) else json.dumps(about)
                    self.reply({"outputs": [text]})
                else:
                    self.reply(outer.answer)

            def do_GET(self):
                outer.asked.append("GET")
                self.reply(outer.answer)

            def reply(self, answer):
                if callable(answer):
                    self.close_connection = True
                    answer(self)
                    return
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, address):
                pass  # clients that had enough

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def hostile(monkeypatch):
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)
    running = Hostile()
    yield running
    running.server.shutdown()
    running.server.server_close()


def one_sentence(error: BaseException) -> str:
    said = str(error)
    assert said.isprintable() and len(said) < 1000
    return said


def test_a_sound_server_is_believed(hostile):
    found = Client(hostile.address, "m").generate(n=2)
    assert found.images.shape == (2, HEIGHT, WIDTH, 3) and (found.images == [9, 8, 7]).all()
    assert found.tags == [{"hair": "red"}] * 2


@pytest.mark.parametrize(
    "answer",
    [
        [],
        None,
        7,
        "x",
        {},
        {"outputs": None},
        {"outputs": 7},
        {"outputs": {}},
        {"outputs": []},
        {"outputs": [None]},
        {"outputs": ["{}"]},
        {"outputs": ["no JSON"]},
        {"outputs": {"other": ["{}"]}},
        b"",
        b"<html>an error page</html>",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"9" * 100_000,
    ],
    ids=repr,
)
def test_answers_that_are_no_description(hostile, answer):
    hostile.about, hostile.answer = None, answer
    asked = Client(hostile.address, "m", attempts=1)
    for call in (
        asked.describe,
        asked.generate,
        lambda: asked.upscale(np.zeros((1, 8, 8, 3), "u1")),
    ):
        with pytest.raises(BadAnswer, match=r"does not answer as a model of .*Check the address"):
            call()
    with pytest.raises(BadAnswer) as caught:
        _ = asked.ready
    one_sentence(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"height": 0},
        {"height": "8"},
        {"width": 10**9},
        {"width": True},
        {"latentDim": -1},
        {"latentDim": 1e3},
        {"limits": {"pictures": 0}},
        {"limits": {}},
        {"limits": None},
        {"limits": 7},
        {"upscaler": 7},
        {"upscaler": {"factor": 0}},
        {"upscaler": {"factor": 2, "shown": "yes"}},
        {"texts": {}},
        {"texts": {"name": 7, "genres": True, "skip": []}},
        {"texts": {"name": "no name", "genres": True, "skip": []}},
        {"texts": {"name": "a", "genres": True, "skip": ["nothing"]}},
        {"chooser": None},
        {"chooser": {}},
        {"chooser": {"border": float("nan")}},
        {"chooser": {"border": 10**400}},
        {"schema": []},
        {"schema": {}},
        {"schema": {"fields": [{"name": "v", "kind": "vector", "length": 10**12}]}},
        {"schema": {"fields": [{"name": "v", "kind": "group", "values": 7}]}},
        {"schema": {"fields": [{"name": "v\x1b[2J", "kind": "\x1b[2J\n"}]}},
    ],
    ids=repr,
)
def test_descriptions_that_cannot_be(hostile, change):
    hostile.about = {**ABOUT, **change}
    asked = Client(hostile.address, "m")
    for call in (asked.generate, asked.interpolate, lambda: asked.imagine("a moon")):
        with pytest.raises(BadAnswer, match="its description cannot be used") as caught:
            call()
        one_sentence(caught.value)
    assert set(hostile.asked) == {"describe"}


@pytest.mark.parametrize("name", [*ABOUT, "all"])
def test_descriptions_that_lack_something(hostile, name):
    hostile.about = {} if name == "all" else {k: v for k, v in ABOUT.items() if k != name}
    with pytest.raises(BadAnswer, match="its description cannot be used"):
        Client(hostile.address, "m").generate()


@pytest.mark.parametrize(
    "changes",
    [
        {"png_bytes": [[png()]]},
        {"png_bytes": [[png()] * 3]},
        {"png_bytes": [png(), png()]},
        {"png_bytes": [[7, 8]]},
        {"png_bytes": [[{"b64": "!"}] * 2]},
        {"png_bytes": [[{"b64": 7}] * 2]},
        {"png_bytes": [[{"other": "x"}] * 2]},
        {"png_bytes": [["no picture"] * 2]},
        {"png_bytes": [[png(), None]]},
        {"png_bytes": [[png(), png(HEIGHT, WIDTH - 1)]]},
        {"png_bytes": [[png(), png(5000, 5000)]]},
        {"latents": [[[0.5] * LATENT]]},
        {"latents": [[[0.5] * (LATENT + 1)] * 2]},
        {"latents": [[["x"] * LATENT] * 2]},
        {"latents": [[[1e300] * LATENT] * 2]},
        {"latents": [[[float("nan")] * LATENT] * 2]},
        {"latents": [[[0.5] * LATENT, [0.5]]]},
        {"latents": [[[10**30] * LATENT] * 2]},
        {"labels": [[[1.0]] * 2]},
        {"labels": None},
    ],
    ids=lambda changes: repr(changes)[:60],
)
def test_pictures_that_are_none(hostile, changes):
    hostile.answer = {"outputs": drawn(**changes)}
    with pytest.raises(BadAnswer) as caught:
        Client(hostile.address, "m").generate(n=2)
    one_sentence(caught.value)
    if "png_bytes" in changes:
        hostile.answer = {"outputs": changes["png_bytes"][0]}
        with pytest.raises(BadAnswer):
            Client(hostile.address, "m").from_latent(np.zeros((2, LATENT)))


@pytest.mark.parametrize(
    "scores",
    [[[0.1]], [[0.1] * 3], [["x"] * 2], [[float("nan")] * 2], [[10**400] * 2], None],
    ids=lambda scores: repr(scores)[:20],
)
def test_scores_that_are_none(hostile, scores):
    hostile.about = {**ABOUT, "chooser": {"border": 0.5}}
    hostile.answer = {"outputs": drawn(scores=scores)}
    with pytest.raises(BadAnswer) as caught:
        Client(hostile.address, "m").generate(n=1)
    one_sentence(caught.value)


def test_outputs_that_are_missing(hostile):
    hostile.answer = {"outputs": {"png_bytes": [[png()] * 2]}}
    with pytest.raises(BadAnswer, match="it has no output 'latents'"):
        Client(hostile.address, "m").generate(n=2)


# ---- time --------------------------------------------------------------------------------------


def dripping(start: bytes, drop: bytes):
    def send(handler):
        handler.wfile.write(start)
        for _ in range(600):
            time.sleep(0.05)
            handler.wfile.write(drop)
            handler.wfile.flush()

    return send


SLOW = {
    "headers": dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
    "no length": dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "chunks": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "silence": lambda handler: time.sleep(30),
}


def test_one_deadline_for_a_whole_call():
    """Of a server each, all at the same time: they do nothing but wait."""

    def asked(name: str) -> list[str]:
        running = Hostile()
        running.about, running.answer = None, SLOW[name]
        try:
            with pytest.raises(TimeoutError, match=r"did not answer within 0\.4 s"):
                Client(running.address, "m", timeout=0.4).describe()
        finally:
            running.server.shutdown()
            running.server.server_close()
        return running.asked

    with ThreadPoolExecutor(len(SLOW)) as pool:
        found = dict(zip(SLOW, pool.map(asked, SLOW), strict=True))
    assert found == dict.fromkeys(SLOW, ["describe"])


def test_repetitions_are_within_the_deadline(hostile):
    def slowly_busy(handler):
        time.sleep(0.3)
        handler.send_response(503)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    hostile.about, hostile.answer = None, slowly_busy
    with pytest.raises((TimeoutError, ConnectionError)):
        Client(hostile.address, "m", timeout=0.8, attempts=50).describe()
    assert len(hostile.asked) <= 4


def test_a_server_that_reads_slowly():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(TimeoutError):
            big = {"x": np.zeros((4_000_000,), np.int64)}
            Client(address, "m", timeout=0.4, attempts=1).predict("p", big)


# ---- memory ------------------------------------------------------------------------------------


def endless(encoding: str = ""):
    def send(handler):
        handler.send_response(200)
        if encoding:
            handler.send_header("Content-Encoding", encoding)
        handler.end_headers()
        piece = gzip.compress(bytes(2**24)) if encoding else b" " * 2**20
        for _ in range(1000):
            handler.wfile.write(piece)

    return send


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_an_answer_has_a_limit(hostile, encoding):
    hostile.about, hostile.answer = None, endless(encoding)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadAnswer, match=r"more than 2,000,000 bytes \(most_bytes"):
        Client(hostile.address, "m", most_bytes=2_000_000).describe()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_errors_have_a_limit_and_no_commands(hostile):
    def send(handler):
        body = json.dumps({"error": "\x1b[2J assertion failed: [" * 50_000}).encode()
        handler.send_response(400)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    hostile.about, hostile.answer = None, send
    with pytest.raises(ValueError) as caught:
        Client(hostile.address, "m").describe()
    one_sentence(caught.value)
    hostile.answer = {"error": {"not": ["a text\x1b[2J"]}}
    with pytest.raises(RuntimeError, match="failed") as caught:
        Client(hostile.address, "m").describe()
    one_sentence(caught.value)


# ---- elsewhere ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(hostile, status):
    other = Hostile()

    def send(handler):
        handler.send_response(status)
        handler.send_header("Location", f"{other.address}/v1/models/m:predict")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    hostile.about, hostile.answer = None, send
    for call in (lambda c: c.describe(), lambda c: c.ready):
        with pytest.raises(BadAnswer, match=f"leads elsewhere .{status}.*not followed"):
            call(Client(hostile.address, "m"))
    assert other.asked == []
    other.server.shutdown()
    other.server.server_close()


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://x:99999999", "grpc://x:y", "http://:80"]
)
def test_addresses_that_are_none(address):
    with pytest.raises(ValueError, match=r"is http://HOST:PORT"):
        Client(address, "m")
