"""Who judges whom: what a report says of the networks behind its figures."""

import keras
import numpy as np
import pytest
from keras import layers

import tfanime
from tfanime import zoo
from tfanime.core.files import read_json, write_json
from tfanime.evaluation import evaluate
from tfanime.evaluation.independence import INSIDE, LABELLED, LED, Part, judged, parts_of
from tfanime.evaluation.report import Figure
from tfanime.zoo.saved import save_generator, steered_by, store_steering

pytestmark = pytest.mark.usefixtures("judges_once")
FIGURE = Figure("fid", 1.0, 0.5, "lower", {})
THROUGH = {
    name: (Part(name, INSIDE),)
    for name in ("tagger", "lite0@2", "mobilenet_nsfwjs", "runs/my_tagger", "unknown.keras")
}


@pytest.mark.parametrize(
    ("judge", "parts", "independent", "words"),
    [
        (None, THROUGH["tagger"], True, "pixels alone"),
        ("tagger", (), True, "tagger .learnt from labels of faces., which had no part"),
        ("tagger", THROUGH["tagger"], False, "tagger, which was inside the run's discriminator$"),
        ("tagger", (Part("tagger", LABELLED),), False, "tagger, which labelled its data$"),
        (
            "tagger",
            (Part("tagger", INSIDE), Part("tagger", LABELLED)),
            False,
            "which was inside the run's discriminator and labelled its data",
        ),
        ("tagger", THROUGH["runs/my_tagger"], False, "labels of faces as my_tagger did"),
        ("tagger", THROUGH["lite0@2"], True, "no part"),
        ("lite0", THROUGH["lite0@2"], False, "lite0, which was inside"),
        ("inception:W.h5", THROUGH["lite0@2"], False, "from ImageNet as lite0 did, which was ins"),
        ("drawings", THROUGH["mobilenet_nsfwjs"], False, "images of nsfwjs as mobilenet_nsfwjs"),
        ("drawings:x.keras", THROUGH["lite0@2"], True, "images of nsfwjs., which had no part"),
        ("drawings", THROUGH["unknown.keras"], None, "same as unknown.keras, .* is not known"),
        ("x/unknown.keras", THROUGH["unknown.keras"], False, "unknown.keras, which was inside"),
        (
            "x/unknown.keras:relu",
            THROUGH["unknown.keras"],
            False,
            "unknown.keras, which was inside",
        ),
        ("other.tflite", THROUGH["lite0@2"], None, "same as lite0, .* is not known"),
        ("drawings", None, None, "drawings; which networks had a part .* not known"),
    ],
)
def test_what_a_judge_had_to_do_with_a_run(judge, parts, independent, words):
    import re

    found = judged(FIGURE, judge, parts)
    assert found.independent is independent
    assert re.search(words, found.judge), found.judge
    assert found.value == FIGURE.value


def test_a_converted_network_tells_what_it_learnt_from(tmp_path):
    inputs = keras.Input((8, 8, 3))
    outputs = layers.Conv2D(1, 1)(inputs)
    for name, independent in (("mobilenet_nsfwjs", False), ("mobilenet_imagenet", True)):
        keras.Model(inputs, outputs, name=name).save(tmp_path / "mine.keras")
        found = judged(FIGURE, "drawings", (Part(str(tmp_path / "mine.keras"), INSIDE),))
        assert found.independent is independent


def a_run(folder, features, labels_from=None, start=None, sha256="other", recipe="modern"):
    """A run folder whose generator draws grey."""
    latents = keras.Input((4,))
    x = layers.Dense(16 * 16 * 3, kernel_initializer="zeros")(latents)
    save_generator(folder, keras.Model(latents, layers.Reshape((16, 16, 3))(x)), None, "grey")
    discriminator = {"name": "projected", "features": features} if features else {"name": "dcgan"}
    config = {"discriminator": discriminator, "conditioning": "ac", "start": start}
    config["recipe"] = recipe
    stored = {"config": config, "data": {"sha256": sha256}, "labels_from": labels_from}
    write_json(folder / "config.json", stored)
    return folder


