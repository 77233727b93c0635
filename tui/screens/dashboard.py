"""The dashboard of one run: a timer reads new events from the source and shows them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import cast

from textual import constants
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Key
from textual.message import Message
from textual.widgets import Static

from stoker.engine.errors import RunError
from stoker.engine.runs.events import CommandAnswered, RunFinished, RunStarted
from stoker.engine.runs.folder import RunFolder

from ..backend.log_tail import LogTail
from ..backend.source import Source
from ..state.away import Away
from ..state.demo import DemoHints
from ..state.event_text import alert_text
from ..terminal.alerts import alert
from ..terminal.textual_internals import TerminalApp
from ..widgets.chart_grid import ChartGrid
from ..widgets.checkpoint_panel import CheckpointPanel
from ..widgets.early_stopping_panel import EarlyStoppingPanel
from ..widgets.event_log import EventLog
from ..widgets.key_footer import KeyFooter
from ..widgets.learning_rate_panel import LearningRatePanel
from ..widgets.progress_panel import ProgressPanel
from ..widgets.sidebar import Sidebar
from ..widgets.status_bar import StatusBar
from ..widgets.system_panel import SystemPanel
from .dashboard_actions import FAST_POLL, DashboardActions

POLL_INTERVAL = 0.24  # seconds between two reads of the source; each read makes the training wait for an instant
# Seconds between two frames at least: less than a tick, but a whole second on a slow link.
FRAME_INTERVAL = 1.0 if constants.MAX_FPS < 10 else POLL_INTERVAL / 2
UNKNOWN_TIME = 0.0  # Unix seconds of log lines printed before we attached
READ_BUDGET = 0.05  # seconds of one tick that reading a long history may take


class Dashboard(DashboardActions):
    """Curves, progress and events of one run."""

    TITLE = "a run"
    HELP = """\
The engine writes everything to the run's folder, and this screen reads that folder. \
Closing the dashboard does not stop a run that trains in another process; a run that trains in this window is saved \
first.

