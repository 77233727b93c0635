"""The results of several folds, summed up."""

from __future__ import annotations

import statistics


def summarise_folds(results: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every metric over the folds, and its sample standard deviation as `NAME_std`."""
    values: dict[str, float] = {}
    for name in results[0]:
        column = [result[name] for result in results]
        values[name] = statistics.fmean(column)
        values[f"{name}_std"] = statistics.stdev(column) if len(column) > 1 else 0.0
    return values
