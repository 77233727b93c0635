"""Styles without colour, for NO_COLOR: text that stood out by its background colour is shown in reverse video."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

MIN_DISTANCE = 40.0  # in RGB space (0 to 441): a background this far from its surroundings is shown in reverse


class NoColorFilter(LineFilter):
    """Keeps bold, dim, italic and underline. A background colour becomes reverse video or is dropped."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line without their colours."""
        return [
            Segment(text, style and _without_color(style, background.rgb), control) for text, style, control in segments
        ]


@lru_cache(4096)
def _without_color(style: Style, around: tuple[int, int, int]) -> Style:
    reverse = bool(style.reverse)
    if style.bgcolor is not None and style.bgcolor.triplet is not None:
        distance = sum((a - b) ** 2 for a, b in zip(style.bgcolor.triplet, around, strict=True)) ** 0.5
        reverse = reverse or distance > MIN_DISTANCE
    return Style(bold=style.bold, dim=style.dim, italic=style.italic, underline=style.underline, reverse=reverse)
