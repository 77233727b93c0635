"""Events with absurd numbers cost neither memory nor an error."""

from __future__ import annotations

from stoker.engine.history.series import LONGEST_GAP, StepSeries


def test_gaps_together_are_bounded() -> None:
    """Many lines, each a little less far away than what one line may skip."""
    series = StepSeries()
    for number in range(20):
        series.put(1 + number * (LONGEST_GAP - 1), [1.0])
    assert series.length <= LONGEST_GAP + 20
    assert series._values.nbytes < 2 * 4 * LONGEST_GAP


def test_steps_before_the_first_are_bounded_too() -> None:
    """A curve may grow to the left as well."""
    series = StepSeries()
    for number in range(20):
        series.put(10**9 - number * (LONGEST_GAP - 1), [1.0])
    assert series.length <= LONGEST_GAP + 20


def test_a_resumed_run_may_leave_a_gap() -> None:
    """The events of a broken disk are missing; those after them are shown."""
    series = StepSeries()
    series.put(1, [1.0, 2.0])
    series.put(1_000_000, [3.0])
    assert series.last_step == 1_000_000
