"""The memory of a long run: only the losses grow with the steps."""

from __future__ import annotations

import gc
import tracemalloc
from itertools import pairwise

import pytest

from stoker.engine.history.fold_history import KEPT
from stoker.engine.runs import events as e
from stoker.tui.plotting.curve_cache import CurveCache
from stoker.tui.state.run_view import RunView
from tests.support.recorded import BEGAN, started

BYTES = 4 * 3 / 2  # bytes of one step at most: a float32 in an array that grows by half
TOGETHER, BETWEEN = 100, 200  # steps of one event, and steps between two evaluations with a save


def view_of(steps: int) -> RunView:
    """Return the view of a run with `steps` steps."""
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
    """Return the bytes of a view with the running mean of its losses."""
    gc.collect()
    tracemalloc.start()
    try:
        view, derived = view_of(steps), CurveCache()
        derived.width = mean
        derived.mean(view.current.train)
        assert view.current.train.length == steps
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("mean", [0, 100])
def test_ten_million_steps_would_stay_under_200_megabytes(mean: int) -> None:
    """Once the lists of other events are full, each step costs one loss and one running mean."""
    few, many = KEPT * BETWEEN, 3 * KEPT * BETWEEN
    base = memory(few, mean)
    slope = (memory(many, mean) - base) / (many - few)
    curves = 1 + bool(mean)
    # Each evaluation and each learning rate is one point, a step and a value, in arrays that double.
    assert slope <= curves * BYTES + 2 * 12 * (1 / BETWEEN + 1 / TOGETHER)
    assert base + slope * 10_000_000 < 200e6


def test_kept_events_are_spread_over_the_run() -> None:
    """The kept events include the oldest and the newest, and later ones have no long gaps."""
    fold = view_of(3 * KEPT * BETWEEN).current
    for steps in ([event.step or 0 for event in fold.checkpoints], [event.step or 0 for event in fold.early_stopping]):
        assert len(steps) <= KEPT and steps == sorted(steps) and steps[-1] == 3 * KEPT * BETWEEN
        assert steps[0] < KEPT * BETWEEN and max(b - a for a, b in pairwise(steps)) < steps[-1] / 10
