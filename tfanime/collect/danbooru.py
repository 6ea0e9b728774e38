"""Danbooru-like boards through gallery-dl: tags in, images and our labels out.

gallery-dl knows the boards, their limits and their formats; it is run as a program with a
configuration of ours, and writes one metadata JSON beside each image, which becomes the 34
attributes of MakeGirlsMoe.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

from tfanime.collect.folder import Collection, Picture, check, keep_pictures, link
from tfanime.collect.http import user_agent
from tfanime.core.files import sound, write_json
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.core.manifest import Manifest, Step

BOARDS = {
    "danbooru": "https://danbooru.donmai.us/posts?tags={}",
    "safebooru": "https://safebooru.org/index.php?page=post&s=list&tags={}",
    "konachan": "https://konachan.net/post?tags={}",
    "yandere": "https://yande.re/post?tags={}",
}
LICENCE = (
    "Images belong to their artists, and the board's terms apply: for private research only, "
    "not for redistribution. Tags are by the board's users."
)
METADATA_LIMIT = 2_000_000  # bytes; real ones have a few kilobytes
# "s" is sensitive on Danbooru and safe on the Moebooru boards; both are shown to everybody.
SAFE = frozenset({"g", "s", "general", "safe", "sensitive"})
PICTURE_ENDINGS = ("jpg", "jpeg", "png", "webp", "gif")

# Tags that the boards use for an attribute besides its own name.
_ALSO = {
    "gray_hair": ("grey_hair",),
    "blonde_hair": ("yellow_hair",),
    "aqua_hair": ("light_blue_hair",),
    "twintails": ("low_twintails", "short_twintails", "twin_braids"),
    "long_hair": ("very_long_hair", "absurdly_long_hair"),
    "drill_hair": ("twin_drills", "drills"),
    "ponytail": ("side_ponytail", "high_ponytail", "low_ponytail"),
    "blush": ("light_blush", "full-face_blush", "blushing"),
    "smile": ("light_smile", "grin", "smirk", "smiling"),
    "open_mouth": (":d",),
    "hat": ("beret", "witch_hat", "straw_hat", "sun_hat", "santa_hat", "top_hat"),
    "ribbon": ("hair_ribbon", "neck_ribbon"),
    "glasses": ("red-framed_eyewear", "black-framed_eyewear", "semi-rimless_eyewear", "megane"),
}
# Of a group that carries one of these, the value is not known.
_MIXED = {
    "hair": frozenset({"multicolored_hair", "two-tone_hair", "gradient_hair", "streaked_hair"}),
    "eyes": frozenset({"heterochromia", "bicolored_eyes", "closed_eyes"}),
}


def labels_from_tags(tags: Iterable[str]) -> dict[str, int | None]:
    """The 34 columns of MakeGirlsMoe from a board's tags.

    Args:
        tags: such as `blue_hair`, in any case, with spaces or underscores.

    Returns:
        Column -> 1 or 0. The colours of hair or eyes are None (not known) if no tag or several
        name one. What is tagged is there; what is not tagged is taken for absent, which is wrong
        for tags that people forget.
    """
    tags = {str(tag).strip().lower().replace(" ", "_") for tag in tags}
    values: dict[str, int | None] = {}
    for field in MAKEGIRLSMOE.fields:
        columns = {c: int(not tags.isdisjoint({c, *_ALSO.get(c, ())})) for c in field.columns}
        if field.kind == "group":
            certain = sum(columns.values()) == 1 and tags.isdisjoint(_MIXED[field.name])
            columns = columns if certain else dict.fromkeys(columns)
        values |= columns
    return values


def tags_of(metadata: Mapping) -> list[str]:
    """All tags in gallery-dl's metadata of one image, whichever board it came from."""
    tags: list[str] = []
    for key, value in metadata.items():
        if key in ("tags", "tag_string") or key.startswith(("tags_", "tag_string_")):
            if isinstance(value, str):
                tags += value.split()
            elif isinstance(value, list):
                tags += [tag for tag in value if isinstance(tag, str)]
    return list(dict.fromkeys(tags))


