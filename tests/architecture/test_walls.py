"""What the dashboard must never import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import stoker.tui

ROOT = Path(stoker.tui.__file__).parent
MODULES = sorted(
    ".".join(("stoker", "tui", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
)


def imported(code: str) -> set[str]:
    """Return the top-level modules that a fresh Python has after `code`."""
    probe = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split())


def test_nothing_here_imports_torch() -> None:
    """The first frame must not wait for it."""
    assert not {"torch", "torchvision", "sklearn"} & imported("\n".join(f"import {name}" for name in MODULES))


@pytest.mark.parametrize(
    "module",
    [
        "engine.history.fold_history",
        "engine.history.series",
        "engine.history.throughput",
        "tui.formatting",
        "tui.plotting.downsample",
        "tui.plotting.layout",
        "tui.plotting.ticks",
        "tui.state.log_lines",
        "tui.state.run_view",
    ],
)
def test_the_fold_and_the_plots_do_without_textual(module: str) -> None:
    """They can be used, and tested, without a terminal."""
    assert "textual" not in imported(f"import stoker.{module}")
