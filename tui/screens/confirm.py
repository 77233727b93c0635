"""A question before an action that cannot be undone."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class Confirm(ModalScreen[bool]):
    """Asks a yes-or-no question; dismissed with True for yes."""

    BINDINGS = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape,q", "answer(False)", "No", id="confirm.no", tooltip="Change nothing"),
        Binding(
            "ctrl+c",
            "interrupt",
            id="confirm.interrupt",
            tooltip="No; yes if the question is about leaving",
            show=False,
        ),
        Binding("left,right", "app.focus_next", "Choose", id="confirm.choose", show=False),
    ]

    def __init__(self, question: str, *, yes: str, no: str, careful: bool = False, leaving: bool = False) -> None:
        """Ask `question`, with `yes` and `no` as the words on the buttons.

        With `careful`, Enter means no. With `leaving`, a second ctrl+c means yes.
        """
        super().__init__()
        self._careful, self._leaving = careful, leaving
        self._question, self._yes, self._no = question, yes, no

    def compose(self) -> ComposeResult:
        """Show the question above two buttons."""
        with Vertical(id="question"):
            yield Static(self._question, markup=False)
            with Horizontal():
                yield Button(self._yes, id="yes", variant="warning", compact=True)
                yield Button(self._no, id="no", compact=True)

    def on_mount(self) -> None:
        """Let Enter confirm, unless the action is dangerous."""
        self.query_one("#no" if self._careful else "#yes", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer by a button."""
        self.dismiss(event.button.id == "yes")

    def action_interrupt(self) -> None:
        """Answer by ctrl+c."""
        self.dismiss(self._leaving)

    def action_answer(self, answer: bool) -> None:
        """Answer by a key."""
        self.dismiss(answer)
