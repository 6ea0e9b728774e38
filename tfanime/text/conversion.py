"""From the files of a BERT checkpoint to a TF-Hub-style pair: `preprocessor/` and `encoder/`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tfanime.core.files import atomic_folder, read_json, write_json

PREPROCESSOR, ENCODER, NOTE = "preprocessor", "encoder", "conversion.json"
CONFIG, VOCABULARY, WEIGHTS = NEEDED = ("config.json", "vocab.txt", "model.safetensors")
VERSION = 1  # of what is written


def convert(checkpoint: str | os.PathLike, out: str | os.PathLike) -> Path:
    """Writes `out/preprocessor` and `out/encoder`, both SavedModels; nothing if they are there.

    Args:
        checkpoint: a folder with `config.json`, `vocab.txt` and `model.safetensors` of an uncased
            BERT, as PyTorch's libraries write them.
        out: folder to create, all of it or nothing.

    Returns:
        `out`.

    Raises:
        ValueError: for a checkpoint that is none, or not of an uncased BERT.
    """
    checkpoint, out = Path(checkpoint), Path(out)
    if is_pair(out):
        return out
    missing = [name for name in NEEDED if not (checkpoint / name).is_file()]
    if missing:
        raise ValueError(
            f"A BERT checkpoint is a folder with {', '.join(NEEDED)}. "
            f"Received: {str(checkpoint)!r} without {', '.join(missing)}."
        )
    from tfanime.text.requirements import check_needed

    check_needed()
    from safetensors.numpy import load_file

    from tfanime.text import transformer, wordpiece

    config = read_json(checkpoint / CONFIG)
    if config.get("model_type", "bert") != "bert":
        raise ValueError(f"The model is a BERT. Received: {config['model_type']!r}.")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise ValueError(
            "The positions of a BERT are absolute. Received: "
            f"{config['position_embedding_type']!r}."
        )
    settings = checkpoint / "tokenizer_config.json"
    if settings.is_file() and not read_json(settings).get("do_lower_case", True):
        raise ValueError("The BERT is an uncased one. Received: a cased one.")
    shape = transformer.Shape(
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        epsilon=config.get("layer_norm_eps", 1e-12),
        activation=config.get("hidden_act", "gelu"),
    )
    weights = load_file(checkpoint / WEIGHTS)
    encoder = transformer.Encoder({_plain(name): x for name, x in weights.items()}, shape)
    length = min(wordpiece.LENGTH, config["max_position_embeddings"])
    try:
        with atomic_folder(out) as folder:
            tokeniser = wordpiece.Preprocessor(checkpoint / VOCABULARY, length)
            wordpiece.save(tokeniser, folder / PREPROCESSOR)
            transformer.save(encoder, folder / ENCODER)
            write_json(
                folder / NOTE,
                {
                    "version": VERSION,
                    "from": config.get("_name_or_path", checkpoint.name),
                    "width": config["hidden_size"],
                    "length": length,
                },
            )
            if (checkpoint.parent / "LICENSE").is_file():
                shutil.copy(checkpoint.parent / "LICENSE", folder / "LICENSE")
    except OSError:
        if not is_pair(out):  # else another process was faster
            raise
    return out


def is_pair(folder: str | os.PathLike) -> bool:
    """Whether a folder holds a preprocessor and an encoder."""
    parts = (Path(folder) / PREPROCESSOR, Path(folder) / ENCODER)
    return all((part / "saved_model.pb").is_file() for part in parts)


def _plain(name: str) -> str:
    """Names of weights with and without the prefix; early checkpoints say gamma and beta."""
    plain = name.removeprefix("bert.")
    return plain.replace(".gamma", ".weight").replace(".beta", ".bias")
