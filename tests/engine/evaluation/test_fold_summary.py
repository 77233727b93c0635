"""The results of several folds, summed up."""

from __future__ import annotations

import math

import pytest

from stoker.engine.evaluation.fold_summary import summarise_folds

NAN, INFINITY = float("nan"), float("inf")


def test_mean_and_sample_standard_deviation() -> None:
    """Each metric has its mean, and its sample standard deviation beside it."""
    assert summarise_folds([{"loss": 1.0}, {"loss": 3.0}]) == {"loss": 2.0, "loss_std": pytest.approx(2**0.5)}
    assert summarise_folds([{"loss": 1.0}]) == {"loss": 1.0, "loss_std": 0.0}


@pytest.mark.parametrize("bad", [NAN, INFINITY, -INFINITY])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_metric_that_is_not_finite_in_one_fold_is_nan(bad: float, place: int) -> None:
    """Neither mean nor deviation exists, and the other metrics keep theirs."""
    results = [{"loss": 1.0, "accuracy": 0.5} for _ in range(3)]
    results[place]["loss"] = bad
    summary = summarise_folds(results)
    assert math.isnan(summary["loss"]) and math.isnan(summary["loss_std"])
    assert (summary["accuracy"], summary["accuracy_std"]) == (0.5, 0.0)


@pytest.mark.parametrize("place", [0, 1])
def test_metric_that_a_fold_lacks_is_nan(place: int) -> None:
    """A class may be absent from one fold."""
    results: list[dict[str, float]] = [{"loss": 1.0}, {"loss": 1.0}]
    results[place]["f1_2"] = 0.5
    assert math.isnan(summarise_folds(results)["f1_2"])
