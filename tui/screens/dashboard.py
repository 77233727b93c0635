"""The dashboard of one run: reads its source on one clock, shows what it was told, and asks on a key."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual import constants
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer

from stoker.engine.runs.commands import Command
from stoker.engine.runs.events import RunFinished, RunStarted
from stoker.engine.runs.folder import RunFolder

from ..backend.log_tail import Printed
from ..backend.source import Source
from ..state.run_controls import Steering
from ..state.run_view import RunView
from ..state.viewport import Viewing
from ..terminal.alerts import alert, call
from ..terminal.compositor import NarrowCompositor
from ..widgets.chart_grid import Charts
from ..widgets.checkpoint_panel import Checkpoints
from ..widgets.early_stopping_panel import EarlyStopping
from ..widgets.event_log import EventLog
from ..widgets.learning_rate_panel import LearningRate
from ..widgets.plot import Curve
from ..widgets.progress_panel import Progress
from ..widgets.sidebar import Side
from ..widgets.status_bar import StateLine
from ..widgets.system_panel import MachinePanel
from .confirm import Confirm
from .dashboard_bindings import STEERING, VIEWING
from .prompt import ask_rate

if TYPE_CHECKING:
    from ..app.base import Shell

TICK = 0.24  # seconds between two looks at the source: each makes the training wait for an instant
# Seconds between two frames at least: every look; on a slow link a second.
REST = 1.0 if constants.MAX_FPS < 10 else TICK / 2
QUICK = 0.02  # seconds between two looks while an answer is waited for
HURRY = 1.0  # seconds that an answer is waited for in this way
UNKNOWN = 0.0  # when something was printed that was there before
BUDGET = 0.05  # seconds of a tick that a long history may take
STOP = "End this run after the batch under way?\nIt is saved first, and can be resumed later."
NEEDS = {  # what must be possible for an action to be offered
    "resume": {"resume", "restart"},
    "release": {"release"},
    "stop": {"stop"},
    "rate": {"set_learning_rate"},
    "type_rate": {"set_learning_rate"},
}


class Dashboard(Screen[None], inherit_bindings=False):
    """Curves, progress and events of one run."""

    TITLE = "a run"
    HELP = """\
A run is a folder: the engine writes what it does there, and this screen only reads it. \
Closing the dashboard of a run that trains elsewhere changes nothing; a run that trains here is saved first.

