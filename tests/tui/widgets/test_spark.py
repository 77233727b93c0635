"""A curve in one row of characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stoker.tui.widgets.spark import HEIGHTS, spark


def test_a_rising_curve_rises() -> None:
    """The first bar is the lowest, the last the highest, and the last value is shown."""
    assert spark([0, 1, 2, 3, 4, 5, 6, 7], 8) == HEIGHTS
    assert spark(list(range(100)), 4) == "▁▃▆█"
    assert spark([1.0], 8) == "" and spark([2.0, 2.0], 8) == "▁▁"


@given(st.lists(st.floats(-1e30, 1e30), max_size=50), st.integers(1, 20))
def test_it_never_exceeds_its_width(values: list[float], width: int) -> None:
    """Any finite values fit."""
    assert len(spark(values, width)) <= width
