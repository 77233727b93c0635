"""A plot of curves, drawn only when its picture would change."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color as Shade
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from stoker.engine.history.series import Dense, Sparse

from ..plotting.layout import Color, Picture, Plot, picture
from ..plotting.render import paint
from ..plotting.x_axis import STEPS, Axis
from ..state.charts import SIGNS, Named
from .legend import legend
from .row_widget import Row, Rows

SHARE = 0.004  # of the time at most goes into drawing one plot; showing it costs as much again
COLORS = 6
DIM = 0.62  # of the background in what lies behind


@dataclass(frozen=True)
class Frame:
    """What is around the curves; `words` stand in the title, `signs` on the axis, `warned` is an upright line."""

    scale: Axis = STEPS
    window: tuple[int, int] | None = None
    words: str = ""
    signs: tuple[tuple[int, str], ...] = ()
    warned: int | None = None
    cursor: int | None = None


PLAIN = Frame()


class Curve(Rows):
    """Curves with a legend in the title; the colours are the component classes `curve--0` and on."""

    COMPONENT_CLASSES = {f"curve--{number}" for number in range(COLORS)} | {
        *("curve--axis", "curve--bad", "curve--rule"),
        *(f"curve--{sign}" for sign in SIGNS),
    }

    class Pointed(Message):
        """A person clicked on the curve, or turned the wheel there: `turned` is -1 up, 1 down, 0 for a click."""

        def __init__(self, curve: Curve, step: int, turned: int) -> None:
            """Say at which `step`."""
            super().__init__()
            self.curve, self.step, self.turned = curve, step, turned

    def __init__(self, title: str, *, id: str, first_color: int = 0) -> None:
        """Make an empty plot; its curves take the colours from `first_color` on."""
        super().__init__(id=id)
        self.title = title
        self.first_color = first_color
        self._picture: Picture | None = None
        self._wanted: object = None
        self._asked: object = None
        self._frame = PLAIN
        self._shown_legend: Content | None = None
        self._next = 0.0

    def show(
        self,
        curves: Sequence[Named],
        *,
        reach: int,
        log: bool = False,
        empty: str = "",
        behind: Sequence[tuple[int, Dense | Sparse]] = (),
        bands: Sequence[tuple[int, Dense | Sparse, Dense | Sparse]] = (),
        frame: Frame = PLAIN,
    ) -> None:
        """Show the curves up to step `reach`, or the words `empty`; called on every tick, so it looks what is new."""
        size = self.content_size
        if size.width <= 0 or size.height <= 0:
            return
        # A draw as dear as its time was may wait, but not one that a person asked for.
        which = tuple(id(curve) for _, curve in curves)
        looks = (size, log, self.title, frame.words, frame.scale.kind, self.app.theme)
        asked = (*looks, frame.window, frame.cursor, which)
        if asked == self._asked and time.monotonic() < self._next:
            return
        colors = [self._color(f"{(self.first_color + number) % COLORS}") for number in range(len(curves))]
        drawn = [(curve, self._dim(self._color(f"{number % COLORS}"))) for number, curve in behind]
        drawn += [(curve, color) for (_, curve), color in zip(curves, colors, strict=True)]
        shades = [(low, high, self._dim(self._color(f"{number % COLORS}"))) for number, low, high in bands]
        names = tuple(name for name, _ in curves)
        axis = self._color("axis")
        edges = ((edge, color) for low, high, color in shades for edge in (low, high))
        versions = tuple((id(curve), curve.version, color) for curve, color in (*drawn, *edges))
        wanted = (size, asked, empty, reach, frame, names, versions, axis)
        if wanted == self._wanted:
            return
        self._wanted, self._asked, self._frame = wanted, asked, frame
        began = time.thread_time()
        signs = [(kind, SIGNS[kind], self._color(kind)) for kind in SIGNS if any(kind == own for _, own in frame.signs)]
        kinds = {kind: (sign, color) for kind, sign, color in signs}
        title = f"{self.title} ({frame.words})" if frame.words else self.title
        words = legend(
            title, list(zip(curves, colors, strict=True)), frame.cursor, signs, size.width - 4, self.app.no_color
        )
        if words != self._shown_legend:
            self.border_title = self._shown_legend = words
        rule, dim = self._color("rule"), self._dim(self._color("best"))
        plot = Plot(
            size.width,
            size.height,
            tuple(drawn),
            axis,
            self._color("bad"),
            (0, reach),
            log,
            empty,
            frame.scale,
            frame.window,
            tuple((step, *kinds[kind]) for step, kind in frame.signs),
            self.app.no_color,
            len(behind),
            bands=tuple(shades),
            rules=tuple(
                (step, color) for step, color in ((frame.warned, dim), (frame.cursor, rule)) if step is not None
            ),
        )
        image = picture(plot)
        if image != self._picture:
            self._picture = image
            self.paint(paint(image))
        # What a draw costs is the training's time too: draw as seldom as it is dear.
        self._next = time.monotonic() + (time.thread_time() - began) / SHARE

    def step_at(self, column: int) -> int | None:
        """Return the step at a column of the plot."""
        if (image := self._picture) is None or not image.lines:
            return None
        low, high = image.reach
        share = (column - image.margin - 1) / max(1, image.width - image.margin - 2)
        place = low + max(0.0, min(1.0, share)) * (high - low)
        return round(float(self._frame.scale.steps(np.array(place))))

    def on_click(self, event: events.Click) -> None:
        """Say where."""
        self._point(event, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Say where."""
        self._point(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Say where."""
        self._point(event, 1)

    def _point(self, event: events.MouseEvent, turned: int) -> None:
        if (place := event.get_content_offset(self)) is not None and (step := self.step_at(place.x)) is not None:
            event.stop()
            self.post_message(self.Pointed(self, step, turned))

    def strip_of(self, row: Row) -> Strip:
        """Return a row; the look of a run is its colour."""
        base = self.rich_style
        segments = [Segment(text, base + Style.from_color(RichColor.from_rgb(*color))) for text, color in row]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _color(self, name: str) -> Color:
        return self.get_component_styles(f"curve--{name}").color.rgb

    def _dim(self, color: Color) -> Color:
        return Shade(*color).blend(self.background_colors[1], DIM).rgb
