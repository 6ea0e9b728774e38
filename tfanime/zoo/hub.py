"""Models on the Hugging Face hub: `hf://owner/name` stands for one wherever a model is named.

A model of a stranger is data: of its files only those are taken that a model of ours has, no larger
than such files are, and they are read as every file of others is (`tfanime.core.bounds`).
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tfanime.core import disk
from tfanime.core.cache import cache_folder, check_cache
from tfanime.core.files import atomic_folder, read_json, write_json, write_text
from tfanime.core.printing import plain

PREFIX = "hf://"
CARD, LICENCE, SHEET = "README.md", "LICENSE.txt", "sheet.png"
OWN_CARD = "MODEL_CARD.md"
SMALL, LARGE = 64 * 2**20, 2**30  # bytes that a file may have
TEXT_CODE = re.compile(r"text/text-[A-Za-z]\w*\.npz")
FILES = {
    "generator.keras": LARGE,
    "tagger.keras": LARGE,
    "encoder.keras": LARGE,
    "chooser.keras": LARGE,
    "critic.npz": LARGE,
    "text/rows.jsonl": LARGE,
    "text/labels.npy": LARGE,
    "text/labels.json": SMALL,
    "text/order.json": SMALL,
    "generator.json": SMALL,
    "directions.json": SMALL,
    "encoder.json": SMALL,
    "chooser.json": SMALL,
    "labels.json": SMALL,
    "config.json": SMALL,
    "figures.json": SMALL,
    SHEET: SMALL,
    LICENCE: SMALL,
    CARD: SMALL,
}
NETWORKS = (("generator.keras", "generator.json"), ("tagger.keras", "labels.json"))
NAME = r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?"
ADDRESS = re.compile(rf"hf://({NAME}/{NAME})(?:@([\w][\w./-]{{0,99}}))?", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
EXTRA = "pip install '.[hub]' in a checkout"


@dataclass(frozen=True)
class Address:
    """`hf://owner/name@revision`."""

    repository: str
    revision: str

    @classmethod
    def of(cls, text: str) -> Address:
        match = ADDRESS.fullmatch(text)
        if match is None or ".." in text or "--" in text:
            raise ValueError(
                "A model on the hub is hf://OWNER/NAME, or hf://OWNER/NAME@REVISION. "
                f"Received: {text!r}."
            )
        return cls(match[1], match[2] or "main")

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
    where = Address.of(address)
    place = cache_folder() / "hub" / where.repository.replace("/", "--")
    note = place / f"{where.revision.replace('/', '--')}.json"
    api = api_of_hub()
    try:
        with asking(api, where):
            info = api.model_info(where.repository, revision=where.revision, files_metadata=True)
            commit = str(info.sha)
            sizes = {one.rfilename: int(one.size or 0) for one in info.siblings or ()}
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


def _chosen(where: Address, sizes: dict[str, int]) -> dict[str, int]:
    """Those files that are a model's, with their sizes."""
    if not any(set(pair) <= set(sizes) for pair in NETWORKS):
        raise ValueError(
            f"A model of tfanime holds {' and '.join(NETWORKS[0])}, or {' and '.join(NETWORKS[1])};"
            f" {where} does not. `tfanime push RUN {where}` puts one there."
        )
    files = {name: size for name, size in sizes.items() if most_bytes(name)}
    for name, size in files.items():
        if size > most_bytes(name):
            raise ValueError(
                f"{name} of a model has at most {most_bytes(name):,} bytes; that of {where} has "
                f"{size:,}, and is not fetched."
            )
    return files


def most_bytes(name: str) -> int:
    """Bytes that a file of that name may have; 0: it is no file of a model."""
    return LARGE if TEXT_CODE.fullmatch(name) else FILES.get(name, 0)


def _download(api, where: Address, commit: str, sizes: dict[str, int], folder: Path) -> None:
    check_cache(folder.parent)
    print(f"fetching {where} ({sum(sizes.values()) / 1e6:.1f} MB, once)", file=sys.stderr)
    with atomic_folder(folder) as temporary:
        for name, size in sizes.items():
            with asking(api, where):
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


def api_of_hub():
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise ImportError(f"{PREFIX} needs huggingface_hub: {EXTRA}") from error
    # Read now, so that a process can change it.
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="tfanime")


@contextmanager
def asking(api, where: Address) -> Iterator[None]:
    """Whatever a hub, or what stands in its place, may do becomes one sentence."""
    from huggingface_hub import errors

    try:
        yield
    except errors.RevisionNotFoundError:
        problem = f"{where} has no revision {where.revision!r}."
        raise ValueError(problem) from None
    except errors.RepositoryNotFoundError as error:
        gated = isinstance(error, errors.GatedRepoError)
        problem = "asks for consent to its terms" if gated else "is not there, or is private"
        raise ValueError(
            f"{where} {problem} at {api.endpoint}. To be known there: `hf auth login`, or HF_TOKEN."
        ) from None
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "?")
        login = " To be known there: `hf auth login`, or HF_TOKEN." * (status in (401, 403))
        problem = f"The hub at {api.endpoint} refuses {where} ({status})."
        raise RuntimeError(problem + login) from None
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
