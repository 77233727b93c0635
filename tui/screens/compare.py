"""Several runs over each other: their curves, what was set differently, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.events import ScreenResume, ScreenSuspend
from textual.screen import Screen
from textual.widgets import Footer
from textual.worker import Worker, WorkerState

from stoker.engine.runs.folder import RunFolder

from ..state.charts import Named
from ..state.run_follower import Following
from ..widgets.compare_table import CompareTable
from ..widgets.plot import Curve
from ..widgets.screen_header import Title

LOOK = 2.0  # seconds between two looks at the runs
DRAW = 0.25  # seconds between two looks whether a plot has to be drawn
TRAIN_LOSS = ("train", "loss")


class Compare(Screen[None]):
    """One plot of all the runs, over a table of their differences."""

    TITLE = "compare"
    HELP = """\
One curve a run, in the colour that its name has in the table. Above the line in the table is what was set \
differently; what is the same in all of them is left out. Below it is what came of it, the best of a row in green."""
    AUTO_FOCUS = "#differences"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-tall")]
    BINDINGS = [
        Binding("m,tab", "turn(1)", "Metric", id="compare.next", tooltip="The next metric: loss, accuracy, …"),
        Binding("M,shift+tab", "turn(-1)", "Metric before", id="compare.before", tooltip="The one before", show=False),
        Binding("t", "split", "Train/test", id="compare.split", tooltip="Of the training or of the evaluation data"),
        Binding("l", "log_axis", "Log axis", id="compare.log_axis", tooltip="A logarithmic axis, or not"),
    ]  # fmt: skip

    def __init__(self, folders: Sequence[RunFolder]) -> None:
        """Compare the runs in `folders`."""
        super().__init__()
        self._runs = [Following(folder) for folder in folders]
        self._shown = TRAIN_LOSS
        self._log_axis = False
        self._looking = False
        self._known = False

    def compose(self) -> ComposeResult:
        """Put the plot over the table, or beside it."""
        yield Title(id="title")
        with Container(id="compared"):
            yield Curve("", id="curves")
            yield CompareTable(id="differences")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Start the clocks."""
        self._clocks = [self.set_interval(LOOK, self.look), self.set_interval(DRAW, self._draw)]

    def on_screen_suspend(self, event: ScreenSuspend) -> None:
        """Nobody sees the runs."""
        for clock in self._clocks:
            clock.pause()

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Look at once."""
        for clock in self._clocks:
            clock.resume()
        self.look()

    def look(self) -> None:
        """Read what is new in the runs, where that is not under way."""
        if not self._looking:
            self._looking = True
            self.run_worker(self._read, name="read", thread=True, exit_on_error=False)

    def _read(self) -> None:
        for run in self._runs:
            run.read()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The runs were read."""
        if event.state is WorkerState.ERROR:
            self.notify(str(event.worker.error), severity="error", markup=False)
        if event.state in (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED):
            self._looking, self._known = False, True
            self.query_one(CompareTable).show(self._runs)
            self._draw()

    def on_resize(self) -> None:
        """Put the table beside the plot where more than half is left, or below it."""
        self.call_after_refresh(self._arrange)

    def on_compare_table_built(self) -> None:
        """The table may be wider now."""
        self.call_after_refresh(self._arrange)

    def _arrange(self) -> None:
        table = self.query_one(CompareTable)
        self.set_class(table.virtual_size.width <= self.size.width * 0.45, "-beside")

    def _draw(self) -> None:
        # What the thread adds to must not be drawn meanwhile.
        if self._looking:
            return
        curves: list[Named] = [(run.folder.name, run.curve(*self._shown)) for run in self._runs]
        empty = f"no run has {' '.join(self._shown)}: m shows other metrics, t other data"
        empty = empty if self._known else "reading the runs…"
        reach = max((run.view.step for run in self._runs), default=0)
        self.query_one(Curve).show(curves, reach=reach, log=self._log_axis, empty=empty)
        names = [" ".join(name) for name in self._choices()]
        log = "log axis" if self._log_axis else ""
        chosen = " ".join(self._shown)
        self.query_one(Title).show("compare", f"{len(self._runs)} runs", [log, *names], chosen)

    def _choices(self) -> list[tuple[str, str]]:
        """Return what can be shown, a metric's splits one after the other."""
        found = [TRAIN_LOSS, *(key for run in self._runs for key in run.view.now.evaluated)]
        metrics = dict.fromkeys(metric for _, metric in found)
        return list(dict.fromkeys(key for metric in metrics for key in found if key[1] == metric))

    def action_turn(self, by: int) -> None:
        """Show the next metric, of the same data where it was measured there."""
        metrics = list(dict.fromkeys(metric for _, metric in self._choices()))
        split, metric = self._shown
        metric = metrics[(metrics.index(metric) + by) % len(metrics)]
        splits = self._splits(metric)
        self._shown = (split if split in splits else splits[0], metric)
        self._draw()

    def action_split(self) -> None:
        """Show the same metric of other data."""
        split, metric = self._shown
        splits = self._splits(metric)
        self._shown = (splits[(splits.index(split) + 1) % len(splits)], metric)
        self._draw()

    def action_log_axis(self) -> None:
        """Turn the axis."""
        self._log_axis = not self._log_axis
        self._draw()

    def _splits(self, metric: str) -> list[str]:
        return [split for split, name in self._choices() if name == metric]
