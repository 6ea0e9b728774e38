"""The whole evaluation: its figures against the metrics alone, its files, its refusals."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime.cli import main
from tfanime.core.files import write_json
from tfanime.core.images import save_image
from tfanime.core.labels import MAKEGIRLSMOE, to_unsigned
from tfanime.evaluation import evaluate
from tfanime.evaluation.evaluate import PROTOCOLS
from tfanime.evaluation.report import Figure
from tfanime.evaluation.subject import name_of, open_subject
from tfanime.evaluation.workbench import Settings, Workbench
from tfanime.metrics import extract, fid_from_features, load_extractor
from tfanime.metrics.nearest_neighbour import nearest_neighbour_accuracy
from tfanime.zoo.saved import save_generator

pytestmark = pytest.mark.usefixtures("judges_once")
ALWAYS = ["subject", "real set", "counts", "draws", "seed"]


def test_figures_are_those_of_the_metrics(faces):
    """FID and 1-NN again, from the halves that the docs promise and the subject's own pictures."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8)
    report = evaluate(tfanime.from_arrays(noise), faces, ["fid", "1nn"], n=40, seed=5)
    other, real = (part.images() for part in faces.split(0.5, seed=5))
    network = load_extractor("tagger")
    real_features, fake_features = extract(real, network), extract(noise, network)
    assert report["fid"].value == pytest.approx(fid_from_features(real_features, fake_features))
    floor = fid_from_features(real_features, extract(other, network))
    assert report["fid"].floor == pytest.approx(floor)
    found = report["1-nn"]
    assert found.value == nearest_neighbour_accuracy(real, noise).accuracy
    assert found.floor == nearest_neighbour_accuracy(real, other).accuracy


def test_streamed_fid_is_the_same(faces, painter):
    alone = evaluate(painter, faces, ["fid"], n=30)
    together = evaluate(painter, faces, ["fid", "kid"], n=30)
    assert alone["fid"].value == pytest.approx(together["fid"].value, rel=1e-5)


def test_draws_differ_and_are_averaged(faces, painter):
    one = evaluate(painter, faces, ["kid"], n=20, seed=3)["kid"]
    two = evaluate(painter, faces, ["kid"], n=20, seed=3, draws=2)["kid"]
    first, second = two.details["draws"]
    assert first == pytest.approx(one.value) and first != second
    assert two.value == pytest.approx((first + second) / 2)
    assert two.spread == pytest.approx(abs(first - second))


class Recorder:
    """A stand-in for a loaded generator that keeps the labels it is asked for."""

    latent_dim, height, width, name = 3, 16, 16, "recorder"

    def __init__(self, schema):
        self.schema, self.asked = schema, []

    def __call__(self, latents, labels):
        self.asked.append(to_unsigned(labels))
        pictures = np.tanh(latents)[:, None, None].repeat(16, axis=1).repeat(16, axis=2)
        return pictures.astype(np.float32)


def in_order(rows):
    return rows[np.lexsort(rows.T)]


def test_a_generator_is_asked_for_the_labels_of_the_real_images(faces):
    """Of those that figures compare it with, each as often as it occurs, in another order for each
    draw; not for attributes drawn one by one."""
    recorder = Recorder(MAKEGIRLSMOE)
    report = evaluate(recorder, faces, ["1nn"], n=40, seed=5)
    asked = np.concatenate(recorder.asked)
    labels = faces.split(0.5, seed=5)[1].labels()
    np.testing.assert_allclose(in_order(asked), in_order(labels), atol=1e-5)
    assert report["1-nn"].protocol["labels"].startswith("rows of the real images")
    settings = {"n": 40, "real_n": 40, "draws": 2, "seed": 5, "extractor": "", "classifier": ""}
    settings |= {"tagger": None, "resize": "clean", "label": None, "per_attribute": 1}
    settings |= {"stream": False, "cache": None, "progress": False}
    bench = Workbench(open_subject(recorder, 16, 16), faces, Settings(**settings))
    first, second = (bench.drawn(draw)[1] for draw in (0, 1))
    np.testing.assert_array_equal(first, asked.round(4))
    # The next draw samples other real images, and asks for theirs.
    anew = faces.split(0.5, seed=6)[1].labels()
    np.testing.assert_allclose(in_order(second), in_order(anew), atol=1e-4)
    assert (in_order(first) != in_order(second)).any()
    # More images than real ones: every row comes again.
    bench = Workbench(open_subject(recorder, 16, 16), faces, Settings(**settings | {"n": 80}))
    np.testing.assert_array_equal(in_order(bench.drawn()[1])[::2], in_order(first))


