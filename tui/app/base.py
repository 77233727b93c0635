"""The base of the app, with the features that all screens share: back, help, themes, the command palette."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.filter import LineFilter, Monochrome
from textual.theme import Theme

from ..screens.help import Help
from ..terminal.charset import Charset, CharsetFilter
from ..terminal.no_color import NoColorFilter
from ..terminal.textual_internals import TerminalApp
from . import themes
from .preferences import PreferencesFile

BOTTOM_SCREENS = 2  # at the bottom of the stack: Textual's blank screen and our first one


class BaseApp(TerminalApp):
    """An app of several screens; the first one cannot be left with Back."""

    TITLE = "stoker"
    CSS_PATH = ["../styles/dashboard.tcss", "../styles/screens.tcss"]
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS = [
        Binding("question_mark", "help", "Help", id="app.help", tooltip="Show this page", key_display="?"),
        Binding("T", "next_theme", "Theme", id="app.theme", tooltip="Next theme: dark, light, high contrast", show=False),
        Binding("escape", "back", "Back", id="app.back", tooltip="Return to the previous screen", show=False),
        Binding("q", "back", "Back", id="app.return", tooltip="Return to the previous screen"),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Quit; a run that trains here is saved first"),
        Binding("ctrl+c,ctrl+q", "quit", "Quit", id="app.interrupt", tooltip="Quit from any screen", show=False),
    ]  # fmt: skip

    def __init__(self, *, charset: Charset = "all", preferences: PreferencesFile | None = None) -> None:
        """Show only characters of `charset`. Read and write the user's choices in `preferences`, if given."""
        super().__init__()
        self.register_theme(themes.CONTRAST)
        self.preferences = preferences
        self._charset_filters = [] if charset == "all" else [CharsetFilter(charset)]
        if preferences is not None and preferences.current.theme in self.available_themes:
            self.theme = preferences.current.theme

    def on_mount(self) -> None:
        """Apply theme changes, and redraw the whole screen after a suspend."""
        self.theme_changed_signal.subscribe(self, self._save_theme)
        self.app_resume_signal.subscribe(self, lambda _: self.screen_diff.forget())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Remove all colours under NO_COLOR, where Textual keeps greys, and replace characters by the charset."""
        filters = [NoColorFilter() if isinstance(one, Monochrome) else one for one in super().get_line_filters()]
        return [*filters, *self._charset_filters]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours that the style sheets use, by the current theme."""
        return themes.color_variables(self.current_theme)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable Back on the first screen."""
        return action != "back" or sum(not screen.is_modal for screen in self.screen_stack) > BOTTOM_SCREENS

    async def action_back(self) -> None:
        """Return to the previous screen."""
        self.pop_screen()

    def action_next_theme(self) -> None:
        """Switch to the next theme."""
        self.theme = themes.next_theme(self.theme)
        self.notify(f"theme {self.theme}", timeout=2)

    def _save_theme(self, theme: Theme) -> None:
        if self.preferences is not None and self.preferences.current.theme != theme.name:
            self.preferences.current.theme = theme.name
            # In a thread, because the configuration folder may be on a slow disk.
            self.run_worker(self.preferences.write, name="preferences", thread=True, exit_on_error=False)

    def action_help(self) -> None:
        """Show the keys of this screen."""
        self.push_screen(Help(self.screen))
