"""The order of the list of runs, and the settings in which they differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stoker.tui.state.run_order import ORDERS, ordered, what_differs
from stoker.tui.state.run_summary import RunSummary


def row(
    name: str, best: float | None, direction: str = "higher", monitor: str = "accuracy", **settings: Any
) -> RunSummary:
    found = RunSummary(name, "digits", "completed", 1, 1, 1, monitor, best, {}, 0.0, 0.0, settings)
    return replace(found, direction=direction, seconds=float(len(name)))


ROWS = [
    row("new", 0.9),
    row("unknown", None),
    row("better", 0.95),
    row("old", 0.2, "lower", "loss"),
    row("a", 0.1, "lower", "loss"),
]


def names(order: Any) -> list[str]:
    return [found.run for found in ordered(ROWS, order)]


def test_the_best_run_of_each_metric_comes_first() -> None:
    """Higher or lower by the metric's direction; runs without a value come last."""
    assert names("best") == ["better", "new", "a", "old", "unknown"]


def test_the_other_orders() -> None:
    """Newest as read, the longest first, or by name."""
    assert names("newest") == ["new", "unknown", "better", "old", "a"]
    assert names("time") == ["unknown", "better", "new", "old", "a"]
    assert names("name") == ["a", "better", "new", "old", "unknown"]
    assert set(ORDERS) == {"newest", "best", "time", "name"}


def test_only_the_settings_that_differ_are_named() -> None:
    """Within the runs of one task; where it trained is no difference."""
    runs = [
        row("1", 0.5, lr=0.1, seed=0, device="cpu"),
        row("2", 0.5, lr=0.1, seed=3, device="cuda"),
        row("3", 0.5, lr=1e-3),
    ]
    assert what_differs(runs) == {"1": "lr=0.1 seed=0", "2": "lr=0.1 seed=3", "3": "lr=0.001"}
    assert what_differs([replace(runs[0], task="iris"), runs[2]]) == {"1": "", "3": ""}
