"""LiteRT files are run by the package ai-edge-litert, by TensorFlow's copy where it is missing."""

import importlib.util
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from tfanime.core import litert

MISSING = importlib.util.find_spec("ai_edge_litert") is None
PACKAGE = pytest.param("package", marks=pytest.mark.skipif(MISSING, reason="needs tfanime[litert]"))


@pytest.fixture(scope="module")
def content():
    function = tf.function(lambda x: 2.0 * x + 1.0, input_signature=[tf.TensorSpec((None, 3))])
    concrete = function.get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module()).convert()


@pytest.mark.parametrize("whose", [PACKAGE, "tensorflow"])
def test_what_it_computes(whose, content, monkeypatch):
    if whose == "tensorflow":
        monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
        if not hasattr(tf.lite, "Interpreter"):
            pytest.skip("this TensorFlow has no copy any more")
    found = litert.interpreter(content, threads=1)
    assert type(found).__module__.startswith("tensorflow" if whose == "tensorflow" else "ai_edge")
    found.resize_tensor_input(found.get_input_details()[0]["index"], (2, 3))
    found.allocate_tensors()
    found.set_tensor(found.get_input_details()[0]["index"], np.ones((2, 3), np.float32))
    found.invoke()
    np.testing.assert_array_equal(found.get_tensor(found.get_output_details()[0]["index"]), 3.0)


def test_without_either(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tensorflow", types.ModuleType("tensorflow"))
    with pytest.raises(ImportError, match=r"run by LiteRT, .*'\.\[litert\]'") as caught:
        litert.interpreter(b"")
    assert "\n" not in str(caught.value)
