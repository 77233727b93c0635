"""What every screen has: going back, help, themes, the command palette."""

from __future__ import annotations

from textual.app import App
from textual.binding import Binding

from .screens.help import Help

BASE = 2  # screens at the bottom of the stack: Textual's blank one and the first of ours


class Shell(App[None]):
    """An app of several screens; the first of ours is where back ends."""

    TITLE = "stoker"
    CSS_PATH = ["app.tcss", "screens.tcss"]
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS = [
        Binding("question_mark", "help", "Help", id="app.help", tooltip="This page", key_display="?"),
        Binding("escape", "back", "Back", id="app.back", tooltip="To the screen before", show=False),
        Binding("q", "back", "Back", id="app.return", tooltip="To the screen before"),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave; a run that trains here is saved first"),
        Binding("ctrl+c,ctrl+q", "quit", "Quit", id="app.interrupt", tooltip="Leave, from any screen", show=False),
    ]  # fmt: skip

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Name the greys that all panels use: of words and of lines."""
        return (
            {"label": "#8a8f98", "rail": "#3a3f47"}
            if self.current_theme.dark
            else {"label": "#5c636e", "rail": "#b4b9c0"}
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go back only where there is something to go back to."""
        return action != "back" or sum(not screen.is_modal for screen in self.screen_stack) > BASE

    async def action_back(self) -> None:
        """Go to the screen before."""
        self.pop_screen()

    def action_help(self) -> None:
        """Explain the keys of this screen."""
        self.push_screen(Help(self.screen))
