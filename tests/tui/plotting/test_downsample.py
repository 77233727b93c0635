"""Min-max decimation."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stoker.tui.plotting.downsample import downsample

curves = hnp.arrays(np.float32, st.integers(0, 300), elements=st.floats(width=32))


def edges(length: int, columns: int) -> np.ndarray:
    return np.linspace(0, length, columns + 1).astype(np.int64)


@given(curves, st.integers(1, 40), st.booleans())
def test_each_column_keeps_its_extremes(values: np.ndarray, columns: int, positive: bool) -> None:
    """Each column keeps at most two points, in order: its minimum and its maximum."""
    places = edges(len(values), columns)
    kept = downsample(values, places, positive=positive)
    assert (np.diff(kept.index) > 0).all()
    for start, end in itertools.pairwise(places):
        column = values[start:end]
        good = np.isfinite(column) & ((column > 0) | (not positive))
        here = kept.index[(kept.index >= start) & (kept.index < end)]
        assert len(here) <= 2
        assert bool(len(here)) == bool(good.any())
        if good.any():
            assert values[here].min() == column[good].min()
            assert values[here].max() == column[good].max()
        wrong = kept.bad[(kept.bad >= start) & (kept.bad < end)]
        assert wrong.tolist() == (start + np.flatnonzero(~good)[:1]).tolist()


@given(curves, st.integers(1, 40))
def test_no_line_crosses_a_gap(values: np.ndarray, columns: int) -> None:
    """A point has a gap exactly when a value before it cannot be drawn."""
    kept = downsample(values, edges(len(values), columns))
    before = np.concatenate([[-1], kept.index[:-1]]) if len(kept.index) else kept.index
    for previous, index, gap in zip(before, kept.index, kept.gap, strict=True):
        assert gap == bool((~np.isfinite(values[previous + 1 : index])).any())


@given(st.integers(0, 99_999), st.integers(1, 300))
def test_a_spike_of_one_step_stays(spike: int, columns: int) -> None:
    """A spike at any step is kept on any screen."""
    values = np.full(100_000, 0.1, np.float32)
    values[spike] = 25
    assert spike in downsample(values, edges(len(values), columns)).index
