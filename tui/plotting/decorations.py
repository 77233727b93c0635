"""Everything around the curves of a plot: the scale, the caption, the markers, the cursor."""

from __future__ import annotations

from dataclasses import dataclass

from .x_axis import STEPS, XAxis

MARKERS = {"saved": "▴", "rate": "◆", "resumed": "↻", "best": "★"}
"""The characters on the x axis by kind; the later kind wins when two fall on one column."""


@dataclass(frozen=True)
class Decorations:
    """What a plot shows besides its curves; positions are steps."""

    x_axis: XAxis = STEPS
    window: tuple[int, int] | None = None
    """First and last step to show, or None for all."""
    caption: str = ""
    """Words after the title, in parentheses."""
    markers: tuple[tuple[int, str], ...] = ()
    """Step and kind of each marker on the x axis."""
    warning_step: int | None = None
    """The step of a dim vertical line: after it the model overfits."""
    cursor: int | None = None


PLAIN = Decorations()
