"""Growing curves against a plain dictionary."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stoker.engine.history.series import LONGEST_GAP, PointSeries, StepSeries

puts = st.tuples(st.integers(0, 200), st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=9))


@given(st.lists(st.one_of(puts, st.integers(0, 200)), max_size=30))
def test_step_series_is_a_dictionary_by_step(changes: list[tuple[int, list[float]] | int]) -> None:
    """After any puts and truncations each step has its last value."""
    curve, known = StepSeries(), dict[int, float]()
    for change in changes:
        if isinstance(change, int):
            curve.truncate(change)
            known = {step: number for step, number in known.items() if step <= change}
        else:
            curve.put(*change)
            known |= {change[0] + offset: number for offset, number in enumerate(change[1])}
    found = {curve.base + i: v for i, v in enumerate(curve.values.tolist()) if not np.isnan(v)}
    assert found == known


@given(st.lists(st.one_of(st.tuples(st.integers(0, 50), st.floats(-9, 9, width=32)), st.integers(0, 50)), max_size=40))
def test_point_series_is_a_dictionary_sorted_by_step(changes: list[tuple[int, float] | int]) -> None:
    """Points may come in any order and repeatedly."""
    curve, known = PointSeries(), dict[int, float]()
    for change in changes:
        if isinstance(change, int):
            curve.truncate(change)
            known = {step: number for step, number in known.items() if step <= change}
        else:
            curve.put(*change)
            known[change[0]] = change[1]
    assert list(zip(curve.steps.tolist(), curve.values.tolist(), strict=True)) == sorted(known.items())


def test_a_constant_value_is_two_points() -> None:
    """A constant learning rate is two points, however long the run is."""
    curve = PointSeries()
    curve.put(1, 0.1)
    for step in range(2, 1000):
        curve.extend_to(step)
    assert curve.steps.tolist() == [1, 999]


def test_a_huge_step_number_does_not_fill_the_memory() -> None:
    """A broken event is ignored."""
    curve = StepSeries()
    curve.put(1, [0.5])
    curve.put(LONGEST_GAP * 10, [0.5])
    assert curve.length == 1


def test_ten_million_steps_fit() -> None:
    """Ten million losses need less than 120 MB, also while the array grows."""
    curve = StepSeries()
    losses = [0.5] * 10_000
    tracemalloc.start()
    for first in range(1, 10_000_001, 10_000):
        curve.put(first, losses)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert curve.length == 10_000_000
    assert peak < 120e6
