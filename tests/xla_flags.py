"""What XLA is told in tests, where it compiles for far longer than it computes."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

# With these versions, more than half of compiling goes to emitters of fused kernels that can be
# left out. Older ones may end at a flag that they do not know.
WITH_EMITTERS = {"tensorflow": (2, 21), "jaxlib": (0, 10)}


def flags(package: str, level: int) -> str:
    """XLA_FLAGS for the XLA of a package, at a level of optimisation."""
    said = [f"--xla_backend_optimization_level={level}"]
    try:
        found = tuple(map(int, version(package).split(".")[:2]))
    except PackageNotFoundError:
        return said[0]
    if found >= WITH_EMITTERS[package]:
        said.append("--xla_cpu_use_fusion_emitters=false")
    return " ".join(said)


def for_jax(compiled: str | os.PathLike | None = None) -> dict[str, str]:
    """Environment of processes that compute by JAX, on the CPU. In the folder `compiled` they find
    what others of them have compiled."""
    found = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags("jaxlib", 0)}
    if compiled is not None:
        found |= {
            "JAX_COMPILATION_CACHE_DIR": os.fspath(compiled),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
    return found
