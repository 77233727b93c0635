"""A question for a number: a learning rate, or how much longer a run shall train."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.validation import Function
from textual.widgets import Input, Static

from stoker.engine.config.settings import MOST
from stoker.engine.runs.extend import Limit

from ..formatting import plain
from ..widgets.ordered_input import Field

KEYS = "enter sets it · esc leaves it"
N = TypeVar("N", int, float)


class AskNumber(ModalScreen[N | None], Generic[N]):
    """Asks for a number; dismissed with it, or with None."""

    BINDINGS = [Binding("escape,ctrl+c", "dismiss(None)", "Leave it", id="number.leave", tooltip="Change nothing")]

    def __init__(self, question: str, offered: str, read: Callable[[str], N | None], wrong: str) -> None:
        """Ask `question` with `offered` to be changed; what `read` cannot make a number of is `wrong`."""
        super().__init__()
        self._question, self._offered, self._wrong = question, offered, wrong
        self._read: Callable[[str], N | None] = read

    def compose(self) -> ComposeResult:
        """Show one field, and what is wrong with what stands in it."""
        with Vertical(id="question"):
            yield Static(self._question, markup=False)
            valid = Function(lambda text: self._read(text) is not None, self._wrong)
            yield Field(self._offered, validators=[valid], compact=True, id="number")
            yield Static(KEYS, id="hint", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is wrong while it is typed."""
        wrong = event.validation_result is not None and not event.validation_result.is_valid
        hint = self.query_one("#hint", Static)
        hint.set_class(wrong, "-wrong")
        hint.update(self._wrong if wrong else KEYS)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, where it is a number."""
        if (number := self._read(event.value)) is not None:
            self.dismiss(number)


def ask_rate(now: float | None) -> AskNumber[float]:
    """Ask for a learning rate, offering the one that is."""
    question = "Learning rate of the first group; other groups and the schedule keep their proportion to it."
    offered = "" if now is None else plain(now)
    return AskNumber(question, offered, rate_of, "a learning rate is a number above 0, such as 3e-4")


def ask_more(limit: Limit, now: int) -> AskNumber[int]:
    """Ask how much longer to train than `now` allowed, offering twice as much."""
    if limit == "epochs":
        question, wrong = f"Trained for {_several(now, 'epoch')}. Go on until epoch:", f"a whole number above {now:,}"
    else:
        question = (
            f"Stopped early: {_several(now, 'evaluation')} brought nothing better. Wait, from the best one on, for:"
        )
        wrong = f"a number of evaluations above {now:,}"
    return AskNumber(question, str(2 * now), lambda text: whole_above(now, text), wrong)


def _several(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' * (count > 1)}"


def rate_of(text: str) -> float | None:
    """Return the learning rate that `text` says, or None."""
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if math.isfinite(rate) and rate > 0 else None


def whole_above(least: int, text: str) -> int | None:
    """Return the whole number above `least` that `text` says, or None."""
    digits = text.replace(",", "").replace("_", "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(MOST))):
        return None
    return int(digits) if least < int(digits) <= MOST else None
