"""Imports that must not happen, checked in fresh processes: a static graph cannot show whether an import is really deferred."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import stoker.engine
import stoker.tui

WITHOUT_TORCH_AND_TEXTUAL = [
    "",
    "engine",
    "engine.config.settings",
    "engine.errors",
    "engine.files",
    "engine.history.fold_history",
    "engine.history.history",
    "engine.history.series",
    "engine.history.throughput",
    "engine.launch.process",
    "engine.runs.client",
    "engine.runs.commands",
    "engine.runs.events",
    "engine.runs.folder",
    "engine.runs.journal",
    "engine.tasks.builtin.digits",
    "engine.tasks.builtin.iris",
    "engine.tasks.loading",
    "engine.tracking.api",
    "engine.tracking.shell",
]
WITHOUT_TEXTUAL = [
    "tui.formatting",
    "tui.plotting.downsample",
    "tui.plotting.layout",
    "tui.plotting.ticks",
    "tui.state.log_lines",
    "tui.state.run_view",
]


def modules(package: str, folder: Path) -> list[str]:
    """Return the names of all modules of a package except `__main__`."""
    names = (".".join((package, *path.relative_to(folder).with_suffix("").parts)) for path in folder.rglob("*.py"))
    return sorted(name.removesuffix(".__init__") for name in names if not name.endswith("__main__"))


ENGINE = modules("stoker.engine", Path(stoker.engine.__file__).parent)
TUI = modules("stoker.tui", Path(stoker.tui.__file__).parent)


def loaded_by(code: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after running `code`."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def import_all(names: list[str]) -> str:
    """Return code that imports all modules."""
    return "\n".join(f"import {name}" for name in names)


@pytest.mark.parametrize("module", WITHOUT_TORCH_AND_TEXTUAL)
def test_core_module_loads_neither_torch_nor_textual(module: str) -> None:
    """The first frame is drawn while torch is still loading, so these modules must not wait for it."""
    name = f"stoker.{module}".rstrip(".")
    assert not {"torch", "textual", "sklearn"} & loaded_by(f"import {name}")


@pytest.mark.parametrize("module", WITHOUT_TEXTUAL)
def test_state_and_plotting_load_no_textual(module: str) -> None:
    """State and plots can be used, and tested, without a terminal."""
    assert "textual" not in loaded_by(f"import stoker.{module}")


def test_tui_loads_no_torch() -> None:
    """No module of stoker.tui, the command line included, loads torch."""
    loaded = loaded_by(import_all(TUI))
    assert "textual" in loaded
    assert not {"torch", "torchvision", "sklearn"} & loaded


def test_tui_subpackages_load_no_torch() -> None:
    """A walk by pkgutil, which sees what a user's tools see, finds no module of stoker.tui that loads torch."""
    walk = "import pkgutil, importlib, stoker.tui as t\n"
    walk += "for m in pkgutil.walk_packages(t.__path__, 'stoker.tui.'):\n"
    walk += "    if not m.name.endswith('__main__'): importlib.import_module(m.name)"
    loaded = loaded_by(walk)
    assert "textual" in loaded
    assert "torch" not in loaded


def test_engine_loads_no_terminal_library() -> None:
    """No module of stoker.engine, training included, loads textual, rich or plotext."""
    loaded = loaded_by(import_all(ENGINE))
    assert "torch" in loaded
    assert not {"textual", "rich", "plotext"} & loaded