def test_the_parts_of_a_run(faces, tmp_path):
    first = a_run(tmp_path / "first", "lite0", "estimated by tagger")
    second = a_run(tmp_path / "second", ["tagger", "lite0@2"], start=str(first))
    found = parts_of(second, faces)
    assert found == (
        Part("tagger", INSIDE),
        Part("lite0@2", INSIDE),
        Part("lite0", INSIDE),
        Part("tagger", LABELLED),
    )
    assert parts_of(a_run(tmp_path / "plain", None, "mine.csv"), faces) == ()
    assert parts_of(a_run(tmp_path / "lost", None, start=str(tmp_path / "no")), faces) is None
    assert parts_of(a_run(tmp_path / "own", None, recipe="custom"), faces) is None
    assert parts_of(None, faces) is None


def test_a_second_discriminator_has_a_part_too(faces, tmp_path):
    run = a_run(tmp_path / "run", None)
    stored = read_json(run / "config.json")
    for features, found in (("lite0@2", 1), (["lite0@2", "tagger"], 2)):
        stored["config"]["projected"] = {"features": features}
        write_json(run / "config.json", stored)
        names = ("lite0@2", "tagger")[:found]
        assert parts_of(run, faces) == tuple(Part(name, INSIDE) for name in names)
    assert judged(FIGURE, "mobilenet", parts_of(run, faces)).independent is False


def test_what_led_the_steering_is_no_stranger(faces, tmp_path):
    run = a_run(tmp_path / "run", "lite0")
    store_steering(run, ["tagger"])
    assert steered_by(run) == ("tagger",)
    assert parts_of(run, faces) == (Part("lite0", INSIDE), Part("tagger", LED))
    found = judged(FIGURE, "tagger", parts_of(run, faces))
    assert found.judge == "tagger, which led its steering" and found.independent is False
    # Training begins without it, unless it keeps it, also by way of another run.
    on = a_run(tmp_path / "on", None, start=str(run))
    assert parts_of(on, faces) == (Part("lite0", INSIDE),)
    for start in (run, on):
        kept = a_run(tmp_path / f"of_{start.name}", None, start=str(start))
        for folder in (on, kept):
            stored = read_json(folder / "config.json")
            stored["config"]["steering"] = 8
            write_json(folder / "config.json", stored)
        assert parts_of(kept, faces) == (Part("lite0", INSIDE), Part("tagger", LED))
    described = read_json(run / "generator.json")
    write_json(run / "generator.json", {**described, "steered_by": "tagger"})
    with pytest.raises(ValueError, match="says that it was steered by 'tagger'"):
        steered_by(run)


def test_the_tagger_is_no_stranger_to_the_model_that_ships(faces):
    """It led its steering, as the card tells."""
    found = judged(FIGURE, "tagger", parts_of(zoo.path(zoo.DEFAULT), faces))
    assert found.judge == "tagger, which led its steering" and not found.independent


def test_labels_of_an_older_run_are_those_of_its_data(faces, tmp_path):
    folder = tmp_path / "packed"
    folder.mkdir()
    write_json(folder / "dataset.json", {"labels_from": "estimated by tagger"})
    faces = tfanime.from_arrays(faces.images(), faces.labels(), faces.schema)
    faces.path = folder
    run = a_run(tmp_path / "run", None, sha256=faces.sha256)
    assert parts_of(run, faces) == (Part("tagger", LABELLED),)
    assert parts_of(a_run(tmp_path / "other", None), faces) == ()


def test_figures_without_a_part_in_the_run_lead(faces, tmp_path):
    run = a_run(tmp_path / "run", ["tagger"])
    report = evaluate(run, faces, ["kid", "1nn"], n=20, out=tmp_path / "report")
    assert [(f.name, f.independent) for f in report.figures] == [("1-nn", True), ("kid", False)]
    stored = read_json(tmp_path / "report" / "metrics.json")["figures"]
    assert stored[1]["judge"] == "tagger, which was inside the run's discriminator"
    page = (tmp_path / "report" / "report.html").read_text()
    lead, flattering = page.index("had no part in the run"), page.index("these flatter it")
    assert lead < page.index("1-NN accuracy") < flattering < page.index("KID")
    assert "judged by tagger, which was inside the run&#x27;s discriminator" in page


def test_of_pictures_nothing_is_known(faces):
    noise = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), np.uint8)
    report = evaluate(tfanime.from_arrays(noise), faces, ["kid", "is"], n=20)
    assert {f.independent for f in report.figures} == {None}
    assert all(f.judge.startswith("tagger; which networks") for f in report.figures)
