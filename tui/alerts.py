"""What calls a person who looks elsewhere: the terminal's bell and its title."""

from __future__ import annotations

from textual.app import App

from ..engine import events as e

CALLS = {"completed": "completed", "early_stopping": "stopped early", "failed": "failed", "nan": "NaN"}


def call(event: e.Event) -> str | None:
    """Return what to call out about the event, or None; what a person asked for needs no call."""
    match event:
        case e.RunFinished(cause=cause) | e.Warned(kind=cause):
            return CALLS.get(cause)
    return None


def alert(app: App[None], words: str) -> None:
    """Ring, and let `words` be the title of the app and of its terminal."""
    app.title = words
    app.bell()
    if app._driver is not None and not app.is_headless:
        # Textual has no call for the terminal's title.
        app._driver.write(f"\x1b]2;{''.join(filter(str.isprintable, words))}\x07")
