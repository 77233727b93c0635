"""Growable curves against the plain dictionary that they stand for."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stoker.engine.history.series import LONGEST_GAP, Dense, Sparse

puts = st.tuples(st.integers(0, 200), st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=9))


@given(st.lists(st.one_of(puts, st.integers(0, 200)), max_size=30))
def test_dense_is_a_dictionary_by_step(changes: list[tuple[int, list[float]] | int]) -> None:
    """Whatever is put and cut in whatever order, each step has its last value."""
    curve, known = Dense(), dict[int, float]()
    for change in changes:
        if isinstance(change, int):
            curve.cut(change)
            known = {step: number for step, number in known.items() if step <= change}
        else:
            curve.put(*change)
            known |= {change[0] + offset: number for offset, number in enumerate(change[1])}
    found = {curve.base + i: v for i, v in enumerate(curve.values.tolist()) if not np.isnan(v)}
    assert found == known


@given(st.lists(st.one_of(st.tuples(st.integers(0, 50), st.floats(-9, 9, width=32)), st.integers(0, 50)), max_size=40))
def test_sparse_is_a_dictionary_sorted_by_step(changes: list[tuple[int, float] | int]) -> None:
    """Points may come in any order, and again."""
    curve, known = Sparse(), dict[int, float]()
    for change in changes:
        if isinstance(change, int):
            curve.cut(change)
            known = {step: number for step, number in known.items() if step <= change}
        else:
            curve.put(*change)
            known[change[0]] = change[1]
    assert list(zip(curve.steps.tolist(), curve.values.tolist(), strict=True)) == sorted(known.items())


def test_a_value_that_holds_is_two_points() -> None:
    """A constant learning rate of a million steps is a line, not a million points."""
    curve = Sparse()
    curve.put(1, 0.1)
    for step in range(2, 1000):
        curve.hold(step)
    assert curve.steps.tolist() == [1, 999]


def test_a_step_from_nowhere_does_not_fill_the_memory() -> None:
    """A broken event is left out."""
    curve = Dense()
    curve.put(1, [0.5])
    curve.put(LONGEST_GAP * 10, [0.5])
    assert curve.length == 1


def test_ten_million_steps_fit() -> None:
    """Far below 200 MB, growing included."""
    curve = Dense()
    losses = [0.5] * 10_000
    tracemalloc.start()
    for first in range(1, 10_000_001, 10_000):
        curve.put(first, losses)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert curve.length == 10_000_000
    assert peak < 120e6
