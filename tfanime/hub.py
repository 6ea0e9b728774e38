"""Models on the Hugging Face hub: `hf://owner/name` stands for one wherever a model is named, and
`push` puts one there.

A model of a stranger is data: of its files only those are taken that a model of ours has, no larger
than such files are, and they are read as every file of others is (`tfanime.bounds`).
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tfanime import disk
from tfanime.cache import cache_folder, check_cache
from tfanime.files import atomic_folder, read_json, write_json, write_text
from tfanime.printing import plain

PREFIX = "hf://"
CARD, LICENCE, SHEET = "README.md", "LICENSE.txt", "sheet.png"
OWN_CARD = "MODEL_CARD.md"
SMALL, LARGE = 64 * 2**20, 2**30  # bytes that a file may have
TEXT_CODE = re.compile(r"text/text-[A-Za-z]\w*\.npz")
FILES = {
    "generator.keras": LARGE,
    "tagger.keras": LARGE,
    "critic.npz": LARGE,
    "text/rows.jsonl": LARGE,
    "text/labels.npy": LARGE,
    "text/labels.json": SMALL,
    "text/order.json": SMALL,
    "generator.json": SMALL,
    "labels.json": SMALL,
    "config.json": SMALL,
    "figures.json": SMALL,
    SHEET: SMALL,
    LICENCE: SMALL,
    CARD: SMALL,
}
NETWORKS = (("generator.keras", "generator.json"), ("tagger.keras", "labels.json"))
TASKS = {
    "generator": "unconditional-image-generation",
    "upscaler": "image-to-image",
    "tagger": "image-classification",
}
USES = {
    "generator": "tfanime generate {} --n 16 --grid sheet.png",
    "upscaler": "tfanime upscale pictures/ {} --out larger/",
    "tagger": "tfanime prepare tags pictures/ --tagger {} --out packed/",
}
NAME = r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?"
ADDRESS = re.compile(rf"hf://({NAME}/{NAME})(?:@([\w][\w./-]{{0,99}}))?", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
EXTRA = "pip install '.[hub]' in a checkout"


@dataclass(frozen=True)
class _Address:
    """`hf://owner/name@revision`."""

    repository: str
    revision: str

    @classmethod
    def of(cls, text: str) -> _Address:
        found = ADDRESS.fullmatch(text)
        if found is None or ".." in text or "--" in text:
            raise ValueError(
                "A model on the hub is hf://OWNER/NAME, or hf://OWNER/NAME@REVISION. "
                f"Received: {text!r}."
            )
        return cls(found[1], found[2] or "main")

    @property
    def name(self) -> str:
        return self.repository.partition("/")[2]

    def __str__(self) -> str:
        return f"{PREFIX}{self.repository}"


@functools.cache
def fetch(address: str) -> Path:
    """The folder of a model on the hub, fetched into the cache unless it is there.

    The hub is asked once a process which version is the newest. Where it cannot be reached, the
    version that was fetched last serves.

    Args:
        address: `hf://owner/name`, or `hf://owner/name@revision`.

    Raises:
        ValueError: for another address, no such model, or a repository that holds no model of ours.
        ConnectionError: when the hub cannot be reached, and the model was not fetched before.
        RuntimeError: when the hub refuses, or answers something else.
        ImportError: without huggingface_hub.
    """
    where = _Address.of(address)
    place = cache_folder() / "hub" / where.repository.replace("/", "--")
    note = place / f"{where.revision.replace('/', '--')}.json"
    api = _api()
    try:
        with _asking(api, where):
            found = api.model_info(where.repository, revision=where.revision, files_metadata=True)
            commit = str(found.sha)
            sizes = {one.rfilename: int(one.size or 0) for one in found.siblings or ()}
    except ConnectionError as error:
        if not note.is_file():
            raise
        print(f"{error} What was fetched before serves.", file=sys.stderr)
        return place / read_json(note)["commit"] / where.name
    if not COMMIT.fullmatch(commit):
        raise RuntimeError(f"The hub at {api.endpoint} names no commit of {where}.")
    folder = place / commit / where.name  # exports are called as it is
    if not folder.exists():
        _download(api, where, commit, _chosen(where, sizes), folder)
    write_json(note, {"commit": commit})
    return folder


def _chosen(where: _Address, sizes: dict[str, int]) -> dict[str, int]:
    """Those files that are a model's, with their sizes."""
    if not any(set(pair) <= set(sizes) for pair in NETWORKS):
        raise ValueError(
            f"A model of tfanime holds {' and '.join(NETWORKS[0])}, or {' and '.join(NETWORKS[1])};"
            f" {where} does not. `tfanime push RUN {where}` puts one there."
        )
    chosen = {name: size for name, size in sizes.items() if _most(name)}
    for name, size in chosen.items():
        if size > _most(name):
            raise ValueError(
                f"{name} of a model has at most {_most(name):,} bytes; that of {where} has {size:,}"
                ", and is not fetched."
            )
    return chosen


