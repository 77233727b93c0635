"""The list of runs as a leaderboard: its order, and the settings in which its runs differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from .comparison import differing
from .run_summary import RunSummary

Order = Literal["newest", "best", "time", "name"]
ORDERS: tuple[Order, ...] = get_args(Order)
LABELS = {"newest": "", "best": "best first", "time": "longest first", "name": "by name"}
"""What the header says of each order."""
HIDDEN = frozenset({"data", "runs", "name", "device", "threads"})
"""Settings that say where a run trained, and not how."""


def ordered(rows: Sequence[RunSummary], order: Order) -> list[RunSummary]:
    """Return the runs in `order`; runs without a value stand at the end, and equal ones keep their order."""
    keys: dict[Order, Callable[[RunSummary], Any]] = {
        "newest": lambda _: 0,
        "best": _by_best,
        "time": lambda row: -(row.seconds or 0.0),
        "name": lambda row: row.run,
    }
    return sorted(rows, key=keys[order])


def _by_best(row: RunSummary) -> tuple[Any, ...]:
    """Group by the monitored metric, whose values cannot be compared with those of another; best first."""
    if row.best is None or row.monitor is None:
        return (1, "", 0.0)
    return (0, row.monitor, row.best if row.direction == "lower" else -row.best)


def what_differs(rows: Sequence[RunSummary]) -> dict[str, str]:
    """Return for each run, by its name, the settings in which the runs of its task differ: `dropout=0.5 seed=3`."""
    tasks: dict[str, list[RunSummary]] = {}
    for row in rows:
        tasks.setdefault(row.task, []).append(row)
    words: dict[str, str] = {}
    for group in tasks.values():
        names = [name for name in differing([row.settings for row in group]) if name not in HIDDEN]
        for row in group:
            shown = [f"{name}={_text(row.settings[name])}" for name in names if name in row.settings]
            words[row.run] = " ".join(shown)
    return words


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
