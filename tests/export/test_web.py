"""The exported folder: what is in it, that it draws the same, what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest
from networks import GENERATED, SCHEMA, generator, in_time, inputs, saved, saved_upscaler

import tfanime
from tfanime.core import seeds
from tfanime.core.images import to_uint8
from tfanime.core.labels import to_signed
from tfanime.export.graph import parity, precision
from tfanime.export.graph.graph import Graph, Node, from_keras
from tfanime.export.graph.rewrite import rewrite
from tfanime.export.web import bundle, tfjs
from tfanime.export.web.check import check_artifact
from tfanime.zoo.saved import Truncation, save_generator, store_truncation

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "web_export" / "node_modules"
RUNNER = Path(__file__).with_name("run_model.mjs")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two generators and an upscaler in one folder; and what `export_web` said."""
    folder = tmp_path_factory.mktemp("site")
    runs = [
        saved_upscaler(folder / "larger"),
        saved(folder / "girls"),
        saved(folder / "other" / "girls", "dcgan", labelled=False),
    ]
    store_truncation(folder / "girls", Truncation(0.6))
    (folder / "girls" / "LICENSE").write_text("Do as you like.")
    (folder / "girls" / "MODEL_CARD.md").write_text("# Girls\n\nOf the moon.\n")
    made = tfanime.export_web(runs, folder / "site", site=False)
    return made, json.loads((folder / "site" / "tfanime.json").read_text())


def draw(path, entry, *given):
    """The exported files' own picture, by TensorFlow."""
    graph = json.loads((path / entry["graph"]).read_text())
    folder = (path / entry["graph"]).parent
    (folder / tfjs.MODEL).write_text(json.dumps(graph))
    try:
        return tfjs.read(folder).function()(*given)
    finally:
        (folder / tfjs.MODEL).unlink()


def test_manifest(site):
    made, manifest = site
    assert manifest["format"] == 1 and manifest["tfanime"] == tfanime.__version__
    assert [(m["name"], m["kind"]) for m in manifest["models"]] == [
        ("girls", "generator"),
        ("girls-2", "generator"),
    ]
    girls, dcgan = manifest["models"]
    assert (girls["latentDim"], girls["height"], girls["width"]) == (5, 32, 48)
    assert girls["schema"] == json.loads(json.dumps(SCHEMA.to_json()))
    assert girls["inputs"] == {"latents": "latents:0", "labels": "labels:0"}
    assert dcgan["schema"] is None and dcgan["inputs"]["labels"] is None
    assert (girls["leastTruncation"], dcgan["leastTruncation"]) == (0.6, None)
    [larger] = manifest["upscalers"]
    assert (larger["kind"], larger["factor"]) == ("upscaler", 2)
    assert larger["inputs"] == {"pictures": "pictures:0"}
    assert [m.name for m in made.models] == ["girls", "girls-2", "larger"]


def test_files_are_as_listed_and_named_by_their_content(site):
    made, manifest = site
    listed = set()
    for entry in (*manifest["models"], *manifest["upscalers"]):
        assert entry["graph"] == entry["files"][0]["path"]
        for file in entry["files"]:
            data = (made.path / file["path"]).read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            assert (len(data), digest) == (file["bytes"], file["sha256"])
            assert Path(file["path"]).stem.endswith(f"-{digest[:8]}")
            listed.add(file["path"])
        shards = [f["bytes"] for f in entry["files"] if "/shard-" in f["path"]]
        assert sum(shards) == entry["weightBytes"]
    there = {p.relative_to(made.path).as_posix() for p in made.path.rglob("*") if p.is_file()}
    others = {Path(path).name for path in there - listed}
    assert others == {"tfanime.json", "MODEL_CARD.md", "LICENSE.txt"}


