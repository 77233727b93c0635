"""What is best, and when to stop waiting."""

from __future__ import annotations

import math

from stoker.engine.evaluation.early_stopping import EarlyStopping
from stoker.engine.evaluation.overfitting import RISES, Overfitting


def test_it_stops_after_the_patience_and_not_before() -> None:
    """An equal value is no better one."""
    stopping = EarlyStopping("loss", 2, lower_is_better=True)
    seen = [(stopping.update(value, step), stopping.exhausted) for step, value in enumerate([1.0, 0.5, 0.5, 0.6], 1)]
    assert seen == [(True, False), (True, False), (False, False), (False, True)]
    assert (stopping.best, stopping.best_step, stopping.waited) == (0.5, 2, 2)


def test_the_direction_is_the_metrics() -> None:
    """Accuracy rises."""
    stopping = EarlyStopping("accuracy", 1, lower_is_better=False)
    assert stopping.update(0.5, 1)
    assert stopping.update(0.6, 2)
    assert not stopping.update(0.5, 3)
    assert stopping.exhausted


def test_nan_is_never_the_best() -> None:
    """Not as the first value either."""
    stopping = EarlyStopping("loss", None, lower_is_better=True)
    assert not stopping.update(math.nan, 1)
    assert stopping.update(3.0, 2)
    assert not stopping.update(math.nan, 3)
    assert (stopping.best, stopping.waited, stopping.exhausted) == (3.0, 1, False)


def test_the_counter_comes_back() -> None:
    """After a resume it goes on counting, unless another metric is monitored now."""
    stopping = EarlyStopping("loss", 5, lower_is_better=True)
    for step, value in enumerate([1.0, 2.0, 2.0]):
        stopping.update(value, step)
    again = EarlyStopping("loss", 5, lower_is_better=True)
    again.load_state_dict(stopping.state_dict())
    assert again.state_dict() == stopping.state_dict()
    other = EarlyStopping("accuracy", 5, lower_is_better=False)
    other.load_state_dict(stopping.state_dict())
    assert (other.waited, math.isnan(other.best)) == (0, True)


def test_overfitting_is_said_once_when_the_losses_part() -> None:
    """Several rises of the evaluated loss while the training loss falls."""
    watch = Overfitting()
    said = [watch.update(1.0 + rise, 1.0 - rise / 10) for rise in range(RISES + 3)]
    assert said.index(True) == RISES
    assert sum(said) == 1


def test_a_loss_that_rises_with_the_training_loss_is_no_overfitting() -> None:
    """Both rise when the learning rate is too high."""
    watch = Overfitting()
    assert not any(watch.update(1.0 + rise, 1.0 + rise) for rise in range(10))
