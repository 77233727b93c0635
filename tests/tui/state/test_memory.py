"""The memory of a long run's view: the losses themselves, and nothing else that grows with the steps."""

from __future__ import annotations

import gc
import tracemalloc
from itertools import pairwise

import pytest

from stoker.engine.history.fold_history import KEPT
from stoker.engine.runs import events as e
from stoker.tui.plotting.curve_cache import Derived
from stoker.tui.state.run_view import RunView
from tests.support.recorded import BEGAN, started

BYTES = 4 * 3 / 2  # of a step at most: a float32, in an array that grows by half
TOGETHER, BETWEEN = 100, 200  # steps in an event, and between two evaluations with a save


def view_of(steps: int) -> RunView:
    """The view of a run of so many steps."""
    view = RunView()
    view.apply(started())
    for first in range(1, steps + 1, TOGETHER):
        step, at = first + TOGETHER - 1, BEGAN + first
        view.apply(e.Steps(at=at, first=first, step=step, losses=[0.5] * TOGETHER, lr=[1 / step]))
        if step % BETWEEN == 0:
            view.apply(e.Evaluated(at=at, step=step, metrics={"loss": 0.5}))
            view.apply(e.EarlyStopping(at=at, step=step, best=0.5, best_step=step))
            view.apply(e.CheckpointSaved(at=at, step=step, path="checkpoints/latest.pt"))
            view.apply(e.Warned(at=at, step=step, kind="overfitting", message=f"at {step}"))
    return view


def memory(steps: int, mean: int) -> int:
    """Bytes of the view, and of the running mean of its losses."""
    gc.collect()
    tracemalloc.start()
    try:
        view, derived = view_of(steps), Derived()
        derived.width = mean
        derived.mean(view.now.train)
        assert view.now.train.length == steps
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("mean", [0, 100])
def test_ten_million_steps_would_stay_under_200_megabytes(mean: int) -> None:
    """Once all that is kept of other events is full, each step costs its loss alone; so does its running mean."""
    few, many = KEPT * BETWEEN, 3 * KEPT * BETWEEN
    base = memory(few, mean)
    slope = (memory(many, mean) - base) / (many - few)
    curves = 1 + bool(mean)
    # Each evaluation and each learning rate is a point of a curve: a step and a value, in arrays that double.
    assert slope <= curves * BYTES + 2 * 12 * (1 / BETWEEN + 1 / TOGETHER)
    assert base + slope * 10_000_000 < 200e6


def test_what_is_kept_of_many_events_is_spread_over_the_run() -> None:
    """The newest, the oldest, and no long gap but at the beginning."""
    fold = view_of(3 * KEPT * BETWEEN).now
    for steps in ([event.step or 0 for event in fold.checkpoints], [event.step or 0 for event in fold.early]):
        assert len(steps) <= KEPT and steps == sorted(steps) and steps[-1] == 3 * KEPT * BETWEEN
        assert steps[0] < KEPT * BETWEEN and max(b - a for a, b in pairwise(steps)) < steps[-1] / 10
