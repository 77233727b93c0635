"""Private names of Textual and rich are used in `tui/terminal/` only: an update of them can break one folder at most."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from textual.screen import Screen

import stoker.tui

ROOT = Path(stoker.tui.__file__).parent
FILES = sorted(
    path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in ("terminal", "__main__.py")
)
EXAMPLES = """
from textual._compositor import Compositor
import rich._wrap
app._driver.write("")
class Ours(Screen):
    def show(self):
        super()._display()
"""


class OverridingScreen(Screen[None]):
    """A screen with a method and an attribute that Textual's own screen has too."""

    async def _on_timer_update(self) -> None:  # type: ignore[override]
        self._compositor = None  # type: ignore[assignment]
        self._ours = None


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def uses(source: str) -> list[str]:
    """Return the private modules that `source` imports, and the private attributes that it does not define."""
    tree = ast.parse(source)
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and private(node.attr)]
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    defined |= {node.attr for node in attributes if isinstance(node.ctx, ast.Store) and of_self(node)}
    found = [f"import {name}" for name in imported(tree) if any(map(private, name.split(".")))]
    outside = [node for node in attributes if of_super(node) or not (of_self(node) or node.attr in defined)]
    return found + [ast.unparse(node) for node in outside]


def imported(tree: ast.AST) -> list[str]:
    """Return the modules of other packages that a file imports."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def of_super(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "super"


def overridden(module: ModuleType) -> list[str]:
    """Return the private names in the module's classes that their base classes in Textual or rich have too."""
    found: list[str] = []
    classes: list[Any] = [value for value in vars(module).values() if inspect.isclass(value)]
    for ours in classes:
        if ours.__module__ == module.__name__:
            bases: list[Any] = [base for base in ours.__mro__ if base.__module__.startswith(("textual", "rich"))]
            theirs = {name for base in bases for name in names(base)}
            found += [f"{ours.__name__}.{name}" for name in sorted(names(ours) & theirs)]
    return found


@cache
def names(of: Any) -> frozenset[str]:
    """Return the private methods and attributes that a class defines."""
    return frozenset(re.findall(r"(?:\bself\.|\bdef )(_[a-z]\w*)", inspect.getsource(of)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_uses_no_private_name_of_textual_or_rich(path: Path) -> None:
    """Move such a use into a function or a class of `tui/terminal/textual_internals.py`."""
    name = ".".join(("stoker", "tui", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    assert uses(path.read_text(encoding="utf-8")) == []
    assert overridden(importlib.import_module(name)) == []


def test_uses_finds_imports_attributes_and_super_calls() -> None:
    """The attribute of another object counts, `self._x` of the module's own class does not."""
    expected = ["import textual._compositor.Compositor", "import rich._wrap", "app._driver", "super()._display"]
    assert sorted(uses(EXAMPLES)) == sorted(expected)


def test_overridden_finds_methods_and_attributes_of_base_classes() -> None:
    """A name that Textual does not have is ours."""
    found = overridden(inspect.getmodule(OverridingScreen))  # type: ignore[arg-type]
    assert found == ["OverridingScreen._compositor", "OverridingScreen._on_timer_update"]
