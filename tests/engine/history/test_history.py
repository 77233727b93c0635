"""The public properties of a run's history, and reading it from a folder."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stoker.engine.errors import RunError
from stoker.engine.history.history import RunHistory
from stoker.engine.runs import events as e
from tests.support.recorded import folds, loss, measured, run, started
from tests.support.run_folders import COMPLETED, write


def history_of(events: list[e.Event]) -> RunHistory:
    """Return the history after these events."""
    history = RunHistory("a run")
    for event in events:
        history.apply(event)
    return history


def test_a_folder_is_read_to_its_end(tmp_path: Path) -> None:
    """A folder, a path and a string give the same history; lines that are no events are skipped."""
    folder = write(tmp_path, "one", COMPLETED)
    with folder.events.open("ab") as file:
        file.write(b'{"event":"of a later version"}\nno JSON\n')
    for place in (folder, folder.path, str(folder.path)):
        history = RunHistory.read(place)
        assert (history.state, history.step, history.epoch, history.alive) == ("completed", 540, 12, False)
        assert history.finished is not None and history.started is not None


def test_a_path_without_a_run_is_refused(tmp_path: Path) -> None:
    """A wrong path is an error, not an empty history."""
    with pytest.raises(RunError, match="not a run folder"):
        RunHistory.read(tmp_path)


def test_losses_are_arrays_by_step() -> None:
    """Steps are int64 and values float32; the arrays are copies."""
    history = history_of(run(330))
    steps, values = history.losses
    assert steps.dtype == np.int64 and values.dtype == np.float32
    assert steps.tolist() == list(range(1, 331))
    assert values == pytest.approx([loss(step) for step in range(1, 331)], rel=1e-6)
    values[:] = 0
    assert history.losses[1][0] > 0


def test_a_step_without_a_loss_is_nan() -> None:
    """The steps have no holes, so that two runs can be compared by index."""
    history = history_of([started(), e.Steps(first=1, step=1, losses=[0.5]), e.Steps(first=4, step=4, losses=[0.25])])
    steps, values = history.losses
    assert steps.tolist() == [1, 2, 3, 4]
    assert values[[0, 3]].tolist() == [0.5, 0.25] and np.isnan(values[1:3]).all()


def test_metrics_are_found_by_split_and_name() -> None:
    """An unknown metric raises KeyError."""
    history = history_of(run(330))
    assert history.metric_names == [("test", "loss"), ("test", "accuracy")]
    steps, values = history.metric("test", "loss")
    assert steps.tolist() == [45 * epoch for epoch in range(1, 8)]
    assert values[-1] == pytest.approx(measured(315))
    assert history.latest("loss") == pytest.approx(measured(315))
    with pytest.raises(KeyError):
        history.metric("val", "loss")


def test_learning_rates_hold_between_their_points() -> None:
    """One pair of arrays for each parameter group; two equal points are a constant stretch."""
    ((steps, values),) = history_of(run(330)).learning_rates
    assert values.tolist() == pytest.approx([0.01, 0.01, 0.005, 0.005])
    assert steps.tolist() == [15, 179, 180, 330]


def test_each_fold_has_its_own_losses() -> None:
    """The properties of the run are those of the fold that was trained last."""
    history = history_of(folds(90, 45))
    assert list(history.folds) == [0, 1]
    assert (len(history.folds[0].losses[0]), len(history.losses[0])) == (90, 45)


def test_the_event_tells_the_direction_of_a_metric() -> None:
    """The name decides only in runs of version 0.1.0, whose event has no directions."""
    old = history_of([started()])
    assert (old.direction("accuracy"), old.direction("mae"), old.direction("zorp")) == ("higher", "lower", None)
    new = history_of(
        [msgspec.structs.replace(started(), metrics={"zorp": "lower", "mae": "higher", "recall": "higher"})]
    )
    assert (new.direction("zorp"), new.direction("mae"), new.direction("recall_1")) == ("lower", "higher", "higher")


def test_an_empty_history_has_empty_curves() -> None:
    """Before the first event nothing raises."""
    history = RunHistory()
    assert [len(part) for part in history.losses] == [0, 0]
    assert history.learning_rates == [] and history.metric_names == [] and history.checkpoints == []
    assert history.early_stopping is None and history.seconds_left(0) is None and not math.isnan(history.elapsed(0))
