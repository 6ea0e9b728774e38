"""What networks take, and what sizes they can have, known without importing tfanime's own.

Importing Keras takes ten seconds and more; a misspelt `--set generator.chanels=32` is refused
before.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import reprlib
from collections.abc import Mapping
from pathlib import Path

from tfanime.core.choices import NORMALISATIONS, check_normalisation
from tfanime.registries import DISCRIMINATORS, GENERATORS, UPSCALERS, Registry

PACKAGE = Path(__file__).parents[1]
# What the data, the labels and other settings decide.
DECIDED = ("height", "width", "latent_dim", "label_dim", "entry", "label_embedding")
AT_LEAST_1 = ("channels", "blocks")  # whole numbers among the options; others are at least 0
KINDS = ("int", "float", "bool", "str", "None")  # as which networks declare plain options
RULES = {
    "int": "a whole number of at least {}",
    "float": "a number greater than 0",
    "bool": "true or false",
    "str": "a word",
}


def registry(role: str, name: object) -> Registry:
    """Where the network of that role and name is registered.

    Raises:
        ValueError: for an unknown name, with those that there are.
    """
    if role == "generator" and name in UPSCALERS:
        return UPSCALERS
    networks = GENERATORS if role == "generator" else DISCRIMINATORS
    networks.check(name)
    return networks


def network_names(role: str) -> tuple[str, ...]:
    """The networks of that role, `"generator"` or `"discriminator"`."""
    if role == "generator":
        return (*GENERATORS.names(), *UPSCALERS.names())
    return DISCRIMINATORS.names()


def network_options(role: str, name: str) -> dict[str, object] | None:
    """The options of a network, in its function's order, with their usual values (None: there is
    none, or it is not a plain value). None for a function that takes any."""
    entry = registry(role, name).entry(name)
    if _is_ours(entry.target):
        options = {one: usual for one, (_, usual) in _written(entry.target).items()}
    else:
        options = _signature(entry.load())
    if options is None:
        return None
    return {one: value for one, value in options.items() if one not in DECIDED}


def option(role: str, spec: Mapping, name: str) -> object:
    """The value of a network's option: the one in `spec`, else the usual one; None without one."""
    if name in spec:
        return spec[name]
    return (network_options(role, spec["name"]) or {}).get(name)


def check_size(role: str, spec: Mapping, height: int, width: int) -> None:
    """Refuses a size that the network cannot have, as far as its registry can tell.

    Raises:
        ValueError: see the network.
    """
    name = spec["name"]
    check = registry(role, name).fact(name, "check")
    if isinstance(check, str):
        module, _, attribute = check.partition(":")
        check = getattr(importlib.import_module(module), attribute)
    options = {key: value for key, value in spec.items() if key != "name"}
    try:
        if check is not None:
            check(height, width, **options)
    except TypeError as error:
        raise ValueError(
            f"The {role} {name!r} does not take these values: {options} ({error})."
        ) from error


def check_values(role: str, spec: Mapping) -> None:
    """Refuses values that a network of ours cannot be built with, such as no channels.

    Raises:
        ValueError: naming the option, the rule and the value.
    """
    name = spec["name"]
    target = registry(role, name).entry(name).target
    declared = _written(target) if _is_ours(target) else {}
    for one, value in spec.items():
        if one == "normalisation" and (role, name) in NORMALISATIONS:
            check_normalisation(role, name, value)
        kinds = [kind.strip() for kind in declared.get(one, ("", None))[0].split("|")]
        if not set(kinds) <= set(KINDS):
            continue  # such as a list of numbers, which the network's own check reads
        if not any(_fits(value, kind, least=int(one in AT_LEAST_1)) for kind in kinds):
            rules = [RULES[kind].format(int(one in AT_LEAST_1)) for kind in kinds if kind in RULES]
            raise ValueError(
                f"{one} of the {role} {name!r} is {' or '.join(rules)}. "
                f"Received: {reprlib.repr(value)}."
            )


def _fits(value: object, kind: str, least: int) -> bool:
    """Whether a value is of one of `KINDS`, and a number large enough."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return type(value).__name__ == {"None": "NoneType"}.get(kind, kind)
    if kind == "float":
        return 0 < value < float("inf")
    return kind == "int" and isinstance(value, int) and value >= least


def _is_ours(target: object) -> bool:
    return isinstance(target, str) and target.startswith("tfanime.")


@functools.cache
def _written(target: str) -> dict[str, tuple[str, object]]:
    """The parameters of one of our functions, as its source has them: what each is declared as,
    and its usual value."""
    module, _, function = target.partition(":")
    file = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            place = node.args
            positional = [None] * (len(place.args) - len(place.defaults)) + place.defaults
            pairs = [*zip(place.args, positional, strict=True)]
            pairs += zip(place.kwonlyargs, place.kw_defaults, strict=True)
            return {
                one.arg: ("" if one.annotation is None else ast.unparse(one.annotation), usual)
                for one, usual in ((one, _plain(value)) for one, value in pairs)
            }
    return {}


def _plain(node: ast.expr | None) -> object:
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return None


def _signature(function) -> dict[str, object] | None:
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return None
    return {one.name: None if one.default is one.empty else one.default for one in parameters}
