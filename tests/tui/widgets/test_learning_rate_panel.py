"""The panel of the learning rate."""

from __future__ import annotations

import pytest

from stoker.engine.runs import events as e
from stoker.tui.widgets.learning_rate_panel import LearningRatePanel
from tests.support.views import view_of


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (32, "5e-4 (manual)     0.001 at first"),
        (27, "5e-4 (manual)     was 0.001"),
        (24, "5e-4 (manual)  was 0.001"),
        (23, "5e-4 (manual) was 0.001"),
        (22, "5e-4 (manual)         "),
    ],
)
def test_the_first_rate_gives_way_before_a_word_is_cut(width: int, shown: str) -> None:
    """A panel too narrow for both keeps the current rate and where it came from."""
    view = view_of(
        [
            e.RunStarted(at=1.0, epochs=1),
            e.Steps(at=2.0, first=1, step=9, losses=[1.0] * 9, lr=[0.001]),
            e.LearningRate(at=3.0, step=10, lr=[0.0005], cause="command"),
        ]
    )
    (row,) = LearningRatePanel(id="rate").rows(view, 4.0, width)
    assert "".join(text for text, _ in row) == shown
