"""The help page: the keys of a screen in groups, and a text about the screen."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from ..terminal.textual_internals import bindings_of

# Title of each group, by the first word of a binding's id.
GROUPS = {
    "run": "the run",
    "list": "the list",
    "compare": "the comparison",
    "results": "the results",
    "view": "the view",
    "app": "everywhere",
}


class Help(ModalScreen[None]):
    """The help page for the screen below it."""

    BINDINGS = [
        Binding("escape,q,question_mark,ctrl+c", "dismiss(None)", "Close", id="help.close", tooltip="Close this page")
    ]

    def __init__(self, screen: Screen[Any]) -> None:
        """Explain `screen`."""
        super().__init__()
        self._title, self._about = screen.title or "", screen.HELP or ""
        self._groups: dict[str, dict[tuple[str, str], list[str]]] = {}
        own: dict[str, tuple[str, tuple[str, str]]] = {}
        for node in (screen, screen.app):
            for _, binding in bindings_of(node):
                if not binding.tooltip or binding.system:
                    continue
                group = GROUPS.get((binding.id or "app").partition(".")[0], GROUPS["view"])
                row = (binding.description, binding.tooltip)
                if node is screen:
                    own[binding.action] = (group, row)
                elif screen.app.check_action(binding.action, ()):
                    group, row = own.get(f"app.{binding.action}", (group, row))
                else:
                    # Skip actions of the app that do not apply here. A screen's own keys are all listed: they may apply later.
                    continue
                # Keys with the same action share a row.
                self._groups.setdefault(group, {}).setdefault(row, []).append(screen.app.get_key_display(binding))

    def compose(self) -> ComposeResult:
        """List the keys."""
        with VerticalScroll(id="help") as box:
            box.border_title = f"keys · {self._title}" if self._title else "keys"
            box.border_subtitle = "esc closes"
            wide = max((len(" ".join(keys)) for group in self._groups.values() for keys in group.values()), default=0)
            names = [description for group in self._groups.values() for description, _ in group]
            words = max(map(len, names), default=0) + 1
            for name, rows in sorted(self._groups.items(), key=lambda group: group[0] == GROUPS["app"]):
                if len(self._groups) > 1:
                    yield Static(name, classes="group", markup=False)
                yield Static(Content("\n").join(_row(keys, row, wide, words) for row, keys in rows.items()))
            yield Static(self._about, id="about", markup=False)


def _row(keys: list[str], row: tuple[str, str], wide: int, words: int) -> Content:
    description, about = row
    return Content.assemble(
        (f"{' '.join(keys):>{wide}} ", "bold $chosen"), (f" {description:<{words}} ", "bold"), about
    )
