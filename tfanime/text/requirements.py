"""One sentence where the extra `text` is not installed."""

from __future__ import annotations

import importlib

MODULES = ("tensorflow_text", "safetensors")


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
        except Exception as error:  # its operations are compiled for one TensorFlow alone
            import tensorflow as tf

            version = ".".join(tf.__version__.split(".")[:2])
            raise ImportError(
                f"Embedding texts needs a {module} of TensorFlow's own minor version, {version}; "
                f"this one cannot be loaded ({(str(error).splitlines() or [''])[0]}). Install it: "
                f"pip install '{module.replace('_', '-')}=={version}.*'."
            ) from error
