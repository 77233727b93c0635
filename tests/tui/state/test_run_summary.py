"""The runs as plain text."""

from __future__ import annotations

from dataclasses import replace

from stoker.tui.state.run_summary import Row, table


def row(name: str) -> Row:
    """Return a run of that name."""
    return Row(name, "iris", "completed", 5, 1, 2, "loss", 0.5, {}, 0.0, 61.0)


def test_a_very_long_name_is_cut() -> None:
    """So that a line stays a line; a name of usual length is whole."""
    usual = "spirals-20261122-065344"
    lines = table([row(usual), row("x" * 255)]).splitlines()
    assert max(map(len, lines)) < 100
    assert lines[1].startswith(f"{usual} ")
    assert lines[2].startswith("x" * 39 + "…  completed")


def test_states_are_those_of_the_screen() -> None:
    """Not what the journal calls them."""
    assert "  stopped early  1/2" in table([replace(row("one"), state="early_stopping")])