def _most(name: str) -> int:
    """Bytes that a file of that name may have; 0: it is no file of a model."""
    return LARGE if TEXT_CODE.fullmatch(name) else FILES.get(name, 0)


def _download(api, where: _Address, commit: str, sizes: dict[str, int], folder: Path) -> None:
    check_cache(folder.parent)
    print(f"fetching {where} ({sum(sizes.values()) / 1e6:.1f} MB, once)", file=sys.stderr)
    with atomic_folder(folder) as temporary:
        for name, size in sizes.items():
            with _asking(api, where):
                file = Path(
                    api.hf_hub_download(
                        where.repository, name, revision=commit, local_dir=temporary
                    )
                )
            if file.stat().st_size != size:
                raise RuntimeError(
                    f"{name} of {where} has {file.stat().st_size:,} bytes, and the hub said "
                    f"{size:,}."
                )
        shutil.rmtree(temporary / ".cache", ignore_errors=True)  # the hub's notes on it
        card = temporary / CARD
        if card.is_file():
            text = card.read_text(encoding="utf-8", errors="replace")
            write_text(temporary / OWN_CARD, re.sub(r"\A---\n.*?\n---\n+", "", text, flags=re.S))
            card.unlink()


def push(
    run: str | os.PathLike,
    address: str,
    *,
    license: str | None = None,
    datasets: Sequence[str] = (),
    tags: Sequence[str] = (),
    report: str | os.PathLike | None = None,
    private: bool = False,
) -> str:
    """Puts a model on the Hugging Face hub, with a card. The CLI's `tfanime push RUN hf://...`.

    Its network, description, settings and discriminator are put there, so that others can draw with
    it and train it on; checkpoints and samples are not. A run that draws from texts brings those
    that it was trained with. Who may write is known by `hf auth login`, or `HF_TOKEN`.

    Args:
        run: a run folder, the name of a model that ships, or a tagger's folder.
        address: `hf://owner/name`. The repository is made unless it is there.
        license: its identifier on the hub, such as `"mit"` or `"openrail"`. Default: `"other"`,
            with the LICENSE.txt of the run folder, or one that says that none was stated.
        datasets: on the hub, `"owner/name"`, that it was trained on.
        tags: for the card, beside `gan`, `anime` and `image-generation`.
        report: the folder of `tfanime evaluate --out`, whose figures the card states. Default: the
            `figures.json` of the model.
        private: make it readable for the owner only.

    Returns:
        The web address.

    Raises:
        ValueError: for no model, or another address.
        ConnectionError: when the hub cannot be reached.
        RuntimeError: when the hub refuses.
        ImportError: without huggingface_hub.

    Example:
        >>> push("runs/girls", "hf://me/girls", license="mit")  # doctest: +SKIP
    """
    from tfanime import zoo

    where = _Address.of(os.fspath(address))
    if "@" in os.fspath(address):
        raise ValueError(f"A model is put on the hub's main revision: {where}, without @.")
    folder = zoo.locate(run)
    if not any(all((folder / name).is_file() for name in pair) for pair in NETWORKS):
        raise ValueError(
            f"A model is a folder with {' and '.join(NETWORKS[0])}, or {' and '.join(NETWORKS[1])}."
            f" Received: {os.fspath(run)!r}."
        )
    api = _api()
    with tempfile.TemporaryDirectory() as kept:
        out = Path(kept)
        _collect(folder, out)
        described = _front_matter(folder, where, license, datasets, tags, report)
        write_text(out / CARD, f"---\n{described}\n---\n\n{_card(folder, where)}")
        with _asking(api, where):
            made = api.create_repo(where.repository, private=private, exist_ok=True)
            api.upload_folder(
                repo_id=where.repository,
                folder_path=out,
                commit_message="A model of tfanime",
            )
    return str(made)


