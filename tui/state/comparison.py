"""Several runs side by side: the settings that differ, and the results."""

from __future__ import annotations

import math
import statistics
from typing import Any

from stoker.engine.history.history import RunHistory
from stoker.engine.runs.folder import RunFolder


def settings_of(folder: RunFolder) -> dict[str, Any]:
    """Return the task, the parameters and the settings of a run. Raises RunError."""
    record = folder.record()
    return {"task": record.task, **record.parameters, **(record.settings or record.given)}


def differing(settings: list[dict[str, Any]]) -> list[str]:
    """Return the names whose values are not the same in all runs."""
    names = dict.fromkeys(name for one in settings for name in one)
    return [name for name in names if len({repr(one.get(name)) for one in settings}) > 1]


def results(history: RunHistory) -> dict[str, str]:
    """Return a run's state, steps, best monitored value and last value of every metric; with folds their means."""
    state = history.state if history.finished or history.alive else "lost"
    found = {"state": state, "steps": f"{history.step:,}"}
    folds = list(history.folds.values())
    bests = [fold.early_stopping[-1] for fold in folds if fold.early_stopping]
    if bests and len(folds) > 1:
        found[f"best {bests[0].monitor}"] = _mean([best.best for best in bests])
    elif bests:
        found[f"best {bests[0].monitor}"] = f"{bests[0].best:.4g} at {bests[0].best_step:,}"
    test = history.finished.test if history.finished else {}
    for split, metric in dict.fromkeys(key for fold in folds for key in fold.evaluated):
        curves = (fold.evaluated.get((split, metric)) for fold in folds)
        lasts = [curve.last for curve in curves if curve and curve.last is not None]
        if len(folds) > 1:
            found[f"{split} {metric}"] = _mean(lasts)
        else:
            found[f"{split} {metric}"] = f"{test.get(metric, lasts[-1]) if split == 'test' else lasts[-1]:.4g}"
    return found


def _mean(values: list[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.2g}" if len(values) > 1 and all(map(math.isfinite, values)) else ""
    return f"{statistics.fmean(values):.4g}{deviation}"
