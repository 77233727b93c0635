"""What the keys do, and what the panels show."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

ABOUT = """\
A run is a folder: the engine writes what it does there, and this screen only reads it. \
Closing the dashboard of a run that trains elsewhere changes nothing; a run that trains here is saved first.

× on the axis of a plot: a value that was not finite.   best: the value that early stopping watches."""


class Help(ModalScreen[None]):
    """The keys of the screen that asked."""

    BINDINGS = [Binding("escape,q,question_mark,ctrl+c", "dismiss(None)", "Close", id="help.close")]

    def __init__(self, bindings: Iterable[list[Binding]]) -> None:
        """Explain `bindings`."""
        super().__init__()
        self._explained = [binding for same_key in bindings for binding in same_key if binding.tooltip]

    def compose(self) -> ComposeResult:
        """List the keys."""
        with VerticalScroll(id="help") as box:
            box.border_title = "keys"
            box.border_subtitle = "esc closes"
            yield Static(Content("\n").join(map(self._row, self._explained)))
            yield Static(ABOUT, id="about", markup=False)

    def _row(self, binding: Binding) -> Content:
        key = self.app.get_key_display(binding)
        parts = (f"{key:>7} ", "bold $accent"), (f" {binding.description:<11}", "bold"), binding.tooltip
        return Content.assemble(*parts)
