"""The tagger that ships, and the folder it is found in."""

import numpy as np
import pytest

from tfanime import zoo
from tfanime.core.labels import FACES, MAKEGIRLSMOE
from tfanime.drawn.faces import draw_faces
from tfanime.metrics import extract, load_extractor
from tfanime.tagging import load_tagger, probabilities_of
from tfanime.tagging.figures import ALL, figures_in

SEEN = 150


@pytest.fixture(scope="module")
def faces():
    """Drawn faces that no tagger was trained on: of a seed of their own."""
    return draw_faces(SEEN, size=64, seed=987)


def in_makegirlsmoe(tagger, pictures):
    """Labels in the 34 columns that drawn faces have."""
    columns = [tagger.schema.columns.index(column) for column in MAKEGIRLSMOE.columns]
    return tagger.labels(pictures)[:, columns]


def test_it_knows_drawn_faces(faces):
    pictures, labels = faces
    found = in_makegirlsmoe(load_tagger(), pictures)
    right = (found == labels).mean(axis=0)
    # 0.97 of thousands; of 150 a few more may be wrong by chance.
    assert right.min() > 0.92, dict(zip(MAKEGIRLSMOE.columns, right, strict=True))
    assert right.mean() > 0.985


def test_any_size(faces):
    pictures, labels = faces
    tagger = load_tagger()
    larger = pictures[:40].repeat(2, axis=1).repeat(2, axis=2)
    same = (tagger.labels(larger) == tagger.labels(pictures[:40])).mean()
    assert same > 0.95
    assert tagger.tags(pictures[:1])[0]["hair"] == MAKEGIRLSMOE.decode(labels[0])["hair"]


def test_it_knows_the_attributes_of_labels_by_eye():
    tagger = load_tagger()
    assert tagger.schema.columns == FACES.columns
    flags = [field.name for field in FACES.fields if field.kind == "flag"]
    thresholds = [tagger.threshold[FACES.columns.index(flag)] for flag in flags]
    assert len(set(thresholds)) == len(flags) == 14 and 0 < min(thresholds) < max(thresholds) < 1


def test_its_card_carries_its_figures():
    card = (zoo.path("tagger") / "MODEL_CARD.md").read_text()
    found = figures_in(zoo.path("tagger"))[ALL]
    for name in ("hair", "eyes"):
        assert f"| {name} | " in card and f"{found['groups'][name]['accuracy']:.3f}" in card
    for flag, scores in found["flags"].items():
        row = next(x for x in card.splitlines() if x.startswith(f"| {flag.replace('_', ' ')} |"))
        assert f"{scores['f1']:.2f} ({scores['with it']})" in row


def test_it_is_small_and_gives_features(faces):
    assert (zoo.path("tagger") / "tagger.keras").stat().st_size < 2_000_000
    features = extract(faces[0][:3], load_extractor("tagger"))
    assert features.shape == (3, 512)


def test_probabilities():
    logits = np.zeros((1, MAKEGIRLSMOE.size), np.float32)
    logits[0, 0] = np.log(12)  # twelve other colours at 1
    logits[0, MAKEGIRLSMOE.columns.index("smile")] = np.log(3)
    found = probabilities_of(logits, MAKEGIRLSMOE)[0]
    assert found[0] == pytest.approx(0.5)
    assert found[MAKEGIRLSMOE.slices()["eyes"]] == pytest.approx([0.1] * 10)
    assert found[MAKEGIRLSMOE.columns.index("smile")] == pytest.approx(0.75)


def test_no_tagger(tmp_path):
    with pytest.raises(ValueError, match="A tagger is a folder with tagger.keras"):
        load_tagger(tmp_path)
    with pytest.raises(ValueError, match=r"is one of: .*tagger.* Received: 'nobody'"):
        zoo.path("nobody")


# ---- Illustration2Vec --------------------------------------------------------------------------


def network(path, outputs):
    """A Keras model whose i-th probability is 1 / (i + 1), whatever the picture."""
    import keras

    entry = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(entry)
    layer = keras.layers.Dense(outputs, activation="sigmoid", kernel_initializer="zeros")
    model = keras.Model(entry, layer(x))
    p = 1 / (np.arange(outputs) + 1.0001)
    layer.set_weights([layer.get_weights()[0], np.log(p / (1 - p))])
    model.save(path)
    return p


def test_illustration2vec_reads_its_list_of_tags(tmp_path):
    names = [column.replace("_", " ") for column in MAKEGIRLSMOE.columns]
    tags = ["1girl", *names[::-1], "rating"]
    p = network(tmp_path / "tags.keras", len(tags))
    spec = f"illustration2vec:{tmp_path / 'tags.keras'}"
    with pytest.raises(ValueError, match="without tag_list.json"):
        load_tagger(spec)
    (tmp_path / "tag_list.json").write_text(str(tags[1:]).replace("'", '"'))
    with pytest.raises(ValueError, match="must be 35 probabilities"):
        load_tagger(spec).labels(np.zeros((1, 8, 8, 3), np.uint8))
    (tmp_path / "tag_list.json").write_text(str(tags).replace("'", '"'))
    found = load_tagger(spec).probabilities(np.zeros((1, 8, 8, 3), np.uint8))[0]
    np.testing.assert_allclose(found, p[1:35][::-1], rtol=1e-5)
    (tmp_path / "tag_list.json").write_text('["hat"]')
    with pytest.raises(ValueError, match="It lacks: blonde hair, "):
        load_tagger(spec)
