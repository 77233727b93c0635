"""The title of a plot."""

from __future__ import annotations

import pytest

from stoker.engine.history.series import StepSeries
from stoker.tui.widgets.legend import legend


def curve(last: float) -> StepSeries:
    series = StepSeries()
    series.put(1, [1.0, 0.9, 0.8, last])
    return series


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (80, "loss (log, mean of 20)  ━ train 0.5000 ↓  ━ test 0.6000 ↓  ★ best"),
        (60, "loss (log, mean of 20)  ━ train 0.5000 ↓  ━ test 0.6000 ↓"),
        (45, "loss  ━ train 0.5000 ↓  ━ test 0.6000 ↓"),
        (38, "loss (log, mean of 20)  ━ train  ━ test"),
    ],
)
def test_without_room_the_values_stay_longest(width: int, words: str) -> None:
    """The meaning of markers goes first, then the caption."""
    curves = [(("train", curve(0.5)), (1, 2, 3)), (("test", curve(0.6)), (4, 5, 6))]
    assert legend("loss", "log, mean of 20", curves, None, [("best", "★", (7, 8, 9))], width).plain == words
