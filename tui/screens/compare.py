"""Several runs side by side: their curves, the settings that differ, and the results."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.events import ScreenResume, ScreenSuspend
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from stoker.engine.runs.folder import RunFolder

from ..plotting.curve_cache import CurveCache
from ..state.charts import NamedSeries
from ..state.run_follower import RunFollower
from ..state.viewport import auto_width
from ..widgets.compare_table import CompareTable
from ..widgets.key_footer import KeyFooter
from ..widgets.plot import PlotWidget
from ..widgets.screen_header import ScreenHeader

POLL_INTERVAL = 2.0  # seconds between two reads of the runs
DRAW_INTERVAL = 0.25  # seconds between two checks whether the plot must be drawn
TRAIN_LOSS = ("train", "loss")


class Compare(Screen[None]):
    """One plot of all runs, and a table of their differences."""

    TITLE = "compare"
    HELP = """\
One curve for each run, in the colour of its name in the table, at first of the monitored metric; a training loss is a \
running mean. Above the line the table shows the settings that \
differ. Below it are the results, the best of each row in green."""
    AUTO_FOCUS = "#differences"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-tall")]
    BINDINGS = [
        Binding("m,tab", "turn(1)", "Metric", id="compare.next", tooltip="The next metric: loss, accuracy, …"),
        Binding("M,shift+tab", "turn(-1)", "Previous", id="compare.before", tooltip="The previous metric", show=False),
        Binding("t", "split", "Train/test", id="compare.split", tooltip="Training or evaluation data"),
        Binding("l", "log_axis", "Log axis", id="compare.log_axis", tooltip="Logarithmic or linear axis"),
    ]  # fmt: skip

    def __init__(self, folders: Sequence[RunFolder]) -> None:
        """Compare the runs in `folders`."""
        super().__init__()
        self._runs = [RunFollower(folder) for folder in folders]
        self._shown = TRAIN_LOSS
        self._means = CurveCache()
        self._log_axis = False
        self._reading = False
        self._read_once = False

    def compose(self) -> ComposeResult:
        """Put the plot above the table, or beside it."""
        yield ScreenHeader(id="title")
        with Container(id="compared"):
            yield PlotWidget("", id="curves")
            yield CompareTable(id="differences")
        yield KeyFooter(show_command_palette=False)

    def on_mount(self) -> None:
        """Start the timers."""
        self._poll_timers = [self.set_interval(POLL_INTERVAL, self.poll), self.set_interval(DRAW_INTERVAL, self._draw)]

    def on_screen_suspend(self, event: ScreenSuspend) -> None:
        """Stop reading while another screen is shown."""
        for timer in self._poll_timers:
            timer.pause()

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Read at once, and then by the timers."""
        for timer in self._poll_timers:
            timer.resume()
        self.poll()

    def poll(self) -> None:
        """Read new events in a thread, unless a read is running."""
        if not self._reading:
            self._reading = True
            self.run_worker(self._read, name="read", thread=True, exit_on_error=False)

    def _read(self) -> None:
        for run in self._runs:
            run.read()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show the runs when a read has ended."""
        if event.state is WorkerState.ERROR:
            self.notify(str(event.worker.error), severity="error", markup=False)
        if event.state in (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED):
            if not self._read_once:
                self._shown = self._monitored() or TRAIN_LOSS
            self._reading, self._read_once = False, True
            self.query_one(CompareTable).show(self._runs)
            self._draw()

    def on_resize(self) -> None:
        """Put the table beside the plot if the plot keeps more than half, or below it."""
        self.call_after_refresh(self._arrange)

    def on_compare_table_built(self) -> None:
        """Arrange again: the table may be wider now."""
        self.call_after_refresh(self._arrange)

    def _arrange(self) -> None:
        table = self.query_one(CompareTable)
        self.set_class(table.virtual_size.width <= self.size.width * 0.45, "-beside")

    def _draw(self) -> None:
        # The reading thread changes the curves, so do not draw meanwhile.
        if self._reading:
            return
        last_step = max((run.history.step for run in self._runs), default=0)
        self._means.width, self._means.smooth_points = auto_width(last_step), False
        curves: list[NamedSeries] = [(run.folder.name, self._means.mean(run.curve(*self._shown))) for run in self._runs]
        empty = f"No run has {' '.join(self._shown)}. Press m for another metric, t for other data."
        empty = empty if self._read_once else "Reading the runs…"
        self.query_one(PlotWidget).show(curves, last_step=last_step, log=self._log_axis, empty=empty)
        names = [" ".join(name) for name in self._metrics()]
        log = "log axis" if self._log_axis else ""
        chosen = " ".join(self._shown)
        self.query_one(ScreenHeader).show("compare", f"{len(self._runs)} runs", [log, *names], chosen)

    def _monitored(self) -> tuple[str, str] | None:
        """Return (split, metric) of the metric that most runs monitor, or None before the first evaluation."""
        early = [stopping.monitor for run in self._runs if (stopping := run.history.early_stopping) is not None]
        metric = max(early, key=early.count, default=None)
        splits = self._splits(metric) if metric else []
        # A monitored loss is that of the evaluation.
        split = next((split for split in splits if split != TRAIN_LOSS[0]), None)
        return (split, metric) if split and metric else None

    def _metrics(self) -> list[tuple[str, str]]:
        """Return (split, metric) of all curves, grouped by metric."""
        found = [TRAIN_LOSS, *(key for run in self._runs for key in run.history.current.evaluated)]
        metrics = dict.fromkeys(metric for _, metric in found)
        return list(dict.fromkeys(key for metric in metrics for key in found if key[1] == metric))

    def action_turn(self, by: int) -> None:
        """Show another metric, of the same split if the metric was evaluated there."""
        metrics = list(dict.fromkeys(metric for _, metric in self._metrics()))
        split, metric = self._shown
        metric = metrics[(metrics.index(metric) + by) % len(metrics)]
        splits = self._splits(metric)
        self._shown = (split if split in splits else splits[0], metric)
        self._draw()

    def action_split(self) -> None:
        """Show the same metric of the next split."""
        split, metric = self._shown
        splits = self._splits(metric)
        self._shown = (splits[(splits.index(split) + 1) % len(splits)], metric)
        self._draw()

    def action_log_axis(self) -> None:
        """Switch between a logarithmic and a linear axis."""
        self._log_axis = not self._log_axis
        self._draw()

    def _splits(self, metric: str) -> list[str]:
        return [split for split, name in self._metrics() if name == metric]