@pytest.mark.parametrize("which", [0, 1])
def test_references_are_keras_pictures_of_their_seeds(site, which):
    made, manifest = site
    entry = manifest["models"][which]
    for reference in entry["references"]:
        z = np.frombuffer(base64.b64decode(reference["latent"]), "<f4")[None]
        np.testing.assert_array_equal(z, seeds.latents(reference["seed"], 1, 5))
        given = [z]
        if entry["schema"]:
            labels = to_signed(seeds.sample_labels(reference["seed"], 1, SCHEMA))
            np.testing.assert_array_equal(np.float32([reference["labels"]]), labels)
            given.append(labels)
        model = generator("dcgan" if which else "modern", bool(entry["schema"]))
        expected = np.asarray(model(given if len(given) > 1 else z, training=False))
        data = (made.path / reference["picture"]).read_bytes()[reference["offset"] :]
        picture = np.frombuffer(data, np.uint8, expected.size).reshape(expected.shape)
        np.testing.assert_array_equal(picture, to_uint8(expected))
        found = draw(made.path, entry, *given)
        assert np.abs(found - expected).mean() < entry["tolerance"] / 2


def test_what_is_exported_shows_no_difference(site):
    made, _ = site
    for model in made.models:
        row = next(row for row in model.table if row.precision == model.precision)
        assert row.invisible and model.psnr >= precision.INVISIBLE - 0.5
        assert model.psnr == pytest.approx(row.psnr, abs=0.5)  # converted as simulated
        smaller = [r for r in model.table if r.gzip_bytes < row.gzip_bytes]
        assert not any(r.invisible for r in smaller)
    assert made.models[0].steps[1] < made.models[0].steps[0]


def test_card_and_licence(site):
    made, _ = site
    home = made.path / "models" / "girls"
    text = (home / "MODEL_CARD.md").read_text()
    assert text.startswith("# Girls\n\nOf the moon.\n\n## This export\n")
    assert "attributes: hair, smile" in text and "| float16 |" in text.replace("**", "")
    assert (home / "LICENSE.txt").read_text() == "Do as you like."
    other = made.path / "models" / "girls-2"
    assert "How this model was trained was not recorded." in (other / "MODEL_CARD.md").read_text()
    assert "No licence was stated" in (other / "LICENSE.txt").read_text()


@pytest.mark.parametrize(
    ("name", "kind"), [("dcgan", "float32"), *in_time((name, "uint8") for name in GENERATED)]
)
def test_converted_files_compute_what_was_planned(name, kind, tmp_path):
    model = generator(name)
    graph, given = rewrite(from_keras(model)), inputs(model)
    plan = precision.plan(graph, kind)
    tfjs.convert(plan.graph, tmp_path, plan.dtypes)
    artifact = tfjs.read(tmp_path)
    assert list(artifact.inputs) == ["latents", "labels"]
    assert not {"Conv2DBackpropInput", "FusedBatchNormV3"} & set(artifact.operations)
    kept = [w.dtype for w in artifact.weights.values() if w.values.dtype == np.float32]
    rest = {"float32": "float32", "uint8": "float16"}[kind]
    assert kept.count(kind) >= len(precision.kernels(graph)) and set(kept) <= {kind, rest}
    assert check_artifact(artifact, plan.graph, plan.weights(), given) < 1e-5
    if kind == "float32":
        expected = np.asarray(model(given, training=False))
        np.testing.assert_allclose(artifact.function()(*given), expected, atol=1e-4)


