"""How processes of tests compute by JAX."""

from __future__ import annotations

import os
from importlib.metadata import version

# XLA's compiler turns a whole step of an upscaler into wrong numbers in JAX 0.6 (Python 3.10) when
# it optimises nothing: other than those of the same operations one by one, by 0.7 %.
FAULTY, RIGHT = "0.6.", 1


def environment(compiled: str | os.PathLike | None = None) -> dict[str, str]:
    """On the CPU, where compiling takes far longer than the steps. In the folder `compiled`
    processes find what others have compiled."""
    level = RIGHT if version("jax").startswith(FAULTY) else 0
    found = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": f"--xla_backend_optimization_level={level}"}
    if compiled is not None:
        found |= {
            "JAX_COMPILATION_CACHE_DIR": os.fspath(compiled),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
    return found
