"""Several runs side by side: what was set differently, and what came of it."""

from __future__ import annotations

from typing import Any

from ..engine.runs import RunFolder
from .reading import read
from .view import RunView


def settings_of(folder: RunFolder) -> dict[str, Any]:
    """Return everything that was set for a run: task, parameters and settings."""
    record = folder.record()
    return {"task": record.task, **record.parameters, **(record.settings or record.given)}


def differing(settings: list[dict[str, Any]]) -> list[str]:
    """Return the names whose values are not the same in all runs."""
    names = dict.fromkeys(name for one in settings for name in one)
    return [name for name in names if len({repr(one.get(name)) for one in settings}) > 1]


def results(view: RunView) -> dict[str, str]:
    """Return what came of a run: steps, the best monitored value, and the last value of every metric."""
    found = {"state": view.state if view.finished or view.alive else "lost", "steps": f"{view.step:,}"}
    early = view.early
    if early is not None:
        found[f"best {early.monitor}"] = f"{early.best:.4g} at {early.best_step:,}"
    test = view.finished.test if view.finished else {}
    for (split, metric), curve in view.now.evaluated.items():
        value = test.get(metric, curve.last) if split == "test" else curve.last
        if value is not None:
            found[f"{split} {metric}"] = f"{value:.4g}"
    return found


def table(folders: list[RunFolder]) -> str:
    """Return the runs as columns, their differing settings and their results as rows."""
    settings = [settings_of(folder) for folder in folders]
    outcomes = [results(read(folder)) for folder in folders]
    rows = [["", *(folder.name for folder in folders)]]
    rows += [[name, *(_shown(one.get(name)) for one in settings)] for name in differing(settings)]
    names = dict.fromkeys(name for one in outcomes for name in one)
    rows += [[name, *(one.get(name, "-") for one in outcomes)] for name in names]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _shown(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"
