"""Questions for a number or for words: a learning rate, a new training limit, the plots to show."""

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

from stoker.engine.config.fields import MAX_COUNT
from stoker.engine.runs.extend import Limit

from ..formatting import plain
from ..widgets.ordered_input import OrderedInput

KEYS = "enter confirms · esc cancels"
N = TypeVar("N", int, float, str)


class AskNumber(ModalScreen[N | None], Generic[N]):
    """Asks for a number, or for words; dismissed with the answer, or with None."""

    BINDINGS = [Binding("escape,ctrl+c", "dismiss(None)", "Cancel", id="number.leave", tooltip="Change nothing")]

    def __init__(self, question: str, suggested: str, parse: Callable[[str], N | None], error: str) -> None:
        """Ask `question` with the `suggested` text; show `error` while `parse` returns None."""
        super().__init__()
        self._question, self._suggested, self._error = question, suggested, error
        self._parse: Callable[[str], N | None] = parse

    def compose(self) -> ComposeResult:
        """Show the question, one input, and a hint."""
        with Vertical(id="question"):
            yield Static(self._question, markup=False)
            valid = Function(lambda text: self._parse(text) is not None, self._error)
            yield OrderedInput(self._suggested, validators=[valid], compact=True, id="number")
            yield Static(KEYS, id="hint", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the error while the user types."""
        wrong = event.validation_result is not None and not event.validation_result.is_valid
        hint = self.query_one("#hint", Static)
        hint.set_class(wrong, "-wrong")
        hint.update(self._error if wrong else KEYS)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Dismiss with the number, if it is valid."""
        if (number := self._parse(event.value)) is not None:
            self.dismiss(number)


def ask_learning_rate(current: float | None) -> AskNumber[float]:
    """Return a question for a learning rate that suggests the current one."""
    question = "Learning rate of the first group. Other groups and the schedule are scaled with it."
    suggested = "" if current is None else plain(current)
    return AskNumber(question, suggested, parse_learning_rate, "Enter a number above 0, such as 3e-4.")


def ask_place(parse: Callable[[str], int | None]) -> AskNumber[int]:
    """Return a question for a step, an epoch or a time; `parse` returns the step."""
    question = "Go to a step (3550), an epoch (e4), or a time trained (12:30)."
    return AskNumber(question, "", parse, "Enter such as 3550, e4 or 12:30.")


def ask_words(current: str) -> AskNumber[str]:
    """Return a question for the words by which plots are chosen, which suggests the `current` ones."""
    return AskNumber("Only plots with these words in their names; empty shows all.", current, str.strip, "")


def ask_limit(limit: Limit, current: int) -> AskNumber[int]:
    """Return a question for a limit above the `current` one that suggests twice as much."""
    if limit == "epochs":
        question = f"Trained for {_plural(current, 'epoch')}. Continue until epoch:"
        error = f"Enter a whole number above {current:,}."
    else:
        evaluations = _plural(current, "evaluation")
        question = f"Stopped early after {evaluations} without improvement. New patience, counted from the best one:"
        error = f"Enter a number of evaluations above {current:,}."
    return AskNumber(question, str(2 * current), lambda text: parse_above(current, text), error)


def _plural(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' * (count > 1)}"


def parse_learning_rate(text: str) -> float | None:
    """Return the learning rate in `text`, or None unless it is finite and above 0."""
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if math.isfinite(rate) and rate > 0 else None


def parse_above(least: int, text: str) -> int | None:
    """Return the whole number in `text`, or None unless it is above `least`."""
    digits = text.replace(",", "").replace("_", "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(MAX_COUNT))):
        return None
    return int(digits) if least < int(digits) <= MAX_COUNT else None
