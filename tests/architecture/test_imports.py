"""What may not import what, seen in fresh processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT_TORCH = [
    "engine",
    "engine.config.settings",
    "engine.errors",
    "engine.files",
    "engine.history.reading",
    "engine.launch.process",
    "engine.runs.client",
    "engine.runs.commands",
    "engine.runs.events",
    "engine.runs.folder",
    "engine.runs.journal",
    "engine.tasks.builtin.digits",
    "engine.tasks.builtin.iris",
    "engine.tasks.loading",
]


def loaded(code: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after `code`."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_the_contracts_import_neither_torch_nor_textual(module: str) -> None:
    """So that the first frame is drawn while torch is still loading."""
    assert not {"torch", "textual", "sklearn"} & loaded(f"import stoker.{module}")


def test_no_part_of_the_screen_imports_torch() -> None:
    """Every module of stoker.tui, the command line too."""
    walk = "import pkgutil, importlib, stoker.tui as t\n"
    walk += "for m in pkgutil.walk_packages(t.__path__, 'stoker.tui.'): importlib.import_module(m.name)"
    found = loaded(walk)
    assert "textual" in found
    assert "torch" not in found


def test_the_engine_knows_nothing_of_terminals() -> None:
    """All of it, the training too."""
    walk = "import pkgutil, importlib, stoker.engine as e\n"
    walk += "for m in pkgutil.walk_packages(e.__path__, 'stoker.engine.'):\n"
    walk += "    if not m.name.endswith('__main__'): importlib.import_module(m.name)"
    found = loaded(walk)
    assert "torch" in found
    assert not {"textual", "rich", "plotext"} & found
