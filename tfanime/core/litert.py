"""The interpreter of LiteRT (TFLite) files: the package ai-edge-litert, or TensorFlow's copy."""

from __future__ import annotations

import warnings
from typing import Any


def interpreter(content: bytes, threads: int | None = None) -> Any:
    """An interpreter of a model's bytes, on `threads` threads.

    TensorFlow announces that its own copy will go; it serves where the package is missing.

    Raises:
        ImportError: naming the extra, where neither is there.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        Interpreter = _of_tensorflow(error)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's announces its move to that package
        return Interpreter(model_content=content, num_threads=threads)


def _of_tensorflow(missing: ImportError) -> type:
    try:
        import tensorflow as tf

        return tf.lite.Interpreter
    except (ImportError, AttributeError):
        raise ImportError(
            f"A .tflite file is run by LiteRT, which could not be imported ({missing}). Install "
            "it: pip install '.[litert]' in a checkout."
        ) from missing
