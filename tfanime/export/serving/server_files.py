"""Text files that TensorFlow Serving is started with, beside the models of a folder.

They are protocol buffers in text form: `ModelServerConfig`, `BatchingParameters` and
`MonitoringConfig` of the server's sources.
"""

from __future__ import annotations

from pathlib import Path

from tfanime.core.files import read_json, write_text

MODELS, BATCHING, MONITORING = "models.config", "batching.config", "monitoring.config"
EXTRA = "assets.extra"
DESCRIPTION = "tfanime.json"
HEADER = "# Written by tfanime export saved-model; without this line it is left as it is.\n"
INSIDE = "/models"  # where the server's image has its models
THREADS = 4
MOST_ROWS = 64
WAIT = 5_000  # microseconds that a request may wait for others

MONITORED = """\
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""


def write(folder: Path) -> None:
    """Writes the three files for all models that tfanime exported into `folder`."""
    descriptions = {
        path.name: newest for path in sorted(folder.iterdir()) if (newest := described(path))
    }
    _write(folder / MODELS, _models(list(descriptions)))
    # A batch of requests is refused as a whole, so no batch may ask for more than one call may.
    rows = min(d["limits"]["call"] // d["limits"]["pictures"] for d in descriptions.values())
    _write(folder / BATCHING, _batching(max(1, min(rows, MOST_ROWS))))
    _write(folder / MONITORING, MONITORED)


def versions(model: Path) -> dict[int, Path]:
    """The version folders of a model; TensorFlow Serving takes every number for one."""
    if not model.is_dir():
        return {}
    return {int(p.name): p for p in model.iterdir() if p.is_dir() and p.name.isdecimal()}


def described(model: Path) -> dict | None:
    """What the newest version says of itself, or None when tfanime did not write it."""
    numbers = versions(model)
    file = numbers[max(numbers)] / EXTRA / DESCRIPTION if numbers else None
    return read_json(file) if file and file.is_file() else None


def _models(names: list[str]) -> str:
    entries = [
        f'  config {{\n    name: "{name}"\n    base_path: "{INSIDE}/{name}"\n'
        '    model_platform: "tensorflow"\n  }\n'
        for name in names
    ]
    return "model_config_list {\n" + "".join(entries) + "}\n"


def _batching(rows: int) -> str:
    return (
        f"max_batch_size {{ value: {rows} }}\n"
        f"batch_timeout_micros {{ value: {WAIT} }}\n"
        f"num_batch_threads {{ value: {THREADS} }}\n"
        "max_enqueued_batches { value: 100 }\n"
    )


def _write(path: Path, text: str) -> None:
    ours = not path.exists() or path.read_text(encoding="utf-8").startswith(HEADER)
    if ours:
        write_text(path, HEADER + text)
