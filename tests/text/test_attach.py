from __future__ import annotations

import json

import numpy as np
import pytest

from tfanime.core.files import write_json
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema
from tfanime.data import PackedDataset, from_arrays
from tfanime.data.writer import Writer
from tfanime.drawn.faces import sample_labels
from tfanime.text.attach import attach, codes_of
from tfanime.text.captions import captions
from tfanime.text.codes import TextCode
from tfanime.text.vector_cache import KeptTexts, keep_texts

pytestmark = pytest.mark.usefixtures("encoders_once")
MOOD = LabelSchema((Field("mood", "group", ("light", "heavy")),))
WORDS = ["red moon", "lone sword", "blue hair", "the", "red sword", "blue moon"]
GENRES = [["A"], ["B", "C"], ["A", "C"], [], ["B"], ["C"]]


def packed(folder, count=6, labels=None, schema=MOOD):
    """A packed set of plain pictures with texts."""
    folder.mkdir(parents=True)
    writer = Writer(folder, 16, 24)
    for i in range(count):
        writer.add(np.full((16, 24, 3), i, np.uint8))
    if labels is None:
        labels = np.float32([[1, 0], [0, 1]] * count)[:count]
    write_json(folder / "files.json", [f"{i}.png" for i in range(count)])
    writer.finish(labels, schema)
    rows = [
        {"title": f"T{i}", "synopsis": WORDS[i % 6], "genres": GENRES[i % 6]} for i in range(count)
    ]
    rows[3]["synopsis"] = "No synopsis yet."
    (folder / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return folder


def test_codes_are_whitened_main_directions(pair):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 8)) * np.arange(1, 9) + 5
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    code = TextCode("x", str(pair)).fitted(vectors, 3)
    found = code.project(vectors)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(found.T, bias=True), np.eye(3), atol=1e-3)
    # The same space as the eigenvectors of the covariance with the largest eigenvalues.
    values, directions = np.linalg.eigh(np.cov(unit.T, bias=True))
    expected = (unit - unit.mean(0)) @ directions[:, ::-1][:, :3] / np.sqrt(values[::-1][:3])
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)
    # Any length of the encoder's vector gives the same.
    np.testing.assert_allclose(code.project(7 * vectors), found, atol=1e-4)
    assert TextCode("x", str(pair)).fitted(vectors[:3], 64).size == 2
    with pytest.raises(ValueError, match="all alike"):
        code.fitted(vectors[[1, 1, 1]])


def test_a_code_is_saved_and_read(tmp_path, pair):
    rng = np.random.default_rng(1)
    code = TextCode("plot", str(pair), "cls", 12, skip=("lemmas",)).fitted(
        rng.normal(size=(9, 8)), 4
    )
    code.save(tmp_path / "c.npz", codes=np.zeros(3))
    again = TextCode.load(tmp_path / "c.npz")
    assert (again.name, again.encoder, again.pooling) == ("plot", str(pair), "cls")
    assert (again.length, again.genres, again.skip) == (12, False, ("lemmas",))
    encoded = again.encode(["red moon", "N/A", "the"], trust_encoder=True)
    assert np.isnan(encoded[1]).all() and np.isfinite(encoded[[0, 2]]).all()
    np.testing.assert_array_equal(
        encoded, code.encode(["red moon", "N/A", "the"], trust_encoder=True)
    )
    with pytest.raises(ValueError, match="trust_encoder=True"):
        again.encode(["red moon"])
    with pytest.raises(ValueError, match="is a word"):
        TextCode("my plot", str(pair))


