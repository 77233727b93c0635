"""The results of several folds, summed up."""

from __future__ import annotations

import math
import statistics


def summarise_folds(results: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every metric over the folds, and its sample standard deviation as `NAME_std`.

    Both are NaN where a fold has no finite value of the metric.
    """
    values: dict[str, float] = {}
    for name in dict.fromkeys(name for result in results for name in result):
        column = [result.get(name, math.nan) for result in results]
        finite = all(map(math.isfinite, column))
        values[name] = statistics.fmean(column) if finite else math.nan
        deviation = statistics.stdev(column) if finite and len(column) > 1 else 0.0
        values[f"{name}_std"] = deviation if finite else math.nan
    return values
