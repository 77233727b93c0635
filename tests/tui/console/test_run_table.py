"""The list of runs as plain text."""

from __future__ import annotations

from dataclasses import replace

from stoker.tui.console.run_table import run_table
from stoker.tui.state.run_summary import RunSummary


def row(name: str) -> RunSummary:
    """Return a run of that name."""
    return RunSummary(name, "iris", "completed", 5, 1, 2, "loss", 0.5, {}, 0.0, 61.0)


def test_run_table_cuts_a_very_long_name() -> None:
    """A row stays one line of a terminal. A name of the usual length is not cut."""
    usual = "spirals-20261122-065344"
    lines = run_table([row(usual), row("x" * 255)]).splitlines()
    assert max(map(len, lines)) < 100
    assert lines[1].startswith(f"{usual} ")
    assert lines[2].startswith("x" * 39 + "…  completed")


def test_run_table_shows_the_label_of_a_state() -> None:
    """The table has the words of the screen, not the state's name in the files."""
    assert "  stopped early  1/2" in run_table([replace(row("one"), state="early_stopping")])
    assert "  interrupted  1/2" in run_table([replace(row("one"), state="lost")])
