"""The plots of a run: one large and the others small, or all alike in a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Container

from ..state.charts import Chart
from .plot import Curve, Frame

SLOTS = 9
ROOM = 24, 6  # columns and rows that a small plot needs


class Charts(Container):
    """A fixed number of plots; which chart stands in which is decided on every tick."""

    def compose(self) -> ComposeResult:
        """Make the large one and the small ones."""
        self._slots = [Curve("", id="large"), *(Curve("", id=f"small-{number}") for number in range(1, SLOTS))]
        yield from self._slots

    def show(self, charts: Sequence[Chart], large: Frame, small: Frame, reach: int, logs: set[str], grid: bool) -> None:
        """Show as many charts as there is room for, the first of them large unless they form a `grid`."""
        across = max(1, min(4, self.size.width // ROOM[0]))
        if grid:
            columns = max(1, min(across, -(-len(charts) // max(1, self.size.height // ROOM[1])), 4))
            columns = max(columns, min(across, 2))
            fitting = columns * max(1, self.size.height // ROOM[1])
        else:
            columns = max(1, min(across, len(charts) - 1))
            fitting = 1 + columns
        self.set_class(grid, "-grid")
        for number in range(1, 5):
            self.set_class(columns == number, f"-across-{number}")
        charts = charts[: min(fitting, SLOTS)]
        for place, curve in enumerate(self._slots):
            curve.set_class(place >= len(charts), "-unused")
            # No hole at the end of a grid.
            curve.set_class(grid and columns == 2 and place == len(charts) - 1 and place % 2 == 0, "-both")
            if place >= len(charts) or not curve.display:
                continue
            chart = charts[place]
            curve.title, curve.first_color = chart.name, chart.first_color
            frame = large if not place and not grid else replace(small, words="log" * (chart.name in logs))
            curve.show(
                chart.curves,
                reach=reach,
                log=chart.name in logs,
                empty=chart.empty,
                behind=chart.behind,
                bands=chart.bands,
                frame=frame,
            )
