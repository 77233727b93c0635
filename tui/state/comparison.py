"""Several runs side by side: what was set differently, and what came of it."""

from __future__ import annotations

import math
import statistics
from typing import Any

from stoker.engine.history.reading import read
from stoker.engine.runs.folder import RunFolder

from .run_view import RunView


def settings_of(folder: RunFolder) -> dict[str, Any]:
    """Return everything that was set for a run: task, parameters and settings."""
    record = folder.record()
    return {"task": record.task, **record.parameters, **(record.settings or record.given)}


def differing(settings: list[dict[str, Any]]) -> list[str]:
    """Return the names whose values are not the same in all runs."""
    names = dict.fromkeys(name for one in settings for name in one)
    return [name for name in names if len({repr(one.get(name)) for one in settings}) > 1]


def results(view: RunView) -> dict[str, str]:
    """Return what came of a run: steps, the best monitored value, the last value of every metric; means of folds."""
    found = {"state": view.state if view.finished or view.alive else "lost", "steps": f"{view.step:,}"}
    folds = list(view.folds.values())
    bests = [fold.early[-1] for fold in folds if fold.early]
    if bests and len(folds) > 1:
        found[f"best {bests[0].monitor}"] = _spread([best.best for best in bests])
    elif bests:
        found[f"best {bests[0].monitor}"] = f"{bests[0].best:.4g} at {bests[0].best_step:,}"
    test = view.finished.test if view.finished else {}
    for split, metric in dict.fromkeys(key for fold in folds for key in fold.evaluated):
        curves = (fold.evaluated.get((split, metric)) for fold in folds)
        lasts = [curve.last for curve in curves if curve and curve.last is not None]
        if len(folds) > 1:
            found[f"{split} {metric}"] = _spread(lasts)
        else:
            found[f"{split} {metric}"] = f"{test.get(metric, lasts[-1]) if split == 'test' else lasts[-1]:.4g}"
    return found


def _spread(values: list[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.2g}" if len(values) > 1 and all(map(math.isfinite, values)) else ""
    return f"{statistics.fmean(values):.4g}{deviation}"


def table(folders: list[RunFolder]) -> str:
    """Return the runs as columns, their differing settings and their results as rows."""
    settings = [settings_of(folder) for folder in folders]
    outcomes = [results(read(folder)) for folder in folders]
    rows = [["", *(_shown(folder.name) for folder in folders)]]
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
