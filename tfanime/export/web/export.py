"""A trained generator as a static web page that draws on the visitor's machine."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfanime import zoo
from tfanime.core.bars import overall
from tfanime.core.files import write_json
from tfanime.export.folder import FORMAT, MANIFEST, check_replaceable, replacing
from tfanime.export.graph.precision import PRECISIONS
from tfanime.export.graph.subject import generator_subject, upscaler_subject
from tfanime.export.web import package, poster_kit, sharing, tfjs
from tfanime.export.web.model import Exported, Work, kid_judge
from tfanime.version import __version__
from tfanime.zoo.saved import GENERATOR, UPSCALER, kind_of, upscaler_of

if TYPE_CHECKING:
    import numpy as np

CHOICES = ("auto", *PRECISIONS)
CONVERTERS = ("tfanime", "tensorflowjs")
PARTS = {GENERATOR: "models", UPSCALER: "upscalers"}  # of the folder, and of the manifest


@dataclass(frozen=True)
class Site:
    """What `export_web` wrote."""

    path: Path
    models: tuple[Exported, ...]


def export_web(
    runs: str | os.PathLike | Sequence[str | os.PathLike],
    out: str | os.PathLike,
    precision: str = "auto",
    *,
    site: bool = True,
    extractor: str | None = None,
    progress: bool = False,
    converter: str = "tfanime",
    address: str | None = None,
    upscaler: bool = True,
) -> Site:
    """Writes a folder that any web host can serve: models, and the site that draws with them.

    Before it is converted a model is rewritten into one that is faster and draws the same
    (`tfanime.export.graph.rewrite`); what was converted is read back and compared with the trained
    model.

    Args:
        runs: a run folder, or several: each becomes a model of the site. Upscalers go along with
            at least one generator.
        out: the folder. An earlier export is replaced; anything else that is there is an error.
        precision: how weights are stored: `"float32"`, `"float16"`, `"mixed"` (8 bits where that
            does no visible harm, else 16), `"uint8"` (all kernels in 8 bits), or `"auto"`: the
            smallest download that shows no difference.
        site: False leaves out the site itself, for use with a page of one's own.
        extractor: see `tfanime.metrics.load_extractor`; also measures KID.
        progress: show a progress bar.
        converter: what writes the graph: `"tfanime"`, or `"tensorflowjs"`, the official converter,
            which takes layers that ours does not know.
        address: where the folder will be, `https://example.org/faces/`: previews of links to it
            then show its images. None leaves its own address out; many previews show no image
            then.
        upscaler: False leaves out the upscalers that generators name (`upscaler` in
            `generator.json`). One that is among `runs` goes along in any case, and enlarges for
            those that name none.

    Returns:
        `Site`.

    Raises:
        ImportError: for the site without the `web` extra; for `converter="tensorflowjs"` without
            `tfjs-reference`.
        FileNotFoundError: when a folder holds no trained model.
        ValueError: when `out` is something else than an earlier export, or the upscaler that a
            generator names is not there.
        RuntimeError: when the converted model draws other images. Nothing is written then.

    Example:
        >>> export_web("runs/girls", "site/")  # doctest: +SKIP
    """
    if precision not in CHOICES:
        raise ValueError(f"precision is one of: {', '.join(CHOICES)}. Received: {precision!r}.")
    if converter not in CONVERTERS:
        raise ValueError(f"converter is one of: {', '.join(CONVERTERS)}. Received: {converter!r}.")
    runs = [runs] if isinstance(runs, (str, os.PathLike)) else list(runs)
    folders = [zoo.locate(run) for run in runs]
    own = {
        run: upscaler_folder
        for run in folders
        if upscaler and (upscaler_folder := _upscaler_of(run))
    }
    named = _named(folders, list(own.values()))
    out = Path(out)
    address = sharing.check_address(address)
    check_replaceable(out)
    convert = tfjs.convert
    if converter == "tensorflowjs":
        from tfanime.export.web import tfjs_reference

        tfjs_reference.require()
        convert = tfjs_reference.convert
    built = None
    if site:
        from tfanime.export.web.site import built_site

        built = built_site()
    judge = kid_judge(extractor)
    with replacing(out) as folder:
        if built:
            shutil.copytree(built, folder, dirs_exist_ok=True)
        entries: dict[str, list[dict]] = {"models": [], "upscalers": []}
        models = []
        pictures: np.ndarray | None = None  # by the first generator
        with overall(dict.fromkeys(map(_place, named), 1), disable=not progress) as bar:
            for one in named:
                kind, name, run = one
                with bar.step(_place(one)):
                    if kind == UPSCALER:
                        assert pictures is not None  # generators come first
                        subject = upscaler_subject(run, pictures)
                    else:
                        subject = generator_subject(run)
                    place = _place(one)
                    work = Work(subject, folder, place, precision, convert, judge, progress)
                    entry, model = work.export(name, run)
                if subject.generator is not None:
                    entry["upscaler"] = _enlarging(own.get(run), folders, named)
                    entry["poster"] = poster_kit.write(folder, subject.generator.schema)
                entries[PARTS[kind]].append(entry)
                models.append(model)
                if pictures is None:
                    pictures = subject.pictures
        if built and pictures is not None:
            sharing.write_card(folder, pictures)
            package.write(folder, out)
            if address:
                sharing.write_address(folder, address)
        write_json(folder / MANIFEST, {"format": FORMAT, "tfanime": __version__, **entries})
    return Site(out, tuple(models))


def _place(named: tuple[str, str, Path]) -> str:
    kind, name, _ = named
    return f"{PARTS[kind]}/{name}"


# ---- folders -------------------------------------------------------------------------------------


def _upscaler_of(run: Path) -> Path | None:
    """The folder of the upscaler that a generator names."""
    name = upscaler_of(run)
    if name is None:
        return None
    try:
        return zoo.path(name)
    except ValueError as error:
        raise ValueError(
            f"{run} names the upscaler {name!r}, which cannot be used ({str(error).rstrip('.')}). "
            "Leave it out: --no-upscaler (upscaler=False)."
        ) from error


def _enlarging(
    own: Path | None, folders: Sequence[Path], named: list[tuple[str, str, Path]]
) -> str | None:
    """The name of a generator's own upscaler, else of the first among the folders given: what
    another generator names may be made for other images."""
    for kind, name, run in named:
        if kind == UPSCALER and (run.resolve() == own.resolve() if own else run in folders):
            return name
    return None


def _named(runs: list[Path], upscalers: Sequence[Path] = ()) -> list[tuple[str, str, Path]]:
    """Kind, name and folder of each, generators first; `upscalers` that are not among them come
    last. A name that is there gets a number."""
    if not runs:
        raise ValueError("An export needs at least one run folder. Received: none.")
    kinds = [(kind_of(run), run) for run in runs]
    if all(kind == UPSCALER for kind, _ in kinds):
        raise ValueError(
            "A site needs at least one generator; upscalers enlarge what it draws. Received: "
            f"{', '.join(str(run) for run in runs)}. Add the run folder of a generator."
        )
    for run in upscalers:
        if all(run.resolve() != other.resolve() for _, other in kinds):
            kinds.append((UPSCALER, run))
    named, keys = [], set()
    for kind, run in sorted(kinds, key=lambda of: of[0] == UPSCALER):
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", run.resolve().name).strip("-") or "model"
        name, number = plain, 2
        while (kind, name) in keys:
            name, number = f"{plain}-{number}", number + 1
        keys.add((kind, name))
        named.append((kind, name, run))
    return named