× on the axis of a plot: the value was not finite.   best: the value that early stopping watches."""
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (50, "-narrow"), (72, "-normal"), (110, "-wide"), (160, "-huge")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-low"), (20, "-middle"), (34, "-tall"), (50, "-towering")]

    class CaughtUp(Message):
        """All past events have been read and shown."""

    class Restart(Message):
        """The user wants to resume a run that has no engine."""

    def __init__(
        self, folder: RunFolder, source: Source, printed: LogTail, clock: Callable[[], float], seen: float = 0.0
    ) -> None:
        """Show the run in `folder`, last looked at when it was `seen`; `clock` returns Unix seconds, as `seen` is."""
        super().__init__(folder, source, clock)
        self._source, self._printed = source, printed
        self._shown: object = None
        self._shown_status = ""
        self._next_frame = 0.0
        self._offered: object = None
        self._hints: DemoHints | None = None
        self._away = Away(seen)

    def show_hints(self) -> None:
        """Show the hints of the demonstration; call it before the screen is shown."""
        self._hints = DemoHints()

    def on_screen_suspend(self) -> None:
        """Drop the hint for the results when they are shown."""
        if self._hints is not None and getattr(self.app.screen, "TITLE", "") == "results":
            self._hints.tried("results")
            self._show_hints()

    def _show_hints(self) -> None:
        """Show what happened while the person was away, else the hints of the demonstration."""
        line = self._away.line(self._clock()) if self.view.caught_up else ""
        line = line or (self._hints.line() if self._hints else "")
        if str(self._hint_line.content) != line:
            self._hint_line.update(line)
            self._hint_line.display = bool(line)

    def on_key(self, event: Key) -> None:
        """Take any key as the sign that the summary was read."""
        self._away.dismissed = self._away.dismissed or self.view.caught_up
        self._show_hints()

    def on_unmount(self) -> None:
        """Remember until when the run was looked at."""
        preferences = getattr(self.app, "preferences", None)
        if preferences is not None and self.view.caught_up:
            preferences.look(self.folder.path, self._clock())

    def compose(self) -> ComposeResult:
        """Make the plots, the side panels and the log. `Sidebar` hides panels that do not fit."""
        self._hint_line = Static(self._hints.line() if self._hints else "", id="hints", markup=False)
        self._hint_line.display = self._hints is not None
        self._status, self._charts, self._side = StatusBar(id="state"), ChartGrid(id="plots"), Sidebar(id="side")
        self._log = EventLog(id="log")
        yield self._status
        with Horizontal(id="body"):
            yield self._charts
            with self._side:
                # The order is the priority: the last ones are hidden first.
                yield ProgressPanel(id="progress")
                yield EarlyStoppingPanel(id="early")
                yield CheckpointPanel(id="checkpoints")
                yield LearningRatePanel(id="rate")
                yield SystemPanel(id="machine")
        yield self._hint_line
        yield self._log
        yield KeyFooter(show_command_palette=False)

    def on_mount(self) -> None:
        """Start reading after the first frame."""
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        if self.view.loading_since is None:
            with contextlib.suppress(RunError):
                self.view.loading_since = self.folder.record().started
        self.set_interval(POLL_INTERVAL, self.tick)
        self._catch_up()

    def _catch_up(self) -> None:
        """Read the past events in pieces, without waiting for the timer between them."""
        caught_up = self.view.caught_up
        # One more tick after the last piece: only then is the engine's lock checked.
        self._next_frame = 0.0
        self.tick()
        if not caught_up:
            self.set_timer(FAST_POLL, self._catch_up)

    def on_resize(self) -> None:
        """Draw everything again in its new size."""
        self._shown = None

    def tick(self) -> None:
        """Apply the new events, then show them."""
        now = self._clock()
        view = self.view
        # Ask before reading: an engine that has ended by now has written all its events.
        alive = self._source.alive()
        view.alive = alive or not view.caught_up
        view.remote = self._source.remote()
        for text in self._printed.read():
            view.note(now if view.caught_up else UNKNOWN_TIME, "printed", text)
        until = time.monotonic() + READ_BUDGET
        while events := self._source.read():
            for event in events:
                view.apply(event)
                if not view.caught_up:
                    self._away.receive(event)
                if self._hints is not None:
                    self._hints.receive(event)
                # A run_started event means an engine is alive, even if the lock was free a moment ago.
                view.alive |= isinstance(event, RunStarted)
                if view.caught_up and (words := alert_text(event)) is not None:
                    alert(cast(TerminalApp, self.app), f"{words}: {view.name}")
                if message := self.controls.receive(event):
                    failed = isinstance(event, CommandAnswered) and event.status == "failed"
                    self.notify(message, severity="error" if failed else "information", markup=False)
            if time.monotonic() > until:
                break
        else:
            if not view.caught_up:
                view.caught_up = True
                # Ask once more: the RunStarted event may be of an engine that has just begun, or of a past one.
                view.alive = alive or self._source.alive()
                self.post_message(self.CaughtUp())
        self._show(now)
        self._show_hints()

    def _show(self, now: float) -> None:
        view = self.view
        # The clocks on the screen show whole seconds.
        wanted = (view.version, view.alive, view.remote, int(now))
        # Show a new status at once; everything else waits for the next frame.
        status = view.status(now)
        if status == self._shown_status and self._shown is not None and time.monotonic() < self._next_frame:
            return
        self._next_frame = time.monotonic() + FRAME_INTERVAL
        self.show_curves()
        if wanted == self._shown:
            return
        self._shown, self._shown_status = wanted, status
        self._status.show(view, now)
        self._side.show(view, now)
        self._log.show(view)
        offered = self.controls.offers(view, now)
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def show_curves(self) -> None:
        """Show the plots as the viewport chooses them."""
        view, viewport = self.view, self.viewport
        empty = "Loading…" if view.status(self._clock()) == "loading" else "No steps yet."
        if "restart" in self.offers:
            empty = "No steps yet. Press r to train."
        charts = viewport.charts(view, empty)
        large, small = viewport.decorations(view, charts[0])
        self._charts.show(charts, large, small, viewport.last_step(view), viewport.log_plots, viewport.grid)

    def engine_requested(self) -> None:
        """Show that an engine is being started."""
        self.view.engine_requested(self._clock())
        self.tick()

    def engine_refused(self, message: str) -> None:
        """Show why the requested engine did not start."""
        self.view.engine_refused()
        self.view.note(self._clock(), "error", message)
        self.notify(message, severity="error", markup=False)

    def engine_failed(self, message: str) -> None:
        """Show the error of an engine that could not write it to the events."""
        self.tick()
        if self.view.state != "failed":
            self.view.apply(RunFinished(at=self._clock(), cause="failed", message=message))

    def restart(self) -> None:
        """Request an engine that trains the run."""
        self.post_message(self.Restart())
