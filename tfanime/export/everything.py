"""Every way of publishing a generator, in one folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tfanime import zoo
from tfanime.core.bars import overall
from tfanime.export.files.portable import Converted, export_litert, export_onnx
from tfanime.export.serving.saved_model import Saved, export_saved_model
from tfanime.export.web.export import Site, export_web
from tfanime.sampling.upscale import NONE

TIME = {"litert": 1, "onnx": 2, "serving": 3, "web": 10}  # what each takes, roughly


@dataclass(frozen=True)
class Everything:
    """What `export_all` wrote, one field an export; None for one whose packages are missing.

    Args:
        lacking: what was not written (`"web"`, `"serving"`, `"onnx"`) to the sentence that says
            what to install.
    """

    web: Site | None
    served: Saved | None
    litert: Converted | None
    onnx: Converted | None
    lacking: dict[str, str] = field(default_factory=dict)


def export_all(
    run: str | os.PathLike,
    out: str | os.PathLike,
    *,
    upscaler: str | os.PathLike | None = None,
    site: bool = True,
    trust_encoder: bool = False,
    progress: bool = False,
) -> Everything:
    """Writes `web/`, `serving/NAME/N/`, `litert/` and `onnx/`, NAME being the run folder's.

    What needs an extra that is not installed is left out, and named in the result.

    Args:
        run: a run folder of a generator.
        out: the folder. Earlier exports in it are replaced, but for the served model, which gets
            its next version.
        upscaler: a run folder of an upscaler, for the site and the served model. None: the one
            that the model names, if it does; `"none"`: no upscaler.
        site: False leaves the web page out and writes its models alone.
        trust_encoder: see `export_saved_model`.
        progress: show a progress bar.

    Raises:
        Others than ImportError: see `export_web`, `export_saved_model`, `export_litert`.
    """
    run, out = zoo.locate(run), Path(out)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", run.resolve().name).strip("-") or "model"
    if name.isdecimal():
        name = f"model-{name}"
    runs = [run]
    if upscaler is not None and upscaler != NONE:
        runs.append(zoo.locate(upscaler))
    # The quick ones first: what is wrong with the run shows before the long measuring.
    steps: dict[str, Callable[[], object]] = {
        "litert": lambda: export_litert(run, out / "litert"),
        "onnx": lambda: export_onnx(run, out / "onnx"),
        "serving": lambda: export_saved_model(
            run, out / "serving" / name, upscaler=upscaler, trust_encoder=trust_encoder
        ),
        "web": lambda: export_web(
            runs, out / "web", site=site, progress=progress, upscaler=upscaler is None
        ),
    }
    results, lacking = dict.fromkeys(steps), {}
    with overall(TIME, disable=not progress) as bar:
        for step, export in steps.items():
            with bar.step(step):
                try:
                    results[step] = export()
                except ImportError as error:
                    lacking[step] = str(error)
    return Everything(
        results["web"], results["serving"], results["litert"], results["onnx"], lacking
    )
