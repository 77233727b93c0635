"""The description of a plot: the input of `lay_out`."""

from __future__ import annotations

from dataclasses import dataclass

from stoker.engine.history.series import Series

from .x_axis import STEPS, XAxis

Color = tuple[int, int, int]
"""Red, green and blue, from 0 to 255."""


@dataclass(frozen=True)
class PlotSpec:
    """A plot on `width` × `height` characters; all positions are steps."""

    width: int
    height: int
    curves: tuple[tuple[Series, Color], ...]
    """Curves with their colours; the first `background` of them are hidden behind the others."""
    axis: Color
    bad: Color
    """Colour of the marks where a value is not finite."""
    x_range: tuple[int, int] = (0, 0)
    """First and last step that the axis covers at least, so that several plots agree."""
    log: bool = False
    empty: str = "No points yet."
    """The note of a plot without points."""
    x_axis: XAxis = STEPS
    window: tuple[int, int] | None = None
    """First and last step to show, or None for the whole run."""
    markers: tuple[tuple[int, str, Color], ...] = ()
    """Step, character and colour of the markers on the x axis."""
    dashed: bool = False
    """Tell the curves apart by dashes, for terminals without colours."""
    points: bool = False
    """Mark the points of curves with few points."""
    background: int = 0
    bands: tuple[tuple[Series, Series, Color], ...] = ()
    """Lower edge, upper edge and colour of the bands behind all curves."""
    vertical_lines: tuple[tuple[int, Color], ...] = ()
    """Step and colour of the vertical lines behind the curves."""
