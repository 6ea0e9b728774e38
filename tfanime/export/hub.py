"""`push`: a model with its card onto the Hugging Face hub, where `hf://owner/name` finds it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from tfanime import zoo
from tfanime.core.bounds import read_object
from tfanime.core.files import read_json, write_json, write_text
from tfanime.export.card import licence, trained
from tfanime.training.warm_start import save_critic_of_run
from tfanime.zoo.hub import (
    CARD,
    EXTRA,
    LICENCE,
    NETWORKS,
    OWN_CARD,
    PREFIX,
    SHEET,
    Address,
    api_of_hub,
    asking,
    most_bytes,
)
from tfanime.zoo.saved import kind_of

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
    where = Address.of(os.fspath(address))
    if "@" in os.fspath(address):
        raise ValueError(f"A model is put on the hub's main revision: {where}, without @.")
    folder = zoo.locate(run)
    if not any(all((folder / name).is_file() for name in pair) for pair in NETWORKS):
        raise ValueError(
            f"A model is a folder with {' and '.join(NETWORKS[0])}, or {' and '.join(NETWORKS[1])}."
            f" Received: {os.fspath(run)!r}."
        )
    api = api_of_hub()
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary)
        _collect(folder, out)
        described = _front_matter(folder, where, license, datasets, tags, report)
        write_text(out / CARD, f"---\n{described}\n---\n\n{_card(folder, where)}")
        with asking(api, where):
            url = api.create_repo(where.repository, private=private, exist_ok=True)
            api.upload_folder(
                repo_id=where.repository,
                folder_path=out,
                commit_message="A model of tfanime",
            )
    return str(url)


def _collect(folder: Path, out: Path) -> None:
    """Copies what belongs to the model."""
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and most_bytes(name) and name not in (CARD, LICENCE):
            (out / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(file, out / name)
    if (folder / "final.png").is_file():  # a run's last sheet
        shutil.copyfile(folder / "final.png", out / SHEET)
    write_text(out / LICENCE, licence(folder))
    if (folder / "checkpoints").is_dir():
        save_critic_of_run(folder, out)
    if (folder / "config.json").is_file():
        document = read_json(folder / "config.json")
        # Where a run began may be a path of this machine.
        if not str(document["config"].get("start")).startswith(PREFIX):
            document["config"]["start"] = None
        write_json(out / "config.json", document)


def _card(folder: Path, where: Address) -> str:
    """The model's own card, or what its files say."""
    own = folder / OWN_CARD
    text = own.read_text(encoding="utf-8") if own.is_file() else trained(folder, where.name)
    if not own.is_file() and (folder / "final.png").is_file():
        text += f"\n\n![images of the last step]({SHEET})"
    lines = [text.rstrip(), "", "## Use", "", f"    {EXTRA.replace(' in', '    # in')} of tfanime"]
    return "\n".join([*lines, f"    {USES[_kind(folder)].format(where)}", ""])


def _kind(folder: Path) -> str:
    return "tagger" if (folder / "tagger.keras").is_file() else kind_of(folder)


def _front_matter(
    folder: Path,
    where: Address,
    license: str | None,
    datasets: Collection[str],
    tags: Collection[str],
    report: str | os.PathLike | None,
) -> str:
    from huggingface_hub import EvalResult, ModelCardData

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
