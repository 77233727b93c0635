"""Early stopping, and the warning of overfitting."""

from __future__ import annotations

import math

from stoker.engine.evaluation.early_stopping import EarlyStopping
from stoker.engine.evaluation.overfitting import RISES, Overfitting


def test_it_stops_after_the_patience_and_not_before() -> None:
    """An equal value is no improvement."""
    stopping = EarlyStopping("loss", 2, lower_is_better=True)
    steps = [(stopping.update(value, step), stopping.exhausted) for step, value in enumerate([1.0, 0.5, 0.5, 0.6], 1)]
    assert steps == [(True, False), (True, False), (False, False), (False, True)]
    assert (stopping.best, stopping.best_step, stopping.waited) == (0.5, 2, 2)


def test_a_higher_accuracy_is_better() -> None:
    """Higher or lower is a property of the metric."""
    stopping = EarlyStopping("accuracy", 1, lower_is_better=False)
    assert stopping.update(0.5, 1)
    assert stopping.update(0.6, 2)
    assert not stopping.update(0.5, 3)
    assert stopping.exhausted


def test_nan_is_never_the_best() -> None:
    """Not even as the first value."""
    stopping = EarlyStopping("loss", None, lower_is_better=True)
    assert not stopping.update(math.nan, 1)
    assert stopping.update(3.0, 2)
    assert not stopping.update(math.nan, 3)
    assert (stopping.best, stopping.waited, stopping.exhausted) == (3.0, 1, False)


def test_the_counter_is_restored() -> None:
    """After a resume it continues, unless the run now monitors another metric."""
    stopping = EarlyStopping("loss", 5, lower_is_better=True)
    for step, value in enumerate([1.0, 2.0, 2.0]):
        stopping.update(value, step)
    again = EarlyStopping("loss", 5, lower_is_better=True)
    again.load_state_dict(stopping.state_dict())
    assert again.state_dict() == stopping.state_dict()
    other = EarlyStopping("accuracy", 5, lower_is_better=False)
    other.load_state_dict(stopping.state_dict())
    assert (other.waited, math.isnan(other.best)) == (0, True)


def test_overfitting_warns_once() -> None:
    """After three rises of the evaluated loss while the training loss falls."""
    watch = Overfitting()
    warned = [watch.update(1.0 + rise, 1.0 - rise / 10) for rise in range(RISES + 3)]
    assert warned.index(True) == RISES
    assert sum(warned) == 1


def test_two_rising_losses_are_no_overfitting() -> None:
    """As with a learning rate that is too high."""
    watch = Overfitting()
    assert not any(watch.update(1.0 + rise, 1.0 + rise) for rise in range(10))


def test_overfitting_knows_the_step_of_the_lowest_loss() -> None:
    """Also after a resume; a checkpoint of an older version does not know it."""
    watch, resumed = Overfitting(), Overfitting()
    for step, loss in enumerate([1.0, 0.5, 0.7], 1):
        watch.update(loss, 1.0 - step / 10, step * 10)
    saved = watch.state_dict()
    resumed.load_state_dict(saved)
    for step, loss in enumerate([0.6, 0.8], 4):
        resumed.update(loss, 1.0 - step / 10, step * 10)
    assert (watch.lowest_step, resumed.lowest_step) == (20, 20)
    resumed.load_state_dict({name: saved[name] for name in ("evaluated", "trained", "rises")})
    assert resumed.lowest_step == 0
