"""The y axis: ticks on whole rows at equal distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.tui.plotting.braille import DOTS_Y
from stoker.tui.plotting.y_axis import LEAST_FILLED, y_axis


def rows_of(low: float, high: float, rows: int, log: bool = False) -> list[int]:
    bottom, top, ticks = y_axis(np.array([low, high]), rows, log)
    return [round((place - bottom) / (top - bottom) * (rows * DOTS_Y - 1)) // DOTS_Y for place, _ in ticks]


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(4, 60), st.booleans())
def test_the_axis_holds_every_value_and_leaves_little_of_the_height_empty(
    low: float, span: float, rows: int, log: bool
) -> None:
    """The range holds both ends; the curve fills most of it."""
    bottom, top, ticks = y_axis(np.array([low, low + span]), rows, log and span < 300 and abs(low) < 300)
    slack = 1e-6 * max(abs(low), span)
    assert bottom <= low + slack and top >= low + span - slack
    assert span >= 0.9 * LEAST_FILLED * (top - bottom) * (1 - 2 / rows) or span <= abs(low) * 1e-8
    assert all(bottom - slack <= place <= top + slack for place, _ in ticks)


@pytest.mark.parametrize("rows", [8, 11, 14, 20, 33])
@pytest.mark.parametrize(("low", "high"), [(0.0068, 1), (0.02, 2.3), (0, 25), (0.3, 0.98)])
def test_ticks_stand_at_equal_distances(low: float, high: float, rows: int) -> None:
    """The number of rows between two ticks is the same everywhere."""
    gaps = np.diff(rows_of(low, high, rows))
    assert len(gaps) and len(set(gaps.tolist())) == 1


def test_a_log_axis_has_every_power_of_ten_at_equal_distances() -> None:
    """Three powers of ten on fourteen rows."""
    assert len(set(np.diff(rows_of(-2.1, 0.4, 14, log=True)).tolist())) == 1