@pytest.mark.skipif(
    not MODULES.is_dir() or not shutil.which("node"), reason="needs Node and web_export's packages"
)
@pytest.mark.parametrize(
    ("which", "backend"),
    [("girls", "wasm"), ("girls", "cpu"), ("girls-2", "wasm"), ("larger", "wasm")],
)
def test_tfjs_computes_the_same(site, tmp_path, backend, which):
    made, manifest = site
    entries = {e["name"]: e for e in (*manifest["models"], *manifest["upscalers"])}
    entry = entries[which]
    if which == "larger":
        shape = (1, 7, 12, 3)
        given = [np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)]
    else:
        given = [seeds.latents(3, 1, 5), np.float32([[1, -1, 1]])][: 1 + bool(entry["schema"])]
    order = ("pictures", "latents", "labels")
    names = [entry["inputs"][what] for what in order if entry["inputs"].get(what)]
    feeds = {
        name: {"shape": x.shape, "values": x.ravel().tolist()}
        for name, x in zip(names, given, strict=True)
    }
    (tmp_path / "entry.json").write_text(json.dumps(entry))
    (tmp_path / "inputs.json").write_text(json.dumps(feeds))
    files = [tmp_path / name for name in ("entry.json", "inputs.json", "out.bin")]
    command = ["node", RUNNER, MODULES, backend, made.path, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = np.fromfile(tmp_path / "out.bin", "<f4").reshape(json.loads(done.stdout)["shape"])
    np.testing.assert_allclose(found, draw(made.path, entry, *given), atol=1e-4)


@pytest.mark.slow
def test_weights_trained_in_bfloat16(tmp_path):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = generator("modern")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    save_generator(tmp_path / "run", model, SCHEMA, "modern")
    [made] = tfanime.export_web(tmp_path / "run", tmp_path / "out", "float32", site=False).models
    assert made.psnr > 90  # exact but for rounding: compared in float32


@pytest.mark.slow
def test_kid_by_an_extractor(tmp_path, monkeypatch):
    monkeypatch.setattr("tfanime.export.web.model.JUDGED", 16)
    images = keras.Input((8, 8, 3))
    keras.Model(images, keras.layers.Flatten()(images)).save(tmp_path / "features.keras")
    run, out = saved(tmp_path / "run"), tmp_path / "out"
    extractor = str(tmp_path / "features.keras")
    [made] = tfanime.export_web(run, out, "float32", site=False, extractor=extractor).models
    assert made.kid[0] == pytest.approx(made.kid[1], abs=1e-6)  # nothing was rounded
    assert "KID" in (out / "models" / "run" / "MODEL_CARD.md").read_text()


# ---- folders -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_export_replaces_an_export_and_nothing_else(tmp_path, monkeypatch):
    run, out = saved(tmp_path / "run"), tmp_path / "out"
    out.mkdir()  # an empty folder is fine
    tfanime.export_web(run, out, "float16", site=False)
    (out / "models" / "stale").mkdir()
    tfanime.export_web(run, out, "float32", site=False)
    assert not (out / "models" / "stale").exists()
    assert json.loads((out / "tfanime.json").read_text())["models"][0]["precision"] == "float32"

    def broken(*arguments):
        raise RuntimeError("broken")

    monkeypatch.setattr("tfanime.export.web.model.check_artifact", broken)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RuntimeError, match="broken"):
        tfanime.export_web(run, out, "float16", site=False)
    assert sorted(tmp_path.rglob("*")) == before  # the old export is whole, nothing is left over

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(ValueError, match="holds something else"):
        tfanime.export_web(run, tmp_path / "mine", site=False)
    (tmp_path / "mine" / "tfanime.json").write_text("[]")
    with pytest.raises(ValueError, match="holds something else"):
        tfanime.export_web(run, tmp_path / "mine", site=False)


def test_the_site_goes_along(tmp_path, monkeypatch):
    from tfanime.export.web import site

    (tmp_path / "built" / "assets").mkdir(parents=True)
    (tmp_path / "built" / "index.html").write_text("hello")
    monkeypatch.setattr(site, "built_site", lambda: tmp_path / "built")
    tfanime.export_web(saved(tmp_path / "run"), tmp_path / "out", "float32")
    assert (tmp_path / "out" / "index.html").read_text() == "hello"
    assert (tmp_path / "out" / "assets").is_dir() and (tmp_path / "out" / "tfanime.json").is_file()


def test_the_same_graph_gives_the_same_files(tmp_path):
    graph = rewrite(from_keras(generator("modern")))
    plan = precision.plan(graph, "float16")
    found = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        tfjs.convert(plan.graph, folder, plan.dtypes)
        found.append([bundle.finish(folder).name, *(p.name for p in sorted(folder.iterdir()))])
    assert found[0] == found[1]


# ---- refusals ------------------------------------------------------------------------------------


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="precision is one of: auto, .* Received: 'int4'"):
        tfanime.export_web(tmp_path, tmp_path / "out", "int4")
    with pytest.raises(ValueError, match="at least one run folder"):
        tfanime.export_web([], tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="generator.keras"):
        tfanime.export_web(tmp_path, tmp_path / "out")
    with pytest.raises(ValueError, match="at least one generator"):
        tfanime.export_web(saved_upscaler(tmp_path / "larger"), tmp_path / "out")


