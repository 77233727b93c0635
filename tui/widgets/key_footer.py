"""The footer with the keys of a screen."""

from __future__ import annotations

from textual.screen import Screen
from textual.widgets import Footer


class KeyFooter(Footer):
    """A footer that follows the keys also while the window does not have the focus, unlike Textual's own."""

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Show the keys that are possible now."""
        super().bindings_changed(screen)
        if not screen.app.app_focus and self.is_attached and screen is self.screen:
            self.call_after_refresh(self.recompose)
