"""The top line of a screen: its name, its subject, and facts."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from ..state.styled_text import StyledRow
from .panel import justify

SUBJECT_WIDTH = 16  # columns of the subject that facts leave free


class ScreenHeader(Static):
    """One line, like the dashboard's status bar."""

    def __init__(self, *, id: str) -> None:
        """Make an empty line."""
        super().__init__(id=id)
        self._shown: tuple[str, str, list[str], str] = ("", "", [], "")

    def show(self, name: str, subject: str, facts: Iterable[str] = (), chosen: str = "") -> None:
        """Show the `name`, the `subject`, and the `facts` at the right with the `chosen` one highlighted."""
        self._shown = name, subject, [fact for fact in facts if fact], chosen
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._draw()

    def _draw(self) -> None:
        name, subject, facts, chosen = self._shown
        left: StyledRow = [(f" {name} ", "bold $text on $primary"), (f" {subject} ", "bold")]
        # Without room drop facts, the chosen one last; the name always stays.
        room = self.size.width - cell_len(name) - min(cell_len(subject), SUBJECT_WIDTH) - 6
        while len(facts) > 1 and len(" · ".join(facts)) > room:
            facts = facts[:-1] if facts[-1] != chosen else facts[1:]
        facts = facts if cell_len(name) + 4 + sum(map(cell_len, facts)) <= self.size.width else []
        right: StyledRow = []
        for fact in facts:
            right += [(" · " if right else " ", "$label"), (fact, "bold $chosen" if fact == chosen else "$label")]
        if name:
            self.update(Content.assemble(*justify(left, [*right, (" ", "")], self.size.width)), layout=False)
