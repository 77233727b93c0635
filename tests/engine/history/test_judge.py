"""The verdict on recorded runs, on runs that it was not made by, and on small cases."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.engine.history.history import RunHistory
from stoker.engine.history.judge import judge
from stoker.engine.runs import events as e

RECORDED: dict[str, Any] = json.loads(
    gzip.decompress((Path(__file__).parents[2] / "recordings" / "verdicts.json.gz").read_bytes())
)
OTHERWISE: dict[str, str] = {
    "seen diverged-cancer": "noisy",  # exploded at the second step, and then stayed at chance level
    "seen noisy-cancer": "flat",
    "held-out diverged-mlp": "flat",  # stuck at chance level
    "held-out noisy-wine": "flat",
    "held-out overfitting-wave": "flat",  # its test loss stays where it is from the first tenth on
}
"""Runs on which the verdict is not the one that a person gives, with the one that it gives."""


def history_of(recorded: dict[str, Any]) -> RunHistory:
    history = RunHistory()
    history.apply(e.RunStarted(task="t", metrics=recorded["metrics"]))
    first, last = recorded["steps"]
    history.apply(e.Steps(first=first, step=last, losses=recorded["losses"]))
    for split, metric, steps, values in recorded["evaluated"]:
        for step, value in zip(steps, values, strict=True):
            history.apply(e.Evaluated(step=step, split=split, metrics={metric: value}))
    history.apply(e.EarlyStopping(step=last, monitor=recorded["monitor"], best=0.0))
    return history


@pytest.mark.parametrize("name", RECORDED)
def test_the_verdict_on_a_recorded_run_is_that_of_a_person(name: str) -> None:
    """The first word of a run's name is what a person says of its curves."""
    verdict = judge(history_of(RECORDED[name]))
    expected = name.split()[1].split("-", maxsplit=1)[0]
    assert verdict is not None and verdict.kind == OTHERWISE.get(name, expected), verdict


def test_most_runs_that_nothing_was_chosen_by_are_judged_rightly() -> None:
    """Five of each of four kinds."""
    held_out = [name for name in RECORDED if name.startswith("held-out")]
    assert len(held_out) == 20 and len([name for name in held_out if name in OTHERWISE]) <= 3


def test_nothing_is_said_of_a_run_that_has_just_begun() -> None:
    """Too few steps carry no verdict."""
    history = RunHistory()
    assert judge(history) is None
    history.apply(e.Steps(first=1, step=8, losses=[2.3, 2.2, 2.4, 2.1, 2.0, 2.1, 1.9, 2.0]))
    assert judge(history) is None


def test_a_loss_that_is_not_finite_has_diverged_at_once() -> None:
    """Three steps are enough, and the step is named."""
    history = RunHistory()
    history.apply(e.Steps(first=1, step=8, losses=[2.3, 2.2, 2.4, 2.1, 2.0, math.nan, math.inf, math.nan]))
    verdict = judge(history)
    assert verdict is not None and verdict.text == "diverged: the loss is not finite since step 6"


def test_a_metric_of_which_higher_is_better_gets_worse_when_it_falls() -> None:
    """The event carries the direction; without a falling training loss it is no overfitting."""
    history = RunHistory()
    history.apply(e.RunStarted(metrics={"score": "higher"}))
    history.apply(e.Steps(first=1, step=100, losses=[1.0] * 100))
    for step in range(10, 101, 10):
        history.apply(e.Evaluated(step=step, metrics={"score": 5.0 - step / 50}))
    history.apply(e.EarlyStopping(step=100, monitor="score", best=4.8, best_step=10, waited=9))
    verdict = judge(history)
    assert (
        verdict is not None and verdict.kind == "worsening" and verdict.text.startswith("getting worse: test score -0.")
    )


@settings(deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=80),
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=12),
)
def test_any_values_are_judged_without_an_error(losses: list[float], metrics: list[float]) -> None:
    """Infinite, huge and missing values raise nothing and warn of nothing."""
    history = RunHistory()
    history.apply(e.Steps(first=1, step=max(1, len(losses)), losses=losses))
    for step, value in enumerate(metrics, 1):
        history.apply(e.Evaluated(step=step, metrics={"loss": value, "accuracy": value}))
    history.apply(e.EarlyStopping(step=1, monitor="accuracy", best=0.0))
    judge(history)
