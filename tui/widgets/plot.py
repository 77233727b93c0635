"""A plot of curves that is drawn only when its layout changes."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color as TextualColor
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from stoker.engine.history.series import Series

from ..plotting.decorations import MARKERS, PLAIN, Decorations
from ..plotting.layout import PlotLayout, lay_out
from ..plotting.render import render
from ..plotting.spec import Color, PlotSpec
from ..state.charts import NamedSeries
from ..terminal.textual_internals import draw_in_next_frame
from .legend import legend
from .row_widget import Row, RowWidget

TIME_SHARE = 0.004  # largest share of time for drawing one plot; sending it to the screen costs as much again
COLORS = 6  # colours of curves in the theme
DIM = 0.62  # share of the background colour in curves behind the others


class PlotWidget(RowWidget):
    """Curves with a legend in the title; their colours are the component classes `curve--0` to `curve--5`."""

    COMPONENT_CLASSES = {f"curve--{number}" for number in range(COLORS)} | {
        *("curve--axis", "curve--bad", "curve--rule"),
        *(f"curve--{kind}" for kind in MARKERS),
    }

    class Pointed(Message):
        """The user clicked on the plot or turned the mouse wheel there."""

        def __init__(self, plot: PlotWidget, step: int, wheel: int) -> None:
            """Report the `step` under the mouse; `wheel` is -1 for up, 1 for down, 0 for a click."""
            super().__init__()
            self.plot, self.step, self.wheel = plot, step, wheel

    def __init__(self, title: str, *, id: str, first_color: int = 0) -> None:
        """Make an empty plot; its curves take the colours from `first_color` on."""
        super().__init__(id=id)
        self.title = title
        self.first_color = first_color
        self._layout: PlotLayout | None = None
        self._inputs: object = None
        self._request: object = None
        self._decorations = PLAIN
        self._shown_legend: Content | None = None
        self._next_draw = 0.0

    def show(
        self,
        curves: Sequence[NamedSeries],
        *,
        last_step: int,
        log: bool = False,
        empty: str = "",
        background: Sequence[tuple[int, Series]] = (),
        bands: Sequence[tuple[int, Series, Series]] = (),
        decorations: Decorations = PLAIN,
        points: bool = False,
    ) -> None:
        """Show the curves up to `last_step`, or the note `empty`. Called on every tick: returns early if all is drawn.

        `points` marks the points of curves that have few.
        """
        size = self.content_size
        if size.width <= 0 or size.height <= 0:
            return
        # New points wait while drawing would exceed its share of time. A change by the user is drawn at once.
        sources = tuple(id(curve) for _, curve in curves)
        looks = (size, log, self.title, decorations.caption, decorations.x_axis.unit, self.app.theme)
        request = (*looks, decorations.window, decorations.cursor, sources)
        if request == self._request and time.monotonic() < self._next_draw:
            return
        colors = [self._color(f"{(self.first_color + number) % COLORS}") for number in range(len(curves))]
        drawn = [(curve, self._dim(self._color(f"{number % COLORS}"))) for number, curve in background]
        drawn += [(curve, color) for (_, curve), color in zip(curves, colors, strict=True)]
        shades = [(low, high, self._dim(self._color(f"{number % COLORS}"))) for number, low, high in bands]
        names = tuple(name for name, _ in curves)
        axis = self._color("axis")
        edges = ((edge, color) for low, high, color in shades for edge in (low, high))
        versions = tuple((id(curve), curve.version, color) for curve, color in (*drawn, *edges))
        inputs = (size, request, empty, last_step, decorations, names, versions, axis)
        if inputs == self._inputs:
            return
        self._inputs, self._request, self._decorations = inputs, request, decorations
        began = time.thread_time()
        # All plots change in one frame: a frame in between would show one plot twice and another not at all.
        draw_in_next_frame(self)
        self._show_legend(curves, colors, size.width - 4)
        rule, dim = self._color("rule"), self._dim(self._color("best"))
        lines = ((decorations.warning_step, dim), (decorations.cursor, rule))
        spec = PlotSpec(
            size.width,
            size.height,
            tuple(drawn),
            axis,
            self._color("bad"),
            (0, last_step),
            log,
            empty,
            decorations.x_axis,
            decorations.window,
            tuple((step, MARKERS[kind], self._color(kind)) for step, kind in decorations.markers),
            self.app.no_color,
            points,
            len(background),
            bands=tuple(shades),
            vertical_lines=tuple((step, color) for step, color in lines if step is not None),
        )
        layout = lay_out(spec)
        if layout != self._layout:
            self._layout = layout
            self.update_rows(render(layout))
        # Drawing takes CPU time from the training, so draw an expensive plot less often.
        self._next_draw = time.monotonic() + (time.thread_time() - began) / TIME_SHARE

    def _show_legend(self, curves: Sequence[NamedSeries], colors: list[Color], width: int) -> None:
        decorations = self._decorations
        shown = {kind for _, kind in decorations.markers}
        markers = [(kind, marker, self._color(kind)) for kind, marker in MARKERS.items() if kind in shown]
        colored = list(zip(curves, colors, strict=True))
        words = legend(self.title, decorations.caption, colored, decorations.cursor, markers, width, self.app.no_color)
        # Contents with the same text compare equal, whatever their colours.
        if self._shown_legend is None or not words.is_same(self._shown_legend):
            self.border_title = self._shown_legend = words

    def step_at(self, column: int) -> int | None:
        """Return the step at a column of the widget, or None without curves."""
        if (layout := self._layout) is None or not layout.lines:
            return None
        low, high = layout.x_range
        share = (column - layout.margin - 1) / max(1, layout.width - layout.margin - 2)
        position = low + max(0.0, min(1.0, share)) * (high - low)
        return round(float(self._decorations.x_axis.steps(np.array(position))))

    def on_click(self, event: events.Click) -> None:
        """Post `Pointed`."""
        self._point(event, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Post `Pointed`."""
        self._point(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Post `Pointed`."""
        self._point(event, 1)

    def _point(self, event: events.MouseEvent, wheel: int) -> None:
        if (place := event.get_content_offset(self)) is not None and (step := self.step_at(place.x)) is not None:
            event.stop()
            self.post_message(self.Pointed(self, step, wheel))

    def strip_of(self, row: Row) -> Strip:
        """Return a row for Textual; a span's style is its colour."""
        base = self.rich_style
        segments = [Segment(text, base + Style.from_color(RichColor.from_rgb(*color))) for text, color in row]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _color(self, name: str) -> Color:
        return self.get_component_styles(f"curve--{name}").color.rgb

    def _dim(self, color: Color) -> Color:
        return TextualColor(*color).blend(self.background_colors[1], DIM).rgb
