"""Going to a step, and the line of values there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.tui.state.reading import step_of, values_line
from stoker.tui.state.run_view import RunView
from tests.support.recorded import PER_EPOCH, loss, run


def view_of(last: int = 330) -> RunView:
    view = RunView()
    for event in run(last):
        view.apply(event)
    return view


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("120", 120),
        (" 1,20 ", 120),
        ("99999", 330),
        ("-5", 0),
        ("e2", 2 * PER_EPOCH),
        ("epoch 0.5", 22),
        ("E 3", 3 * PER_EPOCH),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("half", None),
        ("e", None),
    ],
)
def test_a_person_names_a_step(text: str, step: int | None) -> None:
    """A step or an epoch, within the run."""
    assert step_of(text, view_of(), None) == step


def test_a_time_is_a_step() -> None:
    """Seconds trained."""
    view = view_of()
    half = step_of("0:02", view, None)
    assert half is not None and 60 < half < 180 and step_of("9:00:00", view, None) == 330


@given(st.text(max_size=12))
def test_any_text_is_a_step_or_none(text: str) -> None:
    """No input raises."""
    step = step_of(text, view_of(20), None)
    assert step is None or 0 <= step <= 20


def test_the_line_holds_every_value_at_the_step() -> None:
    """As the cursor shows them, for a chat or a table."""
    line = values_line(view_of(), None, 120)
    assert line.startswith(f"step 120  train loss {loss(120):#.4g}") and "test loss 0." in line
    assert "accuracy 0." in line and line.endswith("learning rate 0.01")
