"""The top line of a screen: its name, what it shows, and counts."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from .panel import Part, spread

SUBJECT = 16  # columns of what is shown that no fact takes


class Title(Static):
    """One line, like the dashboard's line of state."""

    def __init__(self, *, id: str) -> None:
        """Make an empty line."""
        super().__init__(id=id)
        self._shown: tuple[str, str, list[str], str] = ("", "", [], "")

    def show(self, name: str, subject: str, facts: Iterable[str] = (), chosen: str = "") -> None:
        """Show the screen's `name`, its `subject`, and `facts` at the right, the one that is `chosen` to be seen."""
        self._shown = name, subject, [fact for fact in facts if fact], chosen
        self._draw()

    def on_resize(self) -> None:
        """Spread it over the new width."""
        self._draw()

    def _draw(self) -> None:
        name, subject, facts, chosen = self._shown
        left: list[Part] = [(f" {name} ", "bold $text on $primary"), (f" {subject} ", "bold")]
        # The screen keeps its name; of the facts the one that is chosen stays longest.
        room = self.size.width - cell_len(name) - min(cell_len(subject), SUBJECT) - 6
        while len(facts) > 1 and len(" · ".join(facts)) > room:
            facts = facts[:-1] if facts[-1] != chosen else facts[1:]
        facts = facts if cell_len(name) + 4 + sum(map(cell_len, facts)) <= self.size.width else []
        right: list[Part] = []
        for fact in facts:
            right += [(" · " if right else " ", "$label"), (fact, "bold $chosen" if fact == chosen else "$label")]
        if name:
            self.update(Content.assemble(*spread(left, [*right, (" ", "")], self.size.width)), layout=False)
