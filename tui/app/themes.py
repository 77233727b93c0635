"""The looks to choose from: dark, light, and one of high contrast; and in every theme, colours that can be read."""

from __future__ import annotations

from textual.color import Color
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
WORDS, LINES = 4.5, 3.0  # the least contrast with what is behind, as WCAG asks
WHITE, BLACK = Color(255, 255, 255), Color(0, 0, 0)


def after(name: str) -> str:
    """Return the next of the three; the first after any other."""
    return NAMES[(NAMES.index(name) + 1) % len(NAMES)] if name in NAMES else NAMES[0]


def variables(theme: Theme) -> dict[str, str]:
    """Return the colours that our looks name: greys of words and of lines, words that mean something, and curves."""
    there = theme.to_color_system().generate()
    behind = [Color.parse(there[name]) for name in ("background", "surface")]
    words = {
        "good": there["success"],
        "caution": there["warning"],
        "bad": there["error"],
        "chosen": there["accent"],
        "notice": there["primary-lighten-2"],
    }
    curves = (there["primary-lighten-2"], there["accent"], there["success"], there["error"], "#a65eed", "#e619b2")
    greys = ("#8a8f98", "#3a3f47") if theme.dark else ("#5c636e", "#b4b9c0")
    return {
        **dict(zip(("label", "rail"), greys, strict=True)),
        **{name: readable(color, behind, WORDS) for name, color in words.items()},
        **{f"line-{number}": readable(color, behind, LINES) for number, color in enumerate(curves)},
    }


def readable(color: str, behind: list[Color], least: float) -> str:
    """Return the colour, or the nearest to it towards white or black that stands out enough."""
    start = Color.parse(color)
    if start.ansi is not None or any(one.ansi is not None for one in behind):
        # The terminal's own colours: what they look like is not known.
        return color
    end = WHITE if behind[0].brightness < 0.5 else BLACK
    shades = (start.blend(end, step / 20) for step in range(21))
    return next((one for one in shades if min(contrast(one, back) for back in behind) >= least), end).hex


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
