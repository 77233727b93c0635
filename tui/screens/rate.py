"""A question for a learning rate."""

from __future__ import annotations

import math

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.validation import Function
from textual.widgets import Input, Static

from ..format import plain

WRONG = "a learning rate is a number above 0, such as 3e-4"


class AskRate(ModalScreen[float | None]):
    """Asks for a learning rate; dismissed with it, or with None."""

    BINDINGS = [Binding("escape,ctrl+c", "dismiss(None)", "Leave it", id="rate.leave", tooltip="Change nothing")]

    def __init__(self, now: float | None) -> None:
        """Offer the rate `now` to be changed."""
        super().__init__()
        self._now = now

    def compose(self) -> ComposeResult:
        """Show one field, and what is wrong with what stands in it."""
        with Vertical(id="question"):
            yield Static("Learning rate of the first group; other groups and the schedule keep their proportion to it.")
            yield Input(
                "" if self._now is None else plain(self._now),
                validators=[Function(lambda text: rate_of(text) is not None, WRONG)],
                compact=True,
                id="number",
            )
            yield Static("enter sets it · esc leaves it", id="hint", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is wrong while it is typed."""
        wrong = event.validation_result is not None and not event.validation_result.is_valid
        hint = self.query_one("#hint", Static)
        hint.set_class(wrong, "-wrong")
        hint.update(WRONG if wrong else "enter sets it · esc leaves it")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, where it is a rate."""
        if (rate := rate_of(event.value)) is not None:
            self.dismiss(rate)


def rate_of(text: str) -> float | None:
    """Return the learning rate that `text` says, or None."""
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if math.isfinite(rate) and rate > 0 else None
