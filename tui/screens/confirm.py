"""A question before something that cannot be taken back."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class Confirm(ModalScreen[bool]):
    """Asks; dismissed with True for yes."""

    BINDINGS = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape,q", "answer(False)", "No", id="confirm.no", tooltip="Leave all as it is"),
        Binding("ctrl+c", "interrupt", id="confirm.interrupt", tooltip="No; asked on leaving: yes", show=False),
        Binding("left,right", "app.focus_next", "Choose", id="confirm.choose", show=False),
    ]

    def __init__(self, question: str, *, yes: str, no: str, careful: bool = False, leaving: bool = False) -> None:
        """Ask `question`; `yes` and `no` are the words on the buttons; where `careful`, Enter means no.

        Who presses ctrl+c again when `leaving` is asked about wants to leave.
        """
        super().__init__()
        self._careful, self._leaving = careful, leaving
        self._question, self._yes, self._no = question, yes, no

    def compose(self) -> ComposeResult:
        """Show the question over two buttons."""
        with Vertical(id="question"):
            yield Static(self._question, markup=False)
            with Horizontal():
                yield Button(self._yes, id="yes", variant="warning", compact=True)
                yield Button(self._no, id="no", compact=True)

    def on_mount(self) -> None:
        """Let Enter be the answer that was on the key that asked, where that does no harm."""
        self.query_one("#no" if self._careful else "#yes", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")

    def action_interrupt(self) -> None:
        """Answer to ctrl+c."""
        self.dismiss(self._leaving)

    def action_answer(self, answer: bool) -> None:
        """Answer by a key."""
        self.dismiss(answer)
