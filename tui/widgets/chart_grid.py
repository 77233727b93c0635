"""The plots of a run: one large above small ones, or a grid of equal plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Container

from ..plotting.decorations import Decorations
from ..state.charts import Chart
from .plot import PlotWidget

SLOTS = 9  # plots on the screen at most
MIN_SIZE = 24, 6  # columns and rows of a small plot


class ChartGrid(Container):
    """A fixed number of plot widgets; every tick assigns the charts to them."""

    def compose(self) -> ComposeResult:
        """Make the large plot and the small ones."""
        self._slots = [
            PlotWidget("", id="large"),
            *(PlotWidget("", id=f"small-{number}") for number in range(1, SLOTS)),
        ]
        yield from self._slots

    def show(
        self,
        charts: Sequence[Chart],
        large: Decorations,
        small: Decorations,
        last_step: int,
        log_plots: set[str],
        grid: bool,
    ) -> None:
        """Show as many charts as fit; the first one is large, unless `grid` makes all equal."""
        across = max(1, min(4, self.size.width // MIN_SIZE[0]))
        if grid:
            columns = max(1, min(across, -(-len(charts) // max(1, self.size.height // MIN_SIZE[1])), 4))
            columns = max(columns, min(across, 2))
            fitting = columns * max(1, self.size.height // MIN_SIZE[1])
        else:
            columns = max(1, min(across, len(charts) - 1))
            fitting = 1 + columns
        self.set_class(grid, "-grid")
        for number in range(1, 5):
            self.set_class(columns == number, f"-across-{number}")
        charts = charts[: min(fitting, SLOTS)]
        for index, plot in enumerate(self._slots):
            plot.set_class(index >= len(charts), "-unused")
            # The last plot of a grid fills both columns instead of leaving a hole.
            plot.set_class(grid and columns == 2 and index == len(charts) - 1 and index % 2 == 0, "-both")
            if index >= len(charts) or not plot.display:
                continue
            chart = charts[index]
            plot.title, plot.first_color = chart.name, chart.first_color
            log = chart.name in log_plots
            plot.show(
                chart.curves,
                last_step=last_step,
                log=log,
                empty=chart.empty,
                background=chart.background,
                bands=chart.bands,
                points=chart.points,
                decorations=large if not index and not grid else replace(small, caption="log" * log),
            )
