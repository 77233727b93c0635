"""The top line of a screen: its name, what it shows, and counts."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.widgets import Static

from .panel import Part, spread


class Title(Static):
    """One line, like the dashboard's line of state."""

    def __init__(self, *, id: str) -> None:
        """Make an empty line."""
        super().__init__(id=id)
        self._shown: tuple[list[Part], list[Part]] = ([], [])

    def show(self, name: str, subject: str, facts: Iterable[str] = (), chosen: str = "") -> None:
        """Show the screen's `name`, its `subject`, and `facts` at the right, the one that is `chosen` to be seen."""
        right: list[Part] = []
        for fact in filter(None, facts):
            right += [(" · " if right else " ", "$label"), (fact, "bold $chosen" if fact == chosen else "$label")]
        self._shown = [(f" {name} ", "bold $text on $primary"), (f" {subject} ", "bold")], [*right, (" ", "")]
        self._draw()

    def on_resize(self) -> None:
        """Spread it over the new width."""
        self._draw()

    def _draw(self) -> None:
        if self._shown[0]:
            self.update(Content.assemble(*spread(*self._shown, self.size.width)), layout=False)
