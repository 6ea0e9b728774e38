"""How processes of tests compute by JAX."""

from __future__ import annotations

import os


def environment(compiled: str | os.PathLike | None = None) -> dict[str, str]:
    """On the CPU, where compiling takes far longer than the steps. In the folder `compiled`
    processes find what others have compiled."""
    found = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    if compiled is not None:
        found |= {
            "JAX_COMPILATION_CACHE_DIR": os.fspath(compiled),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
    return found