def collect(
    out: str | os.PathLike,
    tags: Sequence[str],
    board: str = "danbooru",
    most: int = 1000,
    adult: bool = False,
    rate: float = 1.0,
    contact: str | None = None,
    gallery_dl: str | os.PathLike | None = None,
    progress: bool = True,
) -> Manifest:
    """Images with labels into a folder; continues where it was stopped.

    Args:
        out: the folder.
        tags: the images have all of them; some boards allow only two.
        board: one of `BOARDS`, or the address of a search on any board that gallery-dl knows.
        most: at most so many images; of those that earlier runs fetched, too, the newest.
        adult: fetch images that the board rates questionable or explicit, too.
        rate: requests a second, at most.
        contact: goes into the User-Agent.
        gallery_dl: the program; by default the installed package.
        progress: let gallery-dl print what it fetches.

    Returns:
        The manifest of what is there; `labels.csv` has the 34 attributes of each image.

    Raises:
        ImportError: without gallery-dl.
        ValueError: for arguments that cannot be.
        RuntimeError: if gallery-dl fails before anything was fetched.
    """
    address = search_address(board, tags)
    if most < 1 or not 0 < rate <= 1000:
        raise ValueError(f"most and rate are above 0. Received: {most} and {rate}.")
    command = _command(gallery_dl)
    with Collection(out) as collection:
        raw = _folder(collection.inner, address)
        raw.mkdir(parents=True, exist_ok=True)
        config = collection.inner / "gallery-dl.json"
        write_json(config, configuration(raw, adult, rate, user_agent(contact)))
        limited = ["--config-ignore", "--config", str(config), "--range", f"1-{most}"]
        result = subprocess.run(
            [*command, *limited, *([] if progress else ["--quiet"]), "--", address],
            stdin=subprocess.DEVNULL,
            stdout=None if progress else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        rows, pictures, step = _read(raw, collection.store, adult, most)
        if result.returncode and not rows:
            errors = [line for line in result.stderr.splitlines() if line.strip()]
            raise RuntimeError(
                f"gallery-dl must give images. Received: exit code {result.returncode}, "
                f"{errors[-1][:300] if errors else 'no message'}. Run the same command again later."
            )
        if result.returncode:
            print(
                f"gallery-dl stopped early (exit code {result.returncode}); what it fetched is "
                "kept. Run the same command again to continue.",
                file=sys.stderr,
            )
        names, last = keep_pictures(list(rows), pictures)
        manifest = Manifest(
            name=f"{urlsplit(address).hostname} pictures",
            source=address,
            licence=LICENCE,
            steps=(step, last),
            settings={"adult": adult, "most": most, "tags": list(tags)},
        )
        collection.finish(
            (rows[name] for name in names),
            {name: pictures[name] for name in names},
            manifest,
            labels={column: column for column in MAKEGIRLSMOE.columns},
        )
    return manifest


def search_address(board: str, tags: Sequence[str]) -> str:
    """The address of a board's search.

    Raises:
        ValueError: for an unknown board, no tags, or one that is not a tag.
    """
    if board.startswith(("https://", "http://")):
        return board
    if board not in BOARDS:
        raise ValueError(
            f"board is one of {', '.join(BOARDS)}, or an address. Received: {board!r}."
        )
    words = [tag.strip().replace(" ", "_") for tag in tags]
    if not words or any(not word or not word.isprintable() for word in words):
        raise ValueError(f"A search needs tags such as 1girl. Received: {list(tags)}.")
    return BOARDS[board].format(quote_plus(" ".join(words)))


def configuration(raw: Path, adult: bool, rate: float, agent: str) -> dict:
    """gallery-dl's configuration: names by id, metadata beside each image, politely."""
    extractor = {
        "base-directory": str(raw),
        "directory": [],
        "filename": "{category}-{id}.{extension}",
        "archive": str(raw.with_suffix(".sqlite")),
        "archive-format": "{category}-{id}",
        "user-agent": agent,
        "sleep": [1 / rate, 1.3 / rate],
        "sleep-request": [1 / rate, 1.3 / rate],
        "retries": 5,
        "timeout": 30.0,
        # Written before the image, so that no image is without.
        "postprocessors": [{"name": "metadata", "mode": "json"}],
    }
    endings = ", ".join(map(repr, PICTURE_ENDINGS))
    image_filter = f"extension in ({endings},)"
    if not adult:
        image_filter += f" and rating in ({', '.join(map(repr, sorted(SAFE)))},)"
    extractor["image-filter"] = image_filter
    return {"extractor": extractor, "downloader": {"filesize-max": "20M"}}


# ---- what gallery-dl wrote ---------------------------------------------------------------------


def _command(program: str | os.PathLike | None) -> list[str]:
    if program is not None:
        program_path = shutil.which(program)
        if program_path is None:
            raise ValueError(f"gallery_dl is a program. Received: {str(program)!r}, which is none.")
        return [program_path]
    import importlib.util

    if importlib.util.find_spec("gallery_dl") is None:
        raise ImportError(
            'Collecting from boards needs gallery-dl: pip install ".[data]" in a checkout'
        )
    return [sys.executable, "-m", "gallery_dl"]


def _folder(inner: Path, address: str) -> Path:
    """Where a search's files are: other tags, or another board, have a folder of their own.

    Version 0.1 put the files of all searches into `board` itself. Which search gave which cannot be
    told from them, so they are not read: such a search is fetched anew.
    """
    return inner / "board" / hashlib.sha256(address.encode()).hexdigest()[:12]


def _read(
    raw: Path, store: Path, adult: bool, most: int
) -> tuple[dict[str, dict], dict[str, Picture], Step]:
    """Rows and images by id, from the images and metadata in `raw`: the newest `most`."""
    rows: dict[str, dict] = {}
    paths: dict[str, Path] = {}
    dropped: Counter = Counter()
    for path in sorted(raw.iterdir()):
        if path.suffix == ".json":
            dropped["metadata without picture"] += not path.with_suffix("").is_file()
            continue
        if path.suffix[1:].lower() not in PICTURE_ENDINGS or path.is_symlink():
            dropped["unfinished or no picture"] += 1
            continue
        try:
            metadata = _metadata(path.with_name(path.name + ".json"))
            row = _row(metadata)
        except ValueError as error:
            dropped[str(error)] += 1
            continue
        if not adult and str(metadata.get("rating", "")).lower() not in SAFE:
            dropped["adult"] += 1
            continue
        rows[row["id"]], paths[row["id"]] = row, path
    # Boards give the newest first: a new folder would get the same ones.
    for name in sorted(rows, key=_number)[:-most]:
        del rows[name]
        dropped["more than asked for"] += 1
    pictures = {name: _picture(paths[name], store) for name in rows}
    dropped = {reason: count for reason, count in dropped.items() if count}
    return rows, pictures, Step("found", len(rows), dropped)


def _number(name: str) -> int:
    """Of a post: boards count them up."""
    return int(name.rpartition("-")[2])


def _picture(path: Path, store: Path) -> Picture:
    picture = check(path.read_bytes(), path.name)
    if not picture.refused:
        link(path, store / path.name)
    return picture


def _metadata(path: Path) -> dict:
    if not path.is_file():
        raise ValueError("without metadata")
    if path.stat().st_size > METADATA_LIMIT:
        raise ValueError("metadata too large")
    try:
        metadata = sound(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise ValueError("damaged metadata") from error
    if not isinstance(metadata, dict):
        raise ValueError("damaged metadata")
    return metadata


def _row(metadata: Mapping) -> dict:
    own, board = str(metadata.get("id", "")), str(metadata.get("category", "board"))
    if not own.isdigit() or len(own) > 15 or not board.isalnum() or not board.isascii():
        raise ValueError("damaged metadata")
    tags = tags_of(metadata)
    if not tags:
        raise ValueError("without tags")
    return {
        "id": f"{board}-{own}",
        "title": f"{board} {own}",
        "rating": str(metadata.get("rating", "")),
        "tags": tags,
        **labels_from_tags(tags),
    }