def _collect(folder: Path, out: Path) -> None:
    """Copies what belongs to the model."""
    from tfanime.export.card import licence

    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and _most(name) and name not in (CARD, LICENCE):
            (out / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(file, out / name)
    if (folder / "final.png").is_file():  # a run's last sheet
        shutil.copyfile(folder / "final.png", out / SHEET)
    write_text(out / LICENCE, licence(folder))
    if (folder / "checkpoints").is_dir():
        from tfanime.training.start import save_critic_of_run

        save_critic_of_run(folder, out)
    if (folder / "config.json").is_file():
        stored = read_json(folder / "config.json")
        # Where a run began may be a path of this machine.
        if not str(stored["config"].get("start")).startswith(PREFIX):
            stored["config"]["start"] = None
        write_json(out / "config.json", stored)


def _card(folder: Path, where: _Address) -> str:
    """The model's own card, or what its files say."""
    from tfanime.export.card import trained

    own = folder / OWN_CARD
    text = own.read_text(encoding="utf-8") if own.is_file() else trained(folder, where.name)
    if not own.is_file() and (folder / "final.png").is_file():
        text += f"\n\n![pictures of the last step]({SHEET})"
    lines = [text.rstrip(), "", "## Use", "", f"    {EXTRA.replace(' in', '    # in')} of tfanime"]
    return "\n".join([*lines, f"    {USES[_kind(folder)].format(where)}", ""])


def _kind(folder: Path) -> str:
    from tfanime.saved import kind_of

    return "tagger" if (folder / "tagger.keras").is_file() else kind_of(folder)


def _front_matter(
    folder: Path,
    where: _Address,
    license: str | None,
    datasets: Collection[str],
    tags: Collection[str],
    report: str | os.PathLike | None,
) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    from tfanime.bounds import read_object

    task = TASKS[_kind(folder)]
    file = folder / "figures.json" if report is None else Path(report) / "metrics.json"
    if report is not None and not file.is_file():
        raise ValueError(
            f"report is the folder of `tfanime evaluate --out`, with {file.name}. Received: "
            f"{os.fspath(report)!r}."
        )
    figures = read_object(file).get("figures", []) if file.is_file() else []
    results = [
        EvalResult(
            task_type=task,
            dataset_type="image-folder",
            dataset_name=f"real set {protocol['real set'][:16]}",
            metric_type=one["name"],
            metric_value=round(float(one["value"]), 4),
            metric_name=f"{one['name']}, {protocol.get('extractor', 'pixels')}",
            metric_args={"counts": protocol.get("counts", ""), "real against real": one["floor"]},
        )
        for one in figures
        if isinstance(one, dict) and (protocol := one.get("protocol")) and "real set" in protocol
    ]
    return ModelCardData(
        license=license or "other",
        license_name=None if license else "as-stated",
        license_link=None if license else LICENCE,
        library_name="tfanime",
        pipeline_tag=task,
        tags=["anime", "gan", "image-generation", "keras", *tags],
        datasets=list(datasets) or None,
        model_name=where.name,
        metrics=sorted({one.metric_type for one in results}) or None,
        eval_results=results or None,
    ).to_yaml()


def _api():
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise ImportError(f"{PREFIX} needs huggingface_hub: {EXTRA}") from error
    # Read now, so that a process can change it.
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="tfanime")


@contextmanager
def _asking(api, where: _Address) -> Iterator[None]:
    """Whatever a hub, or what stands in its place, may do becomes one sentence."""
    from huggingface_hub import errors

    try:
        yield
    except errors.RevisionNotFoundError:
        said = f"{where} has no revision {where.revision!r}."
        raise ValueError(said) from None
    except errors.RepositoryNotFoundError as error:
        gated = isinstance(error, errors.GatedRepoError)
        said = "asks for consent to its terms" if gated else "is not there, or is private"
        raise ValueError(
            f"{where} {said} at {api.endpoint}. To be known there: `hf auth login`, or HF_TOKEN."
        ) from None
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "?")
        login = " To be known there: `hf auth login`, or HF_TOKEN." * (status in (401, 403))
        said = f"The hub at {api.endpoint} refuses {where} ({status})."
        raise RuntimeError(said + login) from None
    except (errors.HTTPError, OSError) as error:
        disk.check(error, cache_folder())
        reason = plain(error).rstrip(".")[:200] or type(error).__name__
        raise ConnectionError(
            f"The hub at {api.endpoint} cannot be reached for {where} ({reason})."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = plain(error)[:200]
        raise RuntimeError(
            f"What answers at {api.endpoint} is no hub ({type(error).__name__}: {what})."
        ) from None
