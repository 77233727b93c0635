"""The themes: dark, light, high contrast; and readable colours for every theme of Textual."""

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
TEXT_CONTRAST, LINE_CONTRAST = 4.5, 3.0  # minimum contrast with the background, by WCAG 2.1
WHITE, BLACK = Color(255, 255, 255), Color(0, 0, 0)


def next_theme(name: str) -> str:
    """Return the theme after `name` among the three; the first one after any other theme."""
    return NAMES[(NAMES.index(name) + 1) % len(NAMES)] if name in NAMES else NAMES[0]


def color_variables(theme: Theme) -> dict[str, str]:
    """Return the colours that the style sheets name: greys for labels and lines, colours for states and curves."""
    colors = theme.to_color_system().generate()
    backgrounds = [Color.parse(colors[name]) for name in ("background", "surface")]
    words = {
        "good": colors["success"],
        "caution": colors["warning"],
        "bad": colors["error"],
        "chosen": colors["accent"],
        "notice": colors["primary-lighten-2"],
    }
    curves = (colors["primary-lighten-2"], colors["accent"], colors["success"], colors["error"], "#a65eed", "#e619b2")
    greys = ("#8a8f98", "#3a3f47") if theme.dark else ("#5c636e", "#b4b9c0")
    return {
        **dict(zip(("label", "rail"), greys, strict=True)),
        **{name: readable(color, backgrounds, TEXT_CONTRAST) for name, color in words.items()},
        **{f"line-{number}": readable(color, backgrounds, LINE_CONTRAST) for number, color in enumerate(curves)},
    }


def readable(color: str, backgrounds: list[Color], least: float) -> str:
    """Return `color`, or the nearest mix with white or black that has the contrast `least` with all backgrounds."""
    start = Color.parse(color)
    if start.ansi is not None or any(one.ansi is not None for one in backgrounds):
        # An ANSI colour: the terminal decides how it looks.
        return color
    end = WHITE if backgrounds[0].brightness < 0.5 else BLACK
    shades = (start.blend(end, step / 20) for step in range(21))
    return next((one for one in shades if min(contrast(one, back) for back in backgrounds) >= least), end).hex


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two colours, 1 to 21, by WCAG 2.1."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