def test_raw_codes_are_the_encoders_vectors(tmp_path, pair, capsys):
    from tfanime.text import embed

    folder = packed(tmp_path / "data")
    data = attach(folder, "description", "synopsis", raw=True, encoder=str(pair), progress=False)
    code = codes_of(data)[0]
    vector = embed(["red moon"], code.load_encoder(trust_encoder=True), progress=False)[0]
    assert code.raw and code.size == data.schema.field("description").length == len(vector)
    np.testing.assert_array_equal(code.encode(["red moon"], trust_encoder=True)[0], vector)
    place = data.schema.slices()["description"]
    np.testing.assert_allclose(data.labels()[0, place] * 2 - 1, vector, atol=1e-5)
    assert np.isnan(data.labels()[3, place]).all()
    assert "Note" not in capsys.readouterr().err
    # Kept beside a run, the nearest texts are those of the nearest centred vectors.
    keep_texts(data, data, tmp_path / "run")
    kept = KeptTexts.open(tmp_path / "run")
    near = kept.near(vector, 2)
    assert near[0][0] == 0 and near[0][1] == pytest.approx(1.0, abs=1e-3)
    bank = data.labels()[[0, 1, 2, 4, 5], place] * 2 - 1
    centred = bank - bank.mean(0)
    cosines = centred @ centred[0] / np.linalg.norm(centred, axis=1) / np.linalg.norm(centred[0])
    assert near[1][1] == pytest.approx(np.sort(cosines)[-2], abs=5e-3)
    for options in ({"size": 3}, {"like": folder}):
        with pytest.raises(ValueError, match="raw takes the encoder's vectors as they are"):
            attach(folder, "again", "synopsis", raw=True, **options)


def test_whitening_that_makes_every_text_its_own_is_said(tmp_path, pair, capsys):
    folder = packed(tmp_path / "data")  # five different texts: they span four directions
    data = attach(folder, "all", "synopsis", encoder=str(pair), progress=False)
    said = capsys.readouterr().err
    assert "5 different texts become 4 numbers each" in said and "--raw" in said
    codes = data.labels()[[0, 1, 2, 4, 5], 2:] * 2 - 1
    apart = np.linalg.norm(codes[:, None] - codes[None], axis=-1)[np.triu_indices(5, 1)]
    np.testing.assert_allclose(apart, apart[0], rtol=1e-3)  # what is warned of
    attach(folder, "few", "synopsis", size=2, encoder=str(pair), progress=False)
    assert "Note" not in capsys.readouterr().err


@pytest.mark.slow
def test_texts_become_labels(tmp_path, pair):
    folder = packed(tmp_path / "set")
    plain = PackedDataset.open(folder)
    attach(folder, "tags", "genres", genres=True, encoder=pair, progress=False)
    data = attach(folder, "plot", "synopsis", size=3, encoder=pair, progress=False)
    assert [f.name for f in data.schema.fields] == ["mood", "tags", "plot"]
    assert data.schema.fields[2].length == 3 and data.schema.vector_size == data.schema.size - 2
    labels, places = data.labels(), data.schema.slices()
    np.testing.assert_array_equal(labels[:, :2], plain.labels())
    assert np.isnan(labels[3, places["plot"]]).all() and np.isnan(labels[3, places["tags"]]).all()
    code = codes_of(data)[1]
    expected = code.encode(["red moon", "lone sword"], trust_encoder=True)
    np.testing.assert_allclose(labels[:2, places["plot"]] * 2 - 1, expected, atol=1e-5)
    assert data.sha256 != plain.sha256
    before = (folder / "dataset.json").read_bytes()
    # Fallback to another column, in place of the same name.
    data = attach(folder, "plot", "synopsis,title", size=3, encoder=pair, progress=False)
    assert np.isfinite(data.labels()[3, data.schema.slices()["plot"]]).all()
    # Copies of the set elsewhere are known by this file.
    assert (folder / "dataset.json").read_bytes() != before
    assert [f.name for f in data.schema.fields] == ["mood", "tags", "plot"]


def test_a_test_set_is_encoded_as_the_training_set(tmp_path, pair):
    train, test = packed(tmp_path / "train"), packed(tmp_path / "test", 4)
    first = attach(train, "plot", "synopsis", encoder=pair, progress=False)
    with pytest.raises(ValueError, match="--trust-encoder"):
        attach(test, "plot", "synopsis", like=train, progress=False)
    second = attach(test, "plot", "synopsis", like=train, trust_encoder=True, progress=False)
    np.testing.assert_allclose(second.labels()[:3, 2:], first.labels()[:3, 2:], atol=1e-5)


