"""A view built from events, without Textual and without a clock."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.engine.runs import events as e
from stoker.engine.runs.events import decode, encode
from stoker.tui.state.run_view import RunView
from tests.support.recorded import BEGAN, EPOCHS, PER_EPOCH, body, evaluation, loss, measured, run, started, time_of
from tests.support.views import summary, view_of


def test_a_view_has_the_numbers_of_the_events() -> None:
    """Steps, epochs, curves and the counter come from the events."""
    view = view_of(run(330))
    assert (view.state, view.step, view.epoch, view.steps) == ("training", 330, 8, EPOCHS * PER_EPOCH)
    assert view.current.train.values == pytest.approx([loss(step) for step in range(1, 331)], rel=1e-6)
    assert view.current.evaluated["test", "loss"].steps.tolist() == [45 * epoch for epoch in range(1, 8)]
    assert view.early_stopping is not None and (view.early_stopping.waited, view.early_stopping.best_step) == (2, 225)
    assert view.lr == [0.005]
    assert view.latest("loss") == pytest.approx(measured(315))


@pytest.mark.parametrize("cause", ["completed", "early_stopping", "stopped", "failed"])
def test_states_follow_the_events(cause: str) -> None:
    """The states are loading, training, evaluating, paused, and the cause of the end."""
    view = RunView()
    assert view.state == "loading"
    said = [
        (started(), "training"),
        (e.Evaluating(), "evaluating"),
        (e.Evaluated(), "training"),
        (e.Paused(), "paused"),
        (e.Evaluating(), "evaluating"),
        (e.Evaluated(), "paused"),
        (e.Resumed(), "training"),
        (e.RunFinished(cause=cause), cause),
        (started(10), "training"),
    ]
    for event, state in said:
        view.apply(event)
        assert view.state == state


def test_a_run_without_an_engine_is_lost_unless_finished() -> None:
    """Events alone do not show a living engine."""
    view = view_of(run(50))
    view.alive = False
    assert view.status(BEGAN) == "lost"
    view.apply(e.RunFinished(cause="stopped"))
    assert view.status(BEGAN) == "stopped"


def test_a_short_evaluation_does_not_flicker() -> None:
    """The status changes only for a long evaluation."""
    view = view_of([*run(50), e.Evaluating(at=BEGAN)])
    assert view.status(BEGAN + 0.1) == "training"
    assert view.status(BEGAN + 1) == "evaluating"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60), st.integers(0, 120)), max_size=4),
    st.integers(1, 40),
)
def test_any_sequence_of_resumes_equals_the_uninterrupted_run(
    resumes: list[tuple[int, int, int]], together: int
) -> None:
    """A resume supersedes all points after its step, also when events overlap it."""
    last = 330
    events: list[e.Event] = [started()]
    at = 0
    for back, chunk, further in resumes:
        end = min(last, at + further)
        events += body(at, end, together=chunk)
        at = min(back, end)
        # The evaluation of that step was recorded before the checkpoint.
        events.append(started(at, at=time_of(end)))
    events += body(at, last, together=together)
    whole = view_of([started(), *body(0, last, together=together)])
    interrupted = view_of(events)
    for key, curve in whole.current.evaluated.items():
        assert interrupted.current.evaluated[key].steps.tolist() == curve.steps.tolist()
        assert interrupted.current.evaluated[key].values.tolist() == curve.values.tolist()
    assert interrupted.current.train.values.tobytes() == whole.current.train.values.tobytes()
    assert interrupted.early_stopping == whole.early_stopping
    assert [event.step for event in interrupted.current.early_stopping] == [
        event.step for event in whole.current.early_stopping
    ]
    assert (interrupted.step, interrupted.epoch, interrupted.lr) == (whole.step, whole.epoch, whole.lr)


def test_a_new_start_supersedes_everything() -> None:
    """A run that died before its first checkpoint starts at step 0 again."""
    assert summary(view_of([*run(100), started(), *body(0, 20)])) == summary(view_of(run(20)))


def test_a_repeated_evaluation_replaces_the_first() -> None:
    """A step has one point, the newest."""
    view = view_of([*run(45), e.Evaluated(step=45, metrics={"loss": 0.5})])
    assert view.current.evaluated["test", "loss"].values.tolist() == [0.5]


def test_folds_keep_their_own_curves() -> None:
    """A fold starts at step 0; resuming it leaves the others alone."""
    events: list[e.Event] = [e.RunStarted(fold=0, folds=2, epochs=2, steps_per_epoch=10)]
    events += [e.Steps(fold=0, first=1, step=20, losses=[0.5] * 20)]
    events += [e.RunStarted(fold=1, folds=2, epochs=2, steps_per_epoch=10)]
    events += [e.Steps(fold=1, first=1, step=8, losses=[0.25] * 8)]
    view = view_of(events)
    assert (view.fold, view.step) == (1, 8)
    view.apply(e.RunStarted(fold=1, folds=2, epochs=2, steps_per_epoch=10, resumed_from=5))
    assert (view.step, view.folds[0].train.length, view.folds[1].train.length) == (5, 20, 5)
    view.apply(e.CheckpointSaved(fold=0, step=20))
    assert (view.fold, view.step) == (1, 5)


anything = st.one_of(
    st.builds(e.RunStarted, resumed_from=st.none() | st.integers(-5, 10**12), epochs=st.integers(-3, 10**9)),
    st.builds(
        e.Steps,
        first=st.integers(-(10**12), 10**12) | st.integers(0, 100),
        step=st.none() | st.integers(-10, 10**12),
        losses=st.lists(st.floats(), max_size=5),
        lr=st.lists(st.floats(), max_size=3),
        fold=st.none() | st.integers(0, 3),
    ),
    st.builds(
        e.Evaluated,
        step=st.none() | st.integers(-10, 1000),
        metrics=st.dictionaries(st.text(max_size=3), st.floats()),
        fold=st.none() | st.integers(0, 3),
    ),
    st.builds(e.EarlyStopping, best=st.floats(), waited=st.integers(), patience=st.none() | st.integers()),
    st.builds(e.LearningRate, lr=st.lists(st.floats(), max_size=3)),
    st.builds(e.CheckpointSaved, bytes=st.integers(), seconds=st.floats()),
    st.sampled_from([e.Paused(), e.Resumed(), e.Evaluating(), e.Warned(), e.CommandAnswered(), e.RunFinished()]),
)


@settings(deadline=None)
@given(st.lists(anything, max_size=20), st.floats(-1e9, 1e10))
def test_odd_events_never_raise(events: list[e.Event], now: float) -> None:
    """Missing fields, NaN, odd numbers and any order raise nothing."""
    view = view_of(events)
    view.status(now), view.seconds_left(now), view.elapsed(now), view.epoch, view.early_stopping


def test_numbers_that_are_not_finite_survive_the_file() -> None:
    """NaN is written as a string and comes back as a number."""
    event = decode(encode(e.Steps(first=1, step=3, losses=[1.0, math.nan, math.inf])))
    assert event is not None
    assert np.isnan(view_of([started(), event]).current.train.values[1])


def test_time_left_leaves_pauses_out_and_evaluations_in() -> None:
    """540 steps at 90 a second; a pause of an hour changes nothing."""
    view = view_of(run(270))
    now = time_of(270)
    left = view.seconds_left(now)
    assert left == pytest.approx(270 / 90, rel=0.2)
    view.apply(e.Paused(at=now))
    view.apply(e.Resumed(at=now + 3600))
    assert view.seconds_left(now + 3600) == pytest.approx(left)
    assert view.elapsed(now + 3600) == pytest.approx(now - BEGAN)


def test_the_time_between_two_engines_is_not_training() -> None:
    """The time between a kill and the resume does not count."""
    view = view_of([*run(90), started(45, at=time_of(90) + 86_400)])
    assert view.elapsed(time_of(90) + 86_400) == pytest.approx(time_of(90) - BEGAN)


def test_an_evaluation_is_one_line() -> None:
    """One log line has the metrics and the outcome of an evaluation."""
    view = view_of(run(0) + list(evaluation(45)))
    lines = [text for _, _, text in view.lines]
    assert any("test loss" in text and "best so far" in text for text in lines)
    assert not any(text.startswith("loss") for text in lines)


def test_a_long_history_is_folded_fast() -> None:
    """A million steps in events of ten take less than a second."""
    events = [e.Steps(at=i, first=i * 10 + 1, step=i * 10 + 10, losses=[0.5] * 10, lr=[0.1]) for i in range(100_000)]
    began = time.thread_time()
    view = view_of([started(), *events])
    assert time.thread_time() - began < 1.0
    assert view.current.train.length == 1_000_000
    assert len(view.throughput._marks) <= 256


@pytest.mark.parametrize("last", [50, 900])
def test_the_clock_of_a_lost_run_stands_still(last: int) -> None:
    """Without an engine nothing is trained, and nothing is left to wait for."""
    view = view_of(run(last))
    end = time_of(last)
    trained = view.clock(end)
    assert view.clock(end + 60) > trained
    view.alive = False
    assert view.clock(end) == view.clock(end + 3600) <= trained
    assert view.seconds_left(end) is view.seconds_left(end + 3600) is None


def test_a_clock_that_is_set_back_changes_no_time() -> None:
    """The time counts on from the earlier hour, and so does the throughput."""
    view, day = RunView(), 86_400
    view.apply(e.RunStarted(at=5.0 * day, epochs=1, steps_per_epoch=1000))
    for second in range(1, 41):
        shift = day if second > 20 else 0
        view.apply(e.Steps(at=5 * day - shift + second, first=second * 10 - 9, step=second * 10, losses=[1.0] * 10))
    assert view.clock(4 * day + 40) == pytest.approx(39, abs=0.1)
    rate = view.throughput.rate()
    assert rate is not None and rate == pytest.approx(10, rel=0.1)
