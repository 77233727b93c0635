"""A plot of curves, drawn only when its picture would change."""

from __future__ import annotations

import time

from rich.text import Text
from textual.content import Content
from textual.widgets import Static

from ..plot import Color, Picture, Plot, draw, picture
from ..series import Dense, Sparse

SHARE = 0.015  # of the time at most goes into drawing one plot; showing it costs as much again
LEAST_WAIT = 0.25  # seconds between two draws
COLORS = 6

Named = tuple[str, Dense | Sparse]


class Curve(Static):
    """Curves with a legend in the title; the colours are the component classes `curve--0` and on."""

    COMPONENT_CLASSES = {f"curve--{number}" for number in range(COLORS)} | {"curve--axis", "curve--bad"}

    def __init__(self, title: str, *, id: str, first_color: int = 0) -> None:
        """Make an empty plot; its curves take the colours from `first_color` on."""
        super().__init__(id=id)
        self._title = title
        self._first = first_color
        self._picture: Picture | None = None
        self._wanted: object = None
        self._shown_legend: Content | None = None
        self._next = 0.0

    def show(self, curves: list[Named], *, reach: int, log: bool = False, empty: str = "") -> None:
        """Show the curves up to step `reach`, or the words `empty`; called on every tick, so it looks what is new."""
        size = self.content_size
        if size.width <= 0 or size.height <= 0 or time.monotonic() < self._next:
            return
        colors = [self._color(f"curve--{(self._first + number) % COLORS}") for number in range(len(curves))]
        colors.append(self._color("curve--axis"))
        wanted = (
            size,
            log,
            empty,
            reach,
            tuple((name, id(curve), curve.version) for name, curve in curves),
            tuple(colors),
        )
        if wanted == self._wanted:
            return
        self._wanted = wanted
        began = time.thread_time()
        legend = self._legend([name for name, _ in curves], colors, log)
        if legend != self._shown_legend:
            self.border_title = self._shown_legend = legend
        plot = Plot(
            size.width,
            size.height,
            tuple((curve, color) for (_, curve), color in zip(curves, colors, strict=False)),
            colors[-1],
            self._color("curve--bad"),
            (0, reach),
            log,
            empty,
        )
        image = picture(plot)
        if image != self._picture:
            self._picture = image
            self.update(Text.from_ansi(draw(image), no_wrap=True), layout=False)
        # What a draw costs is the training's time too: draw as seldom as it is dear.
        self._next = time.monotonic() + max(LEAST_WAIT, (time.thread_time() - began) / SHARE)

    def _color(self, name: str) -> Color:
        return self.get_component_styles(name).color.rgb

    def _legend(self, names: list[str], colors: list[Color], log: bool) -> Content:
        parts: list[tuple[str, str]] = [(self._title + (" (log)" if log else ""), "")]
        for name, (red, green, blue) in zip(names, colors, strict=False):
            if name:
                parts += [("  ━ ", f"rgb({red},{green},{blue})"), (name, "$label")]
        return Content.assemble(*parts)