def test_batches_of_views_and_conditions(tmp_path, pair):
    data = attach(packed(tmp_path / "set"), "plot", "synopsis", encoder=pair, progress=False)
    chosen = data.select(["plot"])
    assert [f.name for f in chosen.schema.fields] == ["plot"] and chosen.sha256 == data.sha256
    assert len(chosen.text_files) == 1 and not data.select(["mood"]).text_files
    rows = data.labels() * 2 - 1
    known = rows[[0, 1, 2, 4, 5]]
    batch = next(data.batches(6, seed=1))
    for label, condition in zip(batch["labels"], batch["condition"], strict=True):
        if label[2]:
            np.testing.assert_allclose(condition, label, atol=1e-5)
        else:  # no text: that of an example with the same mood
            same = known[known[:, 0] == label[0]]
            assert np.abs(same - condition).max(1).min() < 1e-5
    drawn = next(data.batches(64, seed=1, prior="training"))["condition"]
    for condition in drawn:
        assert np.abs(known - condition).max(1).min() < 1e-5
    assert len(np.unique(drawn[:, 2].round(4))) == 5
    train, _ = data.split(0.5)
    assert train.schema == data.schema and len(train.text_files) == 1
    with pytest.raises(ValueError, match="'plan' is not a known attribute"):
        data.select(["plan"])
    with pytest.raises(ValueError, match="no labels to select"):
        from_arrays(np.zeros((2, 16, 16, 3), np.uint8)).select(["mood"])


def test_a_run_keeps_what_the_pictures_were_said_to_be(tmp_path, pair):
    data = attach(packed(tmp_path / "set"), "plot", "synopsis", encoder=pair, progress=False)
    keep_texts(data, data, tmp_path / "run")
    code = TextCode.load(tmp_path / "run" / "text" / "text-plot.npz")
    np.testing.assert_array_equal(code.directions, codes_of(data)[0].directions)
    rows = (tmp_path / "run" / "text" / "rows.jsonl").read_text().splitlines()
    assert [json.loads(row)["title"] for row in rows] == [f"T{i}" for i in range(6)]
    np.testing.assert_array_equal(
        np.load(tmp_path / "run" / "text" / "labels.npy"), data.labels()[:, :2]
    )


def test_captions_say_what_is_so(tmp_path, pair):
    labels = sample_labels(300, seed=3)
    said = captions(labels, MAKEGIRLSMOE)
    assert said == captions(labels, MAKEGIRLSMOE) != captions(labels, MAKEGIRLSMOE, seed=1)
    for row, caption in zip(labels, said, strict=True):
        tags = MAKEGIRLSMOE.decode(row)
        words = caption.replace(",", "").split()
        hair = words[words.index("hair") - 1]
        if hair not in MAKEGIRLSMOE.field("hair").values:  # "her hair in twintails" comes later
            hair = caption.split(" hair")[0].split()[-1]
        assert hair == tags["hair"] and f"{tags['eyes']} eyes" in caption
        for flag, word in (("hat", " a hat"), ("glasses", "glasses"), ("smile", "smil")):
            assert tags[flag] or word not in caption
    shares = [np.mean(["glasses" in c for c, r in zip(said, labels, strict=True) if r[23]])]
    assert 0.6 < shares[0] < 0.9
    with pytest.raises(ValueError, match="attributes hair and eyes"):
        captions(np.ones((1, 2)), MOOD)


def test_drawn_faces_get_captions(tmp_path, pair):
    folder = packed(tmp_path / "faces", 8, sample_labels(8), MAKEGIRLSMOE)
    data = attach(folder, "caption", captions=True, size=5, encoder=pair, progress=False)
    row = json.loads((folder / "texts.jsonl").read_text().splitlines()[2])
    assert row["caption"] == captions(sample_labels(8), MAKEGIRLSMOE)[2] and row["title"] == "T2"
    assert data.schema.field("caption").length == 5
    again = attach(folder, "caption", captions=True, size=5, encoder=pair, progress=False)
    np.testing.assert_array_equal(again.labels(), data.labels())


def test_what_attach_refuses(tmp_path, pair):
    folder = packed(tmp_path / "set")
    with pytest.raises(ValueError, match="Received: plan; it has genres, synopsis, title"):
        attach(folder, "plot", "synopsis,plan", encoder=pair)
    with pytest.raises(ValueError, match="size is at least 1"):
        attach(folder, "plot", "synopsis", size=0, encoder=pair)
    (folder / "texts.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match="a line for each of the 6"):
        attach(folder, "plot", "synopsis", encoder=pair)
    (folder / "texts.jsonl").unlink()
    with pytest.raises(ValueError, match="a line per image"):
        attach(folder, "plot", "synopsis", encoder=pair)
    other = attach(packed(tmp_path / "b"), "plot", "synopsis", encoder=pair, progress=False)
    (other.path / "text-plot.npz").unlink()
    with pytest.raises(ValueError, match="damaged"):
        PackedDataset.open(other.path)