def test_other_pictures_are_refused(tmp_path):
    model = generator("modern")
    graph, given = rewrite(from_keras(model)), inputs(model)
    pictures = np.array(model(given, training=False))
    assert parity.check_rewrite(graph, given, pictures) < 1e-5
    pictures[0, 0, 0, 0] += 2e-4
    with pytest.raises(RuntimeError, match="by 0.0001 at most. Received: 0.0002"):
        parity.check_rewrite(graph, given, pictures)
    tfjs.convert(graph, tmp_path, {})
    plan = precision.plan(graph, "float32")
    weights = plan.weights()
    weights["out", "bias"] = weights["out", "bias"] + np.float32(0.1)
    with pytest.raises(RuntimeError, match="converted model may differ"):
        check_artifact(tfjs.read(tmp_path), graph, weights, given)


def test_names_that_tensorflow_does_not_take(tmp_path):
    kernel, bias = np.ones((2, 3), np.float32), np.zeros(3, np.float32)
    x = Node("latents", "input", options={"shape": (2,)})
    dense = Node("_odd [name]*", "dense", ("latents",), {"kernel": kernel, "bias": bias})
    graph = Graph((x, dense), ("latents",), dense.name)
    plan = precision.plan(graph, "float16")
    tfjs.convert(graph, tmp_path, plan.dtypes)
    artifact = tfjs.read(tmp_path)
    assert "float16" in {w.dtype for w in artifact.weights.values()}
    np.testing.assert_allclose(artifact.function()(np.float32([[1, 2]])), [[3, 3, 3]])


def test_a_generator_conditioned_on_texts_is_refused(tmp_path):
    from tfanime.core.labels import Field, LabelSchema

    entries = [keras.Input((4,)), keras.Input((3,))]
    x = keras.layers.Dense(3)(keras.layers.Concatenate()(entries))
    x = keras.layers.UpSampling2D(16)(keras.layers.Reshape((1, 1, 3))(x))
    schema = LabelSchema((Field("plot", "vector", length=3),))
    save_generator(tmp_path / "run", keras.Model(entries, x), schema, "posters")
    with pytest.raises(ValueError, match="conditioned on texts"):
        tfanime.export_web(tmp_path / "run", tmp_path / "site", site=False)


# ---- upscalers -----------------------------------------------------------------------------------


def manifest_of(out: Path) -> tuple[list, list]:
    """The upscaler of each model, and the names of those that are there."""
    stored = json.loads((out / "tfanime.json").read_text())
    models = [model["upscaler"] for model in stored["models"]]
    return models, [upscaler["name"] for upscaler in stored["upscalers"]]


def naming(run: Path, upscaler: object) -> Path:
    """A run whose `generator.json` names an upscaler."""
    described = json.loads((run / "generator.json").read_text())
    (run / "generator.json").write_text(json.dumps({**described, "upscaler": upscaler}))
    return run


@pytest.mark.slow
def test_the_upscaler_that_a_model_names_goes_along(site, tmp_path, monkeypatch):
    _, manifest = site  # of models that name none, the first that was given enlarges
    assert [model["upscaler"] for model in manifest["models"]] == ["larger", "larger"]
    monkeypatch.setattr("tfanime.zoo.shipped.PLACES", (tmp_path / "zoo",))
    own, other = saved_upscaler(tmp_path / "zoo" / "own"), saved_upscaler(tmp_path / "other")
    (own / "MODEL_CARD.md").write_text("# Larger")
    girls = naming(saved(tmp_path / "girls", "dcgan", labelled=False), "own")
    plain = saved(tmp_path / "plain", "dcgan", labelled=False)

    def exported(runs, **options):
        out = tfanime.export_web(runs, tmp_path / "out", "float32", site=False, **options).path
        return manifest_of(out)

    assert exported(girls) == (["own"], ["own"])
    assert exported(girls, upscaler=False) == ([None], [])
    assert exported([plain, girls]) == ([None, "own"], ["own"])  # not made for those of `plain`
    assert exported([plain, other, girls]) == (["other", "own"], ["other", "own"])
    with pytest.raises(ValueError, match="names the upscaler 'nowhere'.*--no-upscaler"):
        exported(naming(girls, "nowhere"))
    for bad in (str(plain), 7):  # nothing outside of what ships
        with pytest.raises(ValueError, match="names no upscaler that ships"):
            exported(naming(girls, bad))
