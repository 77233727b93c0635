"""Alerts for a user in another window: the bell and the title of the terminal."""

from __future__ import annotations

from .textual_internals import TerminalApp

# Most terminals keep a stack of titles: XTerm's window operations 22 and 23.
SAVE_TITLE, RESTORE_TITLE = "\x1b[22;0t", "\x1b[23;0t"


def alert(app: TerminalApp, text: str) -> None:
    """Ring the bell and set `text` as the title of the app and of its terminal."""
    app.title = text
    app.bell()
    save = "" if app.title_changed else SAVE_TITLE
    title = "".join(filter(str.isprintable, text))
    if app.write_sequence(f"{save}\x1b]2;{title}\x07"):
        app.title_changed = True
