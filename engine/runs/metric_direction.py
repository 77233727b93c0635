"""Whether a metric is better when it is higher or lower. Needs neither torch nor torchmetrics."""

from __future__ import annotations

from collections.abc import Mapping

# Metrics by name, for runs whose `run_started` event does not give the directions.
LOWER_IS_BETTER = ("loss", "mse", "mae", "rmse")
HIGHER_IS_BETTER = ("accuracy", "f1", "precision", "recall", "auroc", "top5", "r2", "specificity")


def lower_is_better(name: str) -> bool:
    """Return whether lower is better for a metric called `name`; higher is better for every unknown name."""
    return name in LOWER_IS_BETTER or name.endswith("_loss")


def direction(name: str, directions: Mapping[str, str] | None = None) -> str | None:
    """Return "higher" or "lower", whichever is better for the metric `name`, or None if that is unknown.

    `directions` is `RunStarted.metrics`. It also covers the parts of a metric with several values: `recall` tells the
    direction of `recall_1`. A name it lacks, as in runs of version 0.1.0, is looked up in the two tables above.
    """
    given = directions or {}
    parents = [parent for parent in given if name == parent or name.startswith(f"{parent}_")]
    found = given[max(parents, key=len)] if parents else None
    if found in ("higher", "lower"):
        return found
    if lower_is_better(name):
        return "lower"
    return "higher" if name in HIGHER_IS_BETTER else None