@pytest.mark.slow
def test_each_draw_is_compared_with_real_images_of_its_own(faces):
    """As MakeGirlsMoe's table 3: real images are sampled for each trial, not once."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8)
    streamed = evaluate(tfanime.from_arrays(noise), faces, ["fid"], n=20, draws=3, seed=5)
    kept = evaluate(tfanime.from_arrays(noise), faces, ["fid", "kid"], n=20, draws=3, seed=5)
    network = load_extractor("tagger")
    wanted = [
        fid_from_features(
            extract(faces.split(0.25, seed=5 + draw)[1].images(), network),
            extract(noise[np.random.default_rng(5 + draw).permutation(40)[:20]], network),
        )
        for draw in range(3)
    ]
    for report in (streamed, kept):
        assert report["fid"].details["draws"] == pytest.approx(wanted, rel=1e-4)
    assert streamed["fid"].floor == pytest.approx(kept["fid"].floor, rel=1e-4)


@pytest.mark.slow
def test_seed_b_compares_as_many_real_images_as_generated_ones(faces, painter):
    """12,800 with 12,800, five times, even where that leaves few for the floor, which is said."""
    named, some = PROTOCOLS["seed-b"], faces.split(0.5)[0]
    assert (named.metrics, named.n, named.draws) == (("fid", "attributes"), 12_800, 5)
    with pytest.raises(ValueError, match="12,800 generated images with as many real .* 40 real"):
        evaluate(painter, some, protocol="seed-b")
    report = evaluate(painter, some, protocol="seed-b", n=30, per_attribute=1)
    fid = report["fid"]
    assert fid.protocol["counts"] == "30 generated, 30 real, 10 other real"
    assert len(fid.details["draws"]) == 5 and fid.caution.startswith("few images (10)")
    assert fid.protocol["labels"].startswith("rows of the real images, which each draw samples")


def test_labels_that_the_real_images_lack_come_from_the_prior(faces):
    known = faces.select(["hair"])
    recorder = Recorder(MAKEGIRLSMOE)
    report = evaluate(recorder, known, ["1nn"], n=40, seed=5)
    asked = np.concatenate(recorder.asked)
    labels = known.split(0.5, seed=5)[1].labels()
    np.testing.assert_allclose(in_order(asked[:, :13].copy()), in_order(labels), atol=1e-5)
    assert "eyes from the model's prior" in report["1-nn"].protocol["labels"]
    report = evaluate(recorder, tfanime.from_arrays(faces.images()), ["1nn"], n=40)
    assert "have none" in report["1-nn"].protocol["labels"]


def test_small_counts_are_said_to_be_small(faces, tmp_path):
    """On the page, in the file and on the terminal; and no deviation is made up for them."""
    for i, picture in enumerate(faces.images(slice(0, 9))):
        save_image(tmp_path / "made" / f"{i}.png", picture)
        save_image(tmp_path / "real" / f"{i}.png", 255 - picture)
        save_image(tmp_path / "real" / f"{i + 9}.png", np.rot90(picture))
    tfanime.pack(tmp_path / "real", tmp_path / "packed", size=16, progress=False)
    words = ["--metrics", "fid,kid,1nn", "--against", str(tmp_path / "packed")]
    words += ["--out", str(tmp_path / "report")]
    result = CliRunner().invoke(main, ["evaluate", str(tmp_path / "made"), *words])
    assert result.exit_code == 0, result.output
    few = "few images (9), so that another draw may differ much"
    features = "fewer images (9) than features (512): FID reads high"
    assert f"fid: {few}; {features}" in result.stdout and f"kid: {few}" in result.stdout
    stored = json.loads((tmp_path / "report" / "metrics.json").read_text())["figures"]
    cautions = {figure["name"]: figure["caution"] for figure in stored}
    assert cautions == {"fid": f"{few}; {features}", "kid": few, "1-nn": few}
    assert "std over subsets" not in next(f for f in stored if f["name"] == "kid")["details"]
    assert few in (tmp_path / "report" / "report.html").read_text()


def test_a_notebook_is_cautioned_too(faces):
    report = evaluate(faces, faces, ["fid"], n=9)
    assert f"fid: {report['fid'].caution}" in str(report) and "few images (9)" in str(report)
    assert "few images (9)" in report._repr_html_()


def test_many_images_need_no_caution():
    figure = Figure("fid", 1.0, 0.5, "lower", {"features": 256})
    assert figure.with_caution(1000).caution == ""
    assert "than features (2,048)" in (
        Figure("fid", 1.0, 0.5, "lower", {"features": 2048}).with_caution(1000).caution
    )


def test_report_of_a_conditional_generator(faces, painter, tmp_path):
    """Everything that applies is measured; a generator that obeys gets what the tagger can see."""
    report = evaluate(painter, faces, n=40, per_attribute=2, label="smile", out=tmp_path / "report")
    names = {figure.name for figure in report.figures}
    assert {"fid", "kid", "coverage", "1-nn", "gan-train", "attribute precision"} <= names
    assert report["attribute precision"].protocol["attributes"] == MAKEGIRLSMOE.size
    stored = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert [figure["name"] for figure in stored["figures"]] == [f.name for f in report.figures]
    for figure in stored["figures"]:
        assert not set(ALWAYS) - {*figure["protocol"], "counts"}, figure["name"]
        assert figure["protocol"]["real set"] == faces.sha256
    by_features = [f for f in stored["figures"] if f["name"] in ("fid", "kid", "recall")]
    for figure in by_features:
        assert {"extractor", "layer", "network", "resize"} <= set(figure["protocol"])
    assert set(stored["versions"]) >= {"tensorflow", "keras", "numpy"}
    page = (tmp_path / "report" / "report.html").read_text()
    links = re.findall(r'(?:src|href)="([^"]*)"', page) + re.findall(r"url\(([^)]*)\)", page)
    assert links and all(link.startswith("data:image/png;base64,") for link in links)
    assert (tmp_path / "report" / "report.png").stat().st_size > 10_000


def test_one_repeated_picture_is_called_collapse(faces):
    repeated = tfanime.from_arrays(np.repeat(faces.images(slice(0, 1)), 40, axis=0))
    report = evaluate(repeated, faces, ["diversity", "prdc"], n=40)
    assert report["ms-ssim"].value == 1 and "more alike" in report["ms-ssim"].reading
    assert report["feature distance"].value == pytest.approx(0, abs=1e-3)
    assert report["recall"].value == 0


def test_a_folder_of_pictures(faces, tmp_path):
    for i, picture in enumerate(faces.images(slice(0, 12))):
        save_image(tmp_path / "made" / f"{i}.png", picture)
    report = evaluate(tmp_path / "made", faces, ["neighbours"], n=12, seed=1)
    assert report.subject["pictures"] == 12
    # Each of them is in the real set, and all but those of the floor are looked through.
    assert report["nearest psnr"].value == 100 > report["nearest psnr"].floor + 3
    assert "copies" in report["nearest psnr"].reading


def a_run(folder, average, raw):
    """A run folder whose generator paints one grey with its averaged, another with its raw bias."""
    import keras

    entry = keras.Input((4,))
    grey = keras.layers.Dense(16 * 16 * 3, kernel_initializer="zeros")
    model = keras.Model(entry, keras.layers.Reshape((16, 16, 3))(grey(entry)))
    kernel, bias = model.get_weights()
    model.set_weights([kernel, bias + average])
    save_generator(folder, model, None, "grey")
    for step, value in ((1, -1.0), (2, raw)):
        checkpoint = folder / "checkpoints" / f"step-{step:09d}"
        checkpoint.mkdir(parents=True)
        arrays = {"generator/0000": kernel, "generator/0001": bias + np.float32(value)}
        arrays |= {"ema_generator/0000": kernel, "ema_generator/0001": bias + np.float32(average)}
        arrays["gan/0000"] = np.array(step)
        np.savez(checkpoint / "state.npz", **arrays)
        write_json(checkpoint / "meta.json", {"step": step})
    return folder


def test_raw_and_averaged_weights(faces, tmp_path):
    run = a_run(tmp_path / "run", average=0.0, raw=1.0)
    for weights, grey in (("ema", 128), ("raw", 255)):
        subject = open_subject(run, 16, 16, weights)
        ((drawn, _),) = subject.chunks(3, seed=0)
        assert abs(drawn.astype(int) - grey).max() <= 1
    report = evaluate(run, faces, ["1nn"], n=20, weights="raw")
    assert "weights raw" in report["1-nn"].protocol["subject"]
    assert "step 2" in report["1-nn"].protocol["subject"]
    shutil.rmtree(run / "checkpoints")
    for subject in (run, faces):
        with pytest.raises(ValueError, match="Raw weights are in the checkpoints of a run folder"):
            evaluate(subject, faces, ["1nn"], n=20, weights="raw")
    with pytest.raises(ValueError, match="ema, raw. Received: 'both'"):
        evaluate(run, faces, ["1nn"], n=20, weights="both")


def test_command(faces, tmp_path):
    folder = tmp_path / "made"
    for i, picture in enumerate(faces.images()):
        save_image(folder / f"{i}.png", picture)
    tfanime.pack(folder, tmp_path / "packed", size=16, progress=False)
    words = ["evaluate", folder, "--against", tmp_path / "packed", "--out", tmp_path / "out"]
    words += ["--metrics", "kid,1nn", "--n", "20"]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert "report:" in done.output and (tmp_path / "out" / "report.html").is_file()
    done = CliRunner().invoke(main, [*map(str, words[:-4]), "--metrics", "attributes"])
    assert done.exit_code == 1
    assert "Error: attributes cannot be measured here: it needs a generator" in done.output


def test_refusals(faces, painter, tmp_path):
    with pytest.raises(ValueError, match="metric is one of: fid, .* Received: 'fod'"):
        evaluate(painter, faces, ["fod"])
    with pytest.raises(ValueError, match="protocol is one of: seed-a, seed-b"):
        evaluate(painter, faces, protocol="seed-c")
    unlabelled = tfanime.from_arrays(faces.images())
    with pytest.raises(ValueError, match="gan-train-test cannot be measured here: it needs labels"):
        evaluate(painter, unlabelled, ["gan-train-test"], n=20)
    with pytest.raises(ValueError, match="at most the 80 images"):
        evaluate(faces, faces, ["fid"], n=81)
    with pytest.raises(ValueError, match="none of them"):
        evaluate(tmp_path, faces, ["fid"])
    larger = tfanime.from_arrays(np.zeros((9, 32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="real images are 32x32; 'painter' makes 16x16"):
        evaluate(painter, larger, ["fid"])


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("faces2-64x64-e039763a37feda18", "faces2"),
        ("my-faces", "my-faces"),
        ("posters-64x96", "posters-64x96"),
    ],
)
def test_a_set_is_called_what_its_owner_calls_it(folder, name):
    """The cache names a set by what it was packed from, its size and a hash."""
    assert name_of(SimpleNamespace(path=Path("cache") / folder)) == name
    assert name_of(SimpleNamespace(path=None)) == "in memory"
