"""Looks without any colour, as NO_COLOR asks: what stood out by its background is reversed."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

APART = 40.0  # how far a background is from the one around it to be seen


class Colourless(LineFilter):
    """Keeps bold, dim, italic and underline; a background becomes reverse or nothing."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line without their colours."""
        return [Segment(text, style and _plain(style, background.rgb), control) for text, style, control in segments]


@lru_cache(4096)
def _plain(style: Style, around: tuple[int, int, int]) -> Style:
    reverse = bool(style.reverse)
    if style.bgcolor is not None and style.bgcolor.triplet is not None:
        distance = sum((a - b) ** 2 for a, b in zip(style.bgcolor.triplet, around, strict=True)) ** 0.5
        reverse = reverse or distance > APART
    return Style(bold=style.bold, dim=style.dim, italic=style.italic, underline=style.underline, reverse=reverse)
