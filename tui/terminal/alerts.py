"""What calls a person who looks elsewhere: the terminal's bell and its title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoker.engine.runs import events as e

if TYPE_CHECKING:
    from ..app.base import Shell

KEEP, RESTORE = "\x1b[22;0t", "\x1b[23;0t"  # the terminal's own title, on a stack that most terminals have
CALLS = {"completed": "completed", "early_stopping": "stopped early", "failed": "failed", "nan": "NaN"}


def call(event: e.Event) -> str | None:
    """Return what to call out about the event, or None; what a person asked for needs no call."""
    match event:
        case e.RunFinished(cause=cause) | e.Warned(kind=cause):
            return CALLS.get(cause)
    return None


def alert(app: Shell, words: str) -> None:
    """Ring, and let `words` be the title of the app and of its terminal."""
    app.title = words
    app.bell()
    if app._driver is not None and not app.is_headless:
        # Textual has no call for the terminal's title.
        keep, app.titled = "" if app.titled else KEEP, True
        app._driver.write(f"{keep}\x1b]2;{''.join(filter(str.isprintable, words))}\x07")
