"""ONNX extractors, with a stand-in for onnxruntime that computes what can be checked by hand."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from tfanime.metrics.features import ILLUSTRATION2VEC_MEAN, extract, load_extractor

NAME = types.SimpleNamespace


class Session:
    """Gives the mean of each channel of the pictures it gets, blue channel of RGB last."""

    shape = [None, 3, 4, 4]

    def __init__(self, path, providers):
        if not Path(path).read_bytes():
            raise RuntimeError("empty")

    def get_inputs(self):
        return [NAME(name="data", shape=self.shape)]

    def get_outputs(self):
        return [NAME(name="encode1"), NAME(name="prob")]

    def run(self, names, feed):
        x = feed["data"]
        assert x.dtype == np.float32
        axes = (2, 3) if self.shape[1] == 3 else (1, 2)
        return [x.mean(axis=axes) * (2 if names == ["prob"] else 1)]


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", NAME(InferenceSession=Session))
    path = tmp_path / "net.onnx"
    path.write_bytes(b"x")
    return path


@pytest.mark.parametrize("shape", [[None, 3, 4, 4], [1, 4, 4, 3]])
def test_channels_first_and_last(file, monkeypatch, shape):
    monkeypatch.setattr(Session, "shape", shape)
    pictures = np.zeros((2, 4, 4, 3), np.uint8)
    pictures[1] = (255, 0, 51)
    network = load_extractor(file, pixel_range=(0.0, 1.0))
    np.testing.assert_allclose(extract(pictures, network), [[0, 0, 0], [1, 0, 0.2]], atol=1e-6)
    assert network.layer == "encode1"


def test_illustration2vec_gets_blue_first_and_less_the_mean(file):
    network = load_extractor(f"illustration2vec:{file}:prob")
    found = extract(np.full((1, 4, 4, 3), (10, 20, 30), np.uint8), network)
    np.testing.assert_allclose(found[0], 2 * (np.array([30, 20, 10]) - ILLUSTRATION2VEC_MEAN))
    assert (network.name, network.layer) == ("illustration2vec", "prob")


def test_what_is_wrong_is_named(file, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="no output 'fc6'. It has: encode1, prob"):
        load_extractor(f"{file}:fc6")
    with pytest.raises(ValueError, match="illustration2vec needs a file"):
        load_extractor("illustration2vec")
    monkeypatch.setattr(Session, "shape", [None, 3, "h", "w"])
    with pytest.raises(ValueError, match="images of a known size"):
        load_extractor(file)
    file.write_bytes(b"")
    with pytest.raises(ValueError, match="is no ONNX model"):
        load_extractor(file)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r".\.\[onnx\]."):
        load_extractor(file)
