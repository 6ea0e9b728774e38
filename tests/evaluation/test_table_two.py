"""The protocol of seed A, and Table II: metrics by networks of their own."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime.cli import main
from tfanime.core.images import save_image
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.drawn.faces import draw_faces
from tfanime.evaluation import evaluate, measures, workbench
from tfanime.evaluation.table_two import table_two
from tfanime.metrics import Extractor

# ---- the poster study's table ----------------------------------------------------------------


def small_network(name, layer, side, compute):
    return Extractor(name, layer, f"{name}:{layer}", side, side, compute)


def tiles(pictures):
    """`(n, 12)`: mean colours of four quarters, what the networks below see."""
    halves = pictures.reshape(len(pictures), 2, 8, 2, 8, 3).mean(axis=(2, 4))
    return (halves.reshape(len(pictures), 12) / 255).astype(np.float32)


@pytest.fixture(scope="module")
def many():
    """160 drawn faces, of which every second one smiles."""
    _, labels = draw_faces(160, size=16)
    labels[:, MAKEGIRLSMOE.columns.index("smile")] = np.arange(160) % 2
    images, _ = draw_faces(160, size=16, labels=labels)
    return tfanime.from_arrays(images, labels, MAKEGIRLSMOE)


@pytest.fixture
def networks(monkeypatch):
    """Stand-ins for networks that are downloaded: names that load, and what was asked for."""
    there, asked = {"inception", "mobilenetv2", "lite0"}, []

    def load(kind):
        def of(spec):
            asked.append((kind, spec))
            if spec not in there:
                raise ValueError(f"{spec} needs its ImageNet weights.")
            if kind == "classifier":
                return small_network(
                    spec, "output", 16, lambda x: np.eye(4)[(tiles(x)[:, 0] * 3.99).astype(int)]
                )
            return small_network(spec, "avg_pool", 16, tiles)

        return of

    monkeypatch.setattr(workbench, "load_extractor", load("extractor"))
    monkeypatch.setattr(measures, "load_classifier", load("classifier"))
    return there, asked


def test_a_flag_has_two_classes():
    bench = SimpleNamespace(
        settings=SimpleNamespace(classifier="tagger:smile", progress=False),
        tagger=SimpleNamespace(
            name="tagger",
            schema=MAKEGIRLSMOE,
            probabilities=lambda images, progress: np.repeat([[0.2], [0.9]], 34, axis=1),
        ),
    )
    name, posteriors = measures._classifier(bench)
    assert name == "tagger, smile"
    np.testing.assert_allclose(posteriors(None), [[0.8, 0.2], [0.1, 0.9]])


def test_seed_a_measures_each_metric_by_its_network(many, painter, networks):
    report = evaluate(painter, many, protocol="seed-a", label="smile", n=80)
    used = {figure.name: figure.protocol.get("extractor") for figure in report.figures}
    assert used == {
        "fid": "inception",
        "fid between labels": "inception",
        "inception score": None,
        "1-nn": None,
        "gan-train": "mobilenetv2",
        "gan-test": "mobilenetv2",
    }
    assert report["inception score"].protocol["classifier"] == "inception, output"
    assert report["gan-train"].judge.startswith("mobilenetv2")
    assert not any("stand-in" in figure.protocol for figure in report.figures)
    # Each network is loaded once, and the tagger not at all.
    assert sorted(networks[1]) == [
        ("classifier", "inception"),
        ("extractor", "inception"),
        ("extractor", "mobilenetv2"),
    ]
    # What is given goes first; without a protocol there are no other networks than that.
    networks[0].add("mine.keras")
    own = evaluate(painter, many, protocol="seed-a", label="smile", n=80, extractor="mine.keras")
    assert own["fid"].protocol["extractor"] == "mine.keras"
    assert own["gan-test"].protocol["extractor"] == "mobilenetv2"
    plain = evaluate(painter, many, ["gan-train-test"], n=80, extractor="mine.keras")
    assert plain["gan-test"].protocol["extractor"] == "mine.keras"


def test_stand_ins_are_classifiers_and_are_named(many, painter, networks):
    there, _ = networks
    there -= {"inception", "mobilenetv2"}
    report = evaluate(painter, many, protocol="seed-a", label="smile", n=80)
    for name, wanted in (
        ("fid", "inception"),
        ("fid between labels", "inception"),
        ("inception score", "inception"),
        ("gan-train", "mobilenetv2"),
        ("gan-test", "mobilenetv2"),
    ):
        protocol = report[name].protocol
        assert protocol["stand-in"] == f"lite0 for {wanted}, whose weights could not be had"
        assert "lite0" in (protocol.get("extractor") or protocol["classifier"])
        assert report[name].judge.startswith("lite0")
    there.clear()
    with pytest.raises(ValueError, match="inception needs .*Its stand-in cannot be had .*lite0"):
        evaluate(painter, many, protocol="seed-a", label="smile", n=80)
    # Outside of the protocol nothing stands in for what is asked for.
    there.add("lite0")
    with pytest.raises(ValueError, match="inception needs its ImageNet weights"):
        evaluate(painter, many, ["fid"], n=40, extractor="inception")


def test_one_call_makes_table_two(many, tmp_path, networks):
    networks[0].discard("mobilenetv2")
    images, labels = many.images(), many.labels()
    sets = {"good": images, "bad": 255 - images}
    for name, pictures in sets.items():
        folder = tmp_path / name
        for i, picture in enumerate(pictures):
            save_image(folder / f"{i:03}.png", picture)
        rows = [",".join(["file", *MAKEGIRLSMOE.columns])]
        rows += [
            f"{i:03}.png," + ",".join(str(int(x)) for x in row) for i, row in enumerate(labels)
        ]
        (folder / "labels.csv").write_text("\n".join(rows) + "\n")
        tfanime.pack(folder, tmp_path / f"{name}-packed", 16, folder / "labels.csv", progress=False)
    packed = [str(tmp_path / f"{name}-packed") for name in sets]
    words = ["--against", packed[0], "--protocol", "seed-a", "--n", "80"]
    words += ["--label", "smile"]
    out = tmp_path / "table"
    result = CliRunner().invoke(main, ["evaluate", *packed, *words, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert f"table: {out / 'table2.md'}" in result.output
    assert "stand-in: lite0 for mobilenetv2" in result.output
    lines = (out / "table2.md").read_text().splitlines()
    heads = ["Model", "FID", "IS", "1KNN w/ PSNR", "GAN-Train Accuracy", "GAN-Test Accuracy"]
    assert lines[0] == "| " + " | ".join(heads) + " |"
    cells = [line.strip("| ").split(" | ") for line in lines[2:5]]
    assert [row[0] for row in cells] == ["good-packed", "bad-packed", "other real images"]
    for row, name in zip(cells[:2], ("good-packed", "bad-packed"), strict=True):
        report = json.loads((out / name / "metrics.json").read_text())
        found = {figure["name"]: figure for figure in report["figures"]}
        between = found["fid between labels"]["protocol"]["between"]
        assert row[1].startswith(f"{between} = ") and "<br>Real vs Fake = " in row[1]
        train = found["gan-train"]
        assert row[4] == f"Train = {train['value']:.2%}<br>Validation = {train['floor']:.2%}"
        assert row[5].startswith(f"Test = {found['gan-test']['value']:.2%}<br>Validation")
        assert float(row[3]) == pytest.approx(found["1-nn"]["value"], abs=1e-3)
    assert any("mobilenetv2, whose weights could not be had" in line for line in lines[5:])
    cautions = [line for line in lines[5:] if "few images (80)" in line]
    assert len(cautions) == 1 and {"fid", "1-nn"} <= set(re.findall(r"[\w-]+", cautions[0]))
    # Other figures are of one model at a time, and models have names of their own.
    result = CliRunner().invoke(main, ["evaluate", *packed, *words[:2], "--out", str(out)])
    assert result.exit_code == 2 and "One model is measured at a time" in result.output
    with pytest.raises(ValueError, match="different names.* Received twice: good-packed"):
        table_two([packed[0]] * 2, many, out)
