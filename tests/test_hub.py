"""Models on the hub, with a server on this machine that plays the hub's interface."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime import cli, zoo
from tfanime.core.decode import read_image
from tfanime.core.files import write_json
from tfanime.zoo import hub

pytest.importorskip("huggingface_hub", reason="the hub needs tfanime[hub]")


def invoke(*words):
    return CliRunner().invoke(cli.main, [str(word) for word in words], terminal_width=200)


class Hub(BaseHTTPRequestHandler):
    """`repositories`: name to its files. `said`: sizes that are claimed instead of true ones."""

    repositories: dict[str, dict[str, bytes]] = {}
    said: dict[str, int] = {}
    asked: list[str] = []
    refuses = 0

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._file()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if not path.startswith("/api/models/"):
            return self._file()
        name, _, revision = path.removeprefix("/api/models/").partition("/revision/")
        if self.refuses:
            return self._answer(self.refuses, {"error": "no"})
        if name not in self.repositories:
            return self._answer(404, {"error": "?"}, {"X-Error-Code": "RepoNotFound"})
        if revision not in ("", "main", self._commit(name)):
            return self._answer(404, {"error": "?"}, {"X-Error-Code": "RevisionNotFound"})
        files = self.repositories[name].items()
        siblings = [{"rfilename": n, "size": self.said.get(n, len(data))} for n, data in files]
        self._answer(200, {"id": name, "sha": self._commit(name), "siblings": siblings})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        sent = self.rfile.read(length)
        host = f"http://{self.headers['Host']}"
        if self.path == "/api/repos/create":
            asked = json.loads(sent)
            name = f"{asked['organization']}/{asked['name']}"
            self.repositories.setdefault(name, {})
            return self._answer(200, {"url": f"{host}/{name}"})
        if self.path == "/api/validate-yaml":
            return self._answer(200, {"errors": [], "warnings": []})
        name, _, what = self.path.removeprefix("/api/models/").rpartition("/")[0].rpartition("/")
        if what == "preupload":
            files = [one["path"] for one in json.loads(sent)["files"]]
            told = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in files]
            return self._answer(200, {"files": told})
        assert what == "commit", self.path
        for line in map(json.loads, sent.splitlines()):
            if line["key"] == "file":
                value = line["value"]
                self.repositories[name][value["path"]] = base64.b64decode(value["content"])
        commit = self._commit(name)
        self._answer(200, {"commitUrl": f"{host}/{name}/commit/{commit}", "commitOid": commit})

    def _commit(self, name):
        found = hashlib.sha1()  # of megabytes, many times: not of how Python writes them
        for file, data in sorted(self.repositories[name].items()):
            found.update(b"%b %d %b" % (file.encode(), len(data), data))
        return found.hexdigest()

    def _file(self):
        name, _, rest = unquote(urlsplit(self.path).path)[1:].partition("/resolve/")
        commit, _, file = rest.partition("/")
        if commit != self._commit(name):
            return self._answer(404, {}, {"X-Error-Code": "RevisionNotFound"})
        data = self.repositories[name][file]
        if self.command == "GET":
            self.asked.append(file)
        etag = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
        self._answer(200, data, etag)

    def _answer(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for header, value in dict(headers).items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


@contextmanager
def serving():
    kind = type("Own", (Hub,), {"repositories": {}, "said": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        kind.address = f"http://127.0.0.1:{server.server_port}"
        yield kind
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    with serving() as kind:
        monkeypatch.setenv("HF_ENDPOINT", kind.address)
        hub.fetch.cache_clear()
        yield kind


def files_of(name):
    folder = zoo.path(name)
    return {one.name: one.read_bytes() for one in folder.iterdir() if hub.most_bytes(one.name)}


@pytest.fixture(scope="module")
def run(eager, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    data = tfanime.load_data("drawn", size=16, count=24, cache=folder / "cache", progress=False)
    options = {"steps": 1, "image_size": 16, "batch_size": 8, "progress": False}
    options |= {"generator": {"name": "dcgan", "channels": 8}, "tensorboard": False}
    options |= {"discriminator": {"name": "dcgan", "channels": 8}}
    tfanime.train("cdcgan-sn", data, out=folder / "girls", **options)
    (folder / "girls" / "LICENSE.txt").write_text("Do what you like.")
    return folder / "girls", data, options


def test_what_was_pushed_draws_the_same(server, run, tmp_path, capsys):
    folder, *_ = run
    assert tfanime.push(folder, "hf://me/girls") == f"{server.address}/me/girls"
    assert set(server.repositories["me/girls"]) == {
        *("generator.keras", "generator.json", "config.json", "critic.npz"),
        *("sheet.png", "README.md", "LICENSE.txt"),
    }
    own = tfanime.generate(folder, n=3, seed=5).images
    np.testing.assert_array_equal(tfanime.generate("hf://me/girls", n=3, seed=5).images, own)
    assert tfanime.load("hf://me/girls").schema.columns == tfanime.load(folder).schema.columns
    assert "fetching hf://me/girls" in capsys.readouterr().err
    result = invoke("generate", "hf://me/girls", "--n", 1, "--out", tmp_path / "one")
    assert result.exit_code == 0, result.output
    picture = np.asarray(read_image(next((tmp_path / "one").glob("*.png"))))
    np.testing.assert_array_equal(picture, tfanime.generate(folder, n=1).images[0])
    assert "--hair" in invoke("generate", "hf://me/girls", "--help").output
    assert server.asked.count("generator.keras") == 1, "it is fetched once"


def test_it_can_be_trained_on(server, run, tmp_path):
    folder, data, options = run
    tfanime.push(folder, "hf://me/girls")
    begun = tfanime.train(
        "cdcgan-sn", data, out=tmp_path / "on", start="hf://me/girls", **{**options, "steps": 1}
    )
    assert begun.step == 1
    tuned = tfanime.fine_tune(
        "hf://me/girls", data, out=tmp_path / "tuned", steps=1, progress=False, tensorboard=False
    )
    assert tuned.step == 1


def test_the_card_says_what_is_known(server, run, tmp_path):
    yaml = pytest.importorskip("yaml")
    folder, *_ = run
    figure = {"name": "fid", "value": 123.4567, "floor": 7.0, "better": "lower"}
    figure["protocol"] = {"real set": "ab" * 32, "extractor": "tagger", "counts": "9 of each"}
    write_json(tmp_path / "report" / "metrics.json", {"figures": [figure]})
    words = ("--license", "mit", "--dataset", "me/faces", "--tag", "pixel-art")
    result = invoke("push", folder, "hf://me/girls", *words, "--report", tmp_path / "report")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{server.address}/me/girls\n"
    text = server.repositories["me/girls"]["README.md"].decode()
    _, front, body = text.split("---\n", 2)
    told = yaml.safe_load(front)
    assert (told["license"], told["library_name"]) == ("mit", "tfanime")
    assert told["pipeline_tag"] == "unconditional-image-generation"
    assert {"gan", "anime", "pixel-art"} <= set(told["tags"])
    assert (told["datasets"], told["metrics"]) == (["me/faces"], ["fid"])
    measured = told["model-index"][0]["results"][0]
    assert measured["metrics"][0]["value"] == 123.4567
    assert measured["dataset"]["name"] == "real set " + "ab" * 8
    assert "recipe: cdcgan-sn" in body and "](sheet.png)" in body
    assert "tfanime generate hf://me/girls" in body
    # What is fetched has it without the front matter, as the models that ship.
    own = (hub.fetch("hf://me/girls") / "MODEL_CARD.md").read_text()
    assert own == body.lstrip("\n")


def test_without_a_licence_that_is_what_the_card_says(server, run):
    folder, *_ = run
    tfanime.push(folder, "hf://me/girls")
    text = server.repositories["me/girls"]["README.md"].decode()
    assert "license: other\n" in text and "license_link: LICENSE.txt\n" in text
    assert server.repositories["me/girls"]["LICENSE.txt"] == b"Do what you like."


def test_nothing_of_this_machine_is_pushed(server, run, tmp_path):
    folder, data, options = run
    place = tmp_path / "begun"
    tfanime.train("cdcgan-sn", data, out=place, start=str(folder), **options)
    tfanime.push(place, "hf://me/begun")
    assert str(folder.parent).encode() not in b"".join(server.repositories["me/begun"].values())


def test_other_kinds_of_models(server, tmp_path):
    server.repositories["you/tagger"] = files_of("tagger")
    server.repositories["you/upscaler"] = files_of("upscaler")
    assert tfanime.load("hf://you/tagger").schema.columns == tfanime.load("tagger").schema.columns
    assert tfanime.load("hf://you/upscaler").factor == 4
    drawn = tfanime.generate("faces-64", n=1, upscale="hf://you/upscaler").images
    assert drawn.shape == (1, 256, 256, 3)
    for name, task in (("tagger", "image-classification"), ("upscaler", "image-to-image")):
        tfanime.push(name, f"hf://me/{name}", license="mit")
        assert f"pipeline_tag: {task}" in server.repositories[f"me/{name}"]["README.md"].decode()


@pytest.mark.slow
def test_only_files_of_a_model_are_taken(server):
    server.repositories["you/faces"] = files_of("faces-64") | {
        "../outside.json": b"{}",
        "run.py": b"print('taken')",
        "state.pkl": b"pickle",
        "text/text-a/b.npz": b"",
        "text/order.json": b"[]",
        "README.md": b"---\nlicense: mit\n---\n\n# Faces\n",
    }
    folder = hub.fetch("hf://you/faces")
    known = {*files_of("faces-64"), "MODEL_CARD.md", "text", "text/order.json"}
    assert {one.relative_to(folder).as_posix() for one in folder.rglob("*")} == known
    assert (folder / "MODEL_CARD.md").read_text() == "# Faces\n"
    assert set(server.asked) == {*files_of("faces-64"), "README.md", "text/order.json"}


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("generator.keras", 2**41, "generator.keras of a model has at most 1,073,741,824 bytes"),
        ("config.json", 2**27, "config.json of a model has at most 67,108,864 bytes"),
        ("generator.keras", 7, "bytes, and the hub said 7"),
    ],
)
def test_sizes_are_bounded(server, tmp_path, name, size, message):
    server.repositories["you/faces"] = files_of("faces-64")
    server.said[name] = size
    with pytest.raises((ValueError, RuntimeError), match=message):
        hub.fetch("hf://you/faces")
    if size > 2**20:
        assert server.asked == []
    assert [one.name for one in (tmp_path / "cache").rglob("*.keras")] == []


def test_a_damaged_network_is_refused(server):
    server.repositories["you/faces"] = files_of("faces-64") | {"generator.keras": b"no archive"}
    with pytest.raises(ValueError, match="is damaged"):
        tfanime.load("hf://you/faces")


@pytest.mark.parametrize(
    "address",
    ["hf://", "hf://me", "hf://me/", "hf://../..", "hf://me/a/b", "hf://me/a..b", "hf://me/a\nb"],
)
def test_an_address_has_an_owner_and_a_name(server, address):
    with pytest.raises(ValueError, match="hf://OWNER/NAME"):
        zoo.locate(address)
    result = invoke("generate", address, "--grid", "x.png")
    assert result.exit_code == 2 and "hf://OWNER/NAME" in result.stderr


def test_what_is_not_there_or_no_model(server):
    with pytest.raises(ValueError, match="'?hf://you/none is not there, or is private"):
        hub.fetch("hf://you/none")
    server.repositories["you/words"] = {"model.safetensors": b"1"}
    with pytest.raises(ValueError, match="holds generator.keras and generator.json"):
        hub.fetch("hf://you/words")
    server.repositories["you/faces"] = files_of("faces-64")
    with pytest.raises(ValueError, match="has no revision 'v9'"):
        hub.fetch("hf://you/faces@v9")
    with pytest.raises(ValueError, match="A model is a folder with"):
        tfanime.push(zoo.shipped.PACKAGE, "hf://me/code")
    with pytest.raises(ValueError, match="main revision"):
        tfanime.push("faces-64", "hf://me/faces@v1")
    server.refuses = 403
    with pytest.raises(RuntimeError, match=r"refuses hf://you/faces \(403\).*HF_TOKEN"):
        hub.fetch("hf://you/faces")


@pytest.fixture
def offline(monkeypatch):
    def cut():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        hub.fetch.cache_clear()

    return cut


def test_offline_is_one_sentence(server, offline, run, tmp_path):
    offline()
    result = invoke("generate", "hf://you/faces", "--grid", tmp_path / "x.png")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1 and "cannot be reached for hf://you/f" in result.stderr
    result = invoke("push", run[0], "hf://me/girls")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1 and "cannot be reached for hf://me/g" in result.stderr


def test_what_was_fetched_serves_offline(server, offline, capsys):
    server.repositories["you/faces"] = files_of("faces-64")
    folder = hub.fetch("hf://you/faces")
    offline()
    assert hub.fetch("hf://you/faces") == folder
    assert "What was fetched before serves." in capsys.readouterr().err


def test_a_newer_version_is_fetched(server):
    server.repositories["you/faces"] = files_of("faces-64")
    first = hub.fetch("hf://you/faces")
    server.repositories["you/faces"]["figures.json"] = b"{}"
    hub.fetch.cache_clear()
    second = hub.fetch("hf://you/faces")
    assert first != second and (second / "figures.json").read_bytes() == b"{}"
    assert hub.fetch(f"hf://you/faces@{second.parent.name}") == second
    assert second.name == "faces"  # what exports of it are called


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    hub.fetch.cache_clear()
    with pytest.raises(ImportError, match=r"pip install '\.\[hub\]' in a checkout"):
        hub.fetch("hf://you/faces")