× on the axis of a plot: a value that was not finite.   best: the value that early stopping watches."""
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (50, "-narrow"), (72, "-normal"), (110, "-wide"), (160, "-huge")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-low"), (20, "-middle"), (34, "-tall"), (50, "-towering")]
    BINDINGS = [
        *STEERING,
        Binding("d", "app.detach", "Detach", id="run.detach", tooltip="Leave; the run goes on in the background"),
        *VIEWING,
    ]  # fmt: skip

    app: Shell

    class Caught(Message):
        """The whole history has been read: what is shown is what is."""

    class Restart(Message):
        """An engine is wanted for a run that has none."""

    def __init__(self, folder: RunFolder, source: Source, printed: Printed, clock: Callable[[], float]) -> None:
        """Show the run in `folder`; `clock` is in Unix seconds."""
        super().__init__()
        self._compositor = NarrowCompositor()
        self.folder = folder
        self.view = RunView(folder.name)
        self.steering = Steering(source)
        self._source, self._printed, self._clock = source, printed, clock
        self.viewing = Viewing()
        self._shown: object = None
        self._shown_state = ""
        self._next = 0.0
        self._offered: object = None

    def compose(self) -> ComposeResult:
        """Lay the panels out; what gives way when is in app.tcss."""
        self._line, self._charts, self._side = StateLine(id="state"), Charts(id="plots"), Side(id="side")
        self._log = EventLog(id="log")
        yield self._line
        with Horizontal(id="body"):
            yield self._charts
            with self._side:
                yield Progress(id="progress")
                yield EarlyStopping(id="early")
                yield Checkpoints(id="checkpoints")
                yield LearningRate(id="rate")
                yield MachinePanel(id="machine")
        yield self._log
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Start the clock once the first frame is on the screen."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.set_interval(TICK, self.tick)
        self._catch_up()

    def _catch_up(self) -> None:
        """Read the history in pieces, without waiting for the clock between them."""
        caught = self.view.caught
        # Once more at the end: only then is it asked whether an engine is there.
        self._next = 0.0
        self.tick()
        if not caught:
            self.set_timer(QUICK, self._catch_up)

    def on_resize(self) -> None:
        """Draw everything again in its new size."""
        self._shown = None

    def tick(self) -> None:
        """Take in what is new, then show it."""
        now = self._clock()
        view = self.view
        # Before reading: an engine that is gone by now has said everything it had to say.
        view.alive = self._source.alive() or not view.caught
        view.elsewhere = self._source.elsewhere()
        for text in self._printed.read():
            view.note(now if view.caught else UNKNOWN, "printed", text)
        until = time.monotonic() + BUDGET
        while events := self._source.read():
            for event in events:
                view.apply(event)
                # Who has just begun lives, whatever was seen before that.
                view.alive |= isinstance(event, RunStarted)
                if view.caught and (words := call(event)) is not None:
                    alert(self.app, f"{words}: {view.name}")
                if failure := self.steering.hear(event):
                    self.notify(failure, severity="error", markup=False)
            if time.monotonic() > until:
                break
        else:
            if not view.caught:
                view.caught = True
                self.post_message(self.Caught())
        self._show(now)

    def _show(self, now: float) -> None:
        view = self.view
        # The clocks on the screen go in whole seconds.
        wanted = (view.version, view.alive, view.elsewhere, int(now))
        # What only counts on is drawn a few times a second, all at once; a change of state is seen without a wait.
        standing = view.standing(now)
        if standing == self._shown_state and self._shown is not None and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REST
        self._show_curves()
        if wanted == self._shown:
            return
        self._shown, self._shown_state = wanted, standing
        self._line.show(view, now)
        self._side.show(view, now)
        self._log.show(view)
        offered = self.steering.offers(view, now)
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def _show_curves(self) -> None:
        view, viewing = self.view, self.viewing
        waiting = "loading…" if view.standing(self._clock()) == "loading" else "no steps yet"
        if "restart" in self.steering.offers(view, self._clock()):
            waiting = "no steps: r trains it"
        charts = viewing.charts(view, waiting)
        frames = viewing.frames(view, charts[0])
        self._charts.show(charts, *frames, viewing.last(view), viewing.logs, viewing.grid)

    def failed(self, message: str) -> None:
        """Show how the engine broke, where it could not say so itself."""
        self.tick()
        if self.view.state != "failed":
            self.view.apply(RunFinished(at=self._clock(), cause="failed", message=message))

    def expect(self) -> None:
        """Show that an engine was asked for."""
        self.view.expect()
        self.tick()

    def refused(self, message: str) -> None:
        """Show why an engine that was asked for did not begin."""
        self.view.refused()
        self.view.note(self._clock(), "error", message)
        self.notify(message, severity="error", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action == "look":
            return self.viewing.can(str(parameters[0]), self.view) or (parameters[0] == "all" and bool(self.focused))
        wanted = {str(parameters[0])} if action == "ask" else NEEDS.get(action)
        return wanted is None or bool(wanted & self.steering.offers(self.view, self._clock()))

    def action_ask(self, command: str) -> None:
        """Ask the engine; what comes of it, its events say."""
        self._ask(Command(command=command))

    def action_release(self) -> None:
        """Pause, and let the device's memory go."""
        self._ask(Command(command="pause", release=True))

    def action_stop(self) -> None:
        """End the run, once a person has confirmed it."""

        def answered(stop: bool | None) -> None:
            if stop and "stop" in self.steering.offers(self.view, self._clock()):
                self.action_ask("stop")

        self.app.push_screen(Confirm(STOP, yes="Save and stop", no="Train on"), answered)

    def action_rate(self, direction: int) -> None:
        """Ask for the learning rate one step up or down."""
        self._ask_rate(self.steering.next_rate(self.view, direction))

    def action_type_rate(self) -> None:
        """Ask for a learning rate that a person types."""
        self.app.push_screen(ask_rate(self.view.lr[0] if self.view.lr else None), self._ask_rate)

    def _ask_rate(self, rate: float | None) -> None:
        if rate is not None:
            self._ask(Command(command="set_learning_rate", lr=rate))

    def _ask(self, command: Command) -> None:
        if failure := self.steering.ask(command):
            self.notify(failure, severity="error", markup=False)
        self._hurry(time.monotonic() + HURRY)

    def _hurry(self, until: float) -> None:
        """Look more often while a person waits for an answer, and once more for what follows it."""
        waiting = bool(self.steering.waiting)
        self.tick()
        if waiting and time.monotonic() < until:
            self.set_timer(QUICK, partial(self._hurry, until))

    def action_resume(self) -> None:
        """Go on with a paused run, or start an engine for one that ended."""
        if "resume" in self.steering.offers(self.view, self._clock()):
            self.action_ask("resume")
        else:
            self.post_message(self.Restart())

    def action_look(self, what: str) -> None:
        """Look at another plot, or another part of it."""
        if what == "all":
            self.set_focus(None)
        self.viewing.look(what, self.view, self.query_one("#large").content_size.width)
        self._show_curves()
        self.refresh_bindings()

    def on_curve_pointed(self, event: Curve.Pointed) -> None:
        """Read values where a person clicks, zoom where the wheel turns; a small plot becomes the large one."""
        viewing = self.viewing
        if event.turned:
            viewing.zoom(event.turned < 0, event.step, self.view)
        elif event.curve.id == "large" or viewing.grid:
            viewing.cursor = event.step
        else:
            viewing.chosen = event.curve.title
        self._show_curves()
        self.refresh_bindings()
