"""What every screen has: going back, help, themes, the command palette."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import Binding
from textual.filter import LineFilter, Monochrome
from textual.screen import Screen
from textual.theme import Theme

from ..screens.help import Help
from ..terminal.charset import Characters, Replaced
from ..terminal.diff import Sent
from ..terminal.no_color import Colourless
from . import themes
from .preferences import Remembered

BASE = 2  # screens at the bottom of the stack: Textual's blank one and the first of ours


class Shell(App[None]):
    """An app of several screens; the first of ours is where back ends."""

    TITLE = "stoker"
    CSS_PATH = ["../styles/dashboard.tcss", "../styles/screens.tcss"]
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS = [
        Binding("question_mark", "help", "Help", id="app.help", tooltip="This page", key_display="?"),
        Binding("T", "next_theme", "Theme", id="app.theme", tooltip="Dark, light, high contrast", show=False),
        Binding("escape", "back", "Back", id="app.back", tooltip="To the screen before", show=False),
        Binding("q", "back", "Back", id="app.return", tooltip="To the screen before"),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave; a run that trains here is saved first"),
        Binding("ctrl+c,ctrl+q", "quit", "Quit", id="app.interrupt", tooltip="Leave, from any screen", show=False),
    ]  # fmt: skip

    def __init__(self, *, characters: Characters = "all", remembered: Remembered | None = None) -> None:
        """Show only `characters`; what a person chooses is `remembered`, where that is given."""
        super().__init__()
        self.register_theme(themes.CONTRAST)
        self._sent = Sent()
        self.titled = False
        """Whether the terminal has a title of ours; its own waits to be restored."""
        self._remembered = remembered
        self._replaced = [] if characters == "all" else [Replaced(characters)]
        if remembered is not None and remembered.choices.theme in self.available_themes:
            self.theme = remembered.choices.theme

    def on_mount(self) -> None:
        """Notice what is chosen."""
        self.theme_changed_signal.subscribe(self, self._remember)
        self.app_resume_signal.subscribe(self, lambda _: self._sent.forget())

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable = self._sent.difference(renderable, self.size)
        super()._display(screen, renderable)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Take every colour away under NO_COLOR, where Textual leaves greys."""
        filters = [Colourless() if isinstance(one, Monochrome) else one for one in super().get_line_filters()]
        return [*filters, *self._replaced]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Name the colours that all panels use."""
        return themes.variables(self.current_theme)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go back only where there is something to go back to."""
        return action != "back" or sum(not screen.is_modal for screen in self.screen_stack) > BASE

    async def action_back(self) -> None:
        """Go to the screen before."""
        self.pop_screen()

    def action_next_theme(self) -> None:
        """Turn to the next look."""
        self.theme = themes.after(self.theme)
        self.notify(f"theme {self.theme}", timeout=2)

    def _remember(self, theme: Theme) -> None:
        if self._remembered is not None and self._remembered.choices.theme != theme.name:
            self._remembered.choices.theme = theme.name
            # The folder of settings may be on a slow disk.
            self.run_worker(self._remembered.write, name="remember", thread=True, exit_on_error=False)

    def action_help(self) -> None:
        """Explain the keys of this screen."""
        self.push_screen(Help(self.screen))
