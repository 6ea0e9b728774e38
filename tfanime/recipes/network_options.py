"""What the networks of `tfanime.models` take, read without importing them.

Importing Keras takes ten seconds and more; a misspelt `--set generator.chanels=32` is refused
before.
"""

from __future__ import annotations

import ast
from pathlib import Path

MODELS = Path(__file__).parents[1] / "models"
# What the data, the labels and other settings decide.
DECIDED = ("height", "width", "latent_dim", "label_dim", "label_input", "label_embedding")


def network_options(role: str, name: object) -> tuple[str, ...] | None:
    """The options of a network.

    Args:
        role: `"generator"` or `"discriminator"`.
        name: of the network, which is the function `role` of the module `models/NAME.py`.

    Returns:
        Their names, in the function's order; None for a network that is not there.
    """
    file = MODELS / f"{name}.py"
    if not str(name).isidentifier() or not file.is_file():
        return None
    functions = ast.parse(file.read_text(encoding="utf-8")).body
    for node in functions:
        if isinstance(node, ast.FunctionDef) and node.name == role:
            names = [one.arg for one in (*node.args.args, *node.args.kwonlyargs)]
            return tuple(one for one in names if one not in DECIDED)
    return None


def network_names(role: str) -> tuple[str, ...]:
    """The networks of that role, by the alphabet."""
    found = sorted(file.stem for file in MODELS.glob("*.py"))
    return tuple(name for name in found if network_options(role, name) is not None)
