"""Names that users are told of: each can be imported, and says what it takes and gives."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import tfanime
from tfanime import registries
from tfanime.core.registry import Registry

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILES = {"tfanime.json", "tfanime.js", "tfanime.d.ts"}  # of an exported site
# By which packages announce what they bring.
GROUPS = {one.group for one in vars(registries).values() if isinstance(one, Registry)}
DOTTED = re.compile(r"(?<![\w./-])tfanime(?:\.[A-Za-z_]\w*)+")
IMPORT = re.compile(r"^ *from (tfanime[\w.]*) import (?:\(([^)]*)\)|(.*))$", re.M)


def named_in(text: str) -> set[str]:
    """Dotted names of the package, those of import lines included."""
    names = set(DOTTED.findall(text)) - FILES - GROUPS
    for module, lines, line in IMPORT.findall(text):
        listed = (lines or line.partition("#")[0]).split(",")
        names |= {f"{module}.{name.split()[0]}" for name in listed if name.strip()}
    return names


def find(name: str) -> object:
    """What a dotted name stands for, imported as a user would."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        module = ".".join(parts[:count])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if not module.startswith(f"{error.name}.") and error.name != module:
                raise
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_in_the_documentation_can_be_imported(page):
    wrong = []
    for name in sorted(named_in(page.read_text(encoding="utf-8"))):
        try:
            find(name)
        except (AttributeError, ModuleNotFoundError) as error:
            wrong.append(f"{name}: {error}")
    assert wrong == []


def test_names_are_found_where_they_are_written():
    text = """
    `tfanime.serving.Client(url).generate(4)`, [a page](reference/tfanime.md), a `tfanime.json`
    ::: tfanime.gans.losses
    from tfanime import gans, load_data  # two
    from tfanime.models import (
        dcgan,
        modern as new,
    )
    """
    assert named_in(text) == {
        *("tfanime.serving.Client", "tfanime.gans.losses", "tfanime.gans", "tfanime.load_data"),
        *("tfanime.models", "tfanime.models.dcgan", "tfanime.models.modern"),
    }
    for name in ("tfanime.serving.Clint", "tfanime.servings.Client", "tfanime.trains"):
        with pytest.raises((AttributeError, ModuleNotFoundError)):
            find(name)


def callables() -> dict[str, object]:
    """The public functions, and the public classes' own methods."""
    found = {}
    for name in tfanime.__all__:
        value = getattr(tfanime, name)
        if inspect.isfunction(value):
            found[name] = value
        if inspect.isclass(value):
            for method, body in vars(value).items():
                body = getattr(body, "__func__", getattr(body, "fget", body))
                if inspect.isfunction(body) and not method.startswith("_"):
                    found[f"{name}.{method}"] = body
    return found


def test_public_functions_say_what_they_take_and_give():
    bare = []
    for name, function in callables().items():
        signature = inspect.signature(function)
        for parameter in signature.parameters.values():
            untyped = parameter.annotation is inspect.Parameter.empty
            if untyped and parameter.name not in ("self", "cls"):
                bare.append(f"{name}({parameter.name})")
        if signature.return_annotation is inspect.Signature.empty:
            bare.append(f"{name} ->")
    assert bare == []


def test_types_are_checked_where_public_names_live():
    modules = {module for module, _ in tfanime._FUNCTIONS.values()}
    modules |= {f"tfanime.{name}" for name in tfanime._MODULES} - {"tfanime.prepare"}  # is empty
    files = [str(importlib.util.find_spec(module).origin) for module in modules]
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = settings.partition("[tool.mypy]")[2].partition("]")[0]
    places = [Path(file).relative_to(ROOT).as_posix() for file in files]
    assert [place for place in sorted(places) if f'"{place}",' not in listed] == []


def test_a_size_is_called_size():
    for name, function in callables().items():
        assert "image_size" not in inspect.signature(function).parameters, name


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "tfanime" / "py.typed").is_file()
    assert '"tfanime": ["py.typed"]' in (ROOT / "setup.py").read_text(encoding="utf-8")
