"""One sentence where the extra `text` is not installed."""

from __future__ import annotations

import importlib

MODULES = ("tensorflow_text", "tensorflow_hub", "safetensors")


def check_needed() -> None:
    """Imports what every encoder needs; TF-Text registers the operations of preprocessors.

    Raises:
        ImportError: naming the extra.
    """
    for module in MODULES:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ImportError(
                f"Embedding texts needs {module} ({error}). Install it: pip install '.[text]' in a "
                "checkout"
            ) from error
