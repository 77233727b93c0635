"""The looks to choose from: dark, light, and one of high contrast."""

from __future__ import annotations

from textual.theme import Theme

CONTRAST = Theme(
    name="high-contrast",
    primary="#4db8ff",
    secondary="#c9a0ff",
    accent="#ffd700",
    success="#4dff88",
    warning="#ffb000",
    error="#ff6b6b",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#202020",
    text_alpha=1.0,
    variables={"label": "#e0e0e0", "rail": "#909090"},
)
NAMES = ("textual-dark", "textual-light", CONTRAST.name)


def after(name: str) -> str:
    """Return the next of the three; the first after any other."""
    return NAMES[(NAMES.index(name) + 1) % len(NAMES)] if name in NAMES else NAMES[0]
