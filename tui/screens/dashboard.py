"""The dashboard of one run: reads its source on one clock, shows what it was told, and asks on a key."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer

from ...engine.events import RunFinished
from ..printed import Printed
from ..source import Source
from ..view import RunView
from ..widgets.checkpoints import Checkpoints
from ..widgets.curve import Curve, Named
from ..widgets.early_stopping import EarlyStopping
from ..widgets.event_log import EventLog
from ..widgets.learning_rate import LearningRate
from ..widgets.panel import Panel
from ..widgets.progress import Progress
from ..widgets.state_line import StateLine
from .help import Help
from .steering import Steering

TICK = 0.1  # seconds between two looks at the source
REST = 0.25  # seconds between two looks at the panels' numbers
UNKNOWN = 0.0  # when something was printed that was there before
BUDGET = 0.05  # seconds of a tick that a long history may take


class Dashboard(Screen[None]):
    """Curves, progress and events of one run."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (50, "-narrow"), (72, "-normal"), (110, "-wide"), (160, "-huge")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-low"), (20, "-middle"), (34, "-tall"), (50, "-towering")]
    BINDINGS = [
        Binding("space", "ask('pause')", "Pause", id="run.pause", tooltip="Pause after the batch under way"),
        Binding("space", "ask('resume')", "Go on", id="run.go_on", tooltip="Go on with a paused run"),
        Binding("r", "resume", "Resume", id="run.resume", tooltip="Go on when paused; when ended, from the last save"),
        Binding("s", "ask('save')", "Save", id="run.save", tooltip="Save all it takes to resume, also while paused"),
        Binding("e", "ask('evaluate')", "Evaluate", id="run.evaluate", tooltip="Evaluate the model now, as it is"),
        Binding("d", "app.detach", "Detach", id="app.detach", tooltip="Leave; the run goes on in the background"),
        Binding("l", "log_axis", "Log axis", id="view.log_axis", tooltip="Losses on a logarithmic axis, or not"),
        Binding("question_mark", "help", "Help", id="app.help", tooltip="This page", key_display="?"),
        Binding("q", "app.quit", "Quit", id="app.quit", tooltip="Leave; a run that trains here is saved first"),
        Binding("ctrl+c", "app.quit", "Quit", id="app.interrupt", show=False),
    ]  # fmt: skip

    class Caught(Message):
        """The whole history has been read: what is shown is what is."""

    class Restart(Message):
        """An engine is wanted for a run that has none."""

    def __init__(self, name: str, source: Source, printed: Printed, clock: Callable[[], float]) -> None:
        """Show the run called `name`; `clock` is in Unix seconds."""
        super().__init__()
        self.view = RunView(name)
        self.steering = Steering(source)
        self._source, self._printed, self._clock = source, printed, clock
        self._log_axis = False
        self._caught = False
        self._shown: object = None
        self._shown_state = ""
        self._next = 0.0
        self._offered: object = None

    def compose(self) -> ComposeResult:
        """Lay the panels out; what gives way when is in app.tcss."""
        yield StateLine(id="state")
        with Horizontal(id="body"):
            with Vertical(id="plots"):
                yield Curve("loss", id="loss")
                yield Curve("metrics", id="metrics", first_color=1)
            with Vertical(id="side"):
                yield Progress(id="progress")
                yield EarlyStopping(id="early")
                yield Checkpoints(id="checkpoints")
                with Vertical(id="rate") as box:
                    box.border_title = "learning rate"
                    yield LearningRate(id="lr")
                    yield Curve("", id="rates", first_color=4)
        yield EventLog(id="log")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Start the clock once the first frame is on the screen."""
        self.call_after_refresh(self.set_interval, TICK, self.tick)

    def on_resize(self) -> None:
        """Draw everything again in its new size."""
        self._shown = None

    def tick(self) -> None:
        """Take in what is new, then show it."""
        now = self._clock()
        view = self.view
        # Before reading: an engine that is gone by now has said everything it had to say.
        view.alive = self._source.alive() or not self._caught
        for text in self._printed.read():
            view.note(now if self._caught else UNKNOWN, "printed", text)
        until = time.monotonic() + BUDGET
        while events := self._source.read():
            for event in events:
                view.apply(event)
                if failure := self.steering.hear(event):
                    self.notify(failure, severity="error", markup=False)
            if time.monotonic() > until:
                break
        else:
            if not self._caught:
                self._caught = True
                self.post_message(self.Caught())
        self._show(now)

    def _show(self, now: float) -> None:
        view = self.view
        self._show_curves()
        # The clocks on the screen go in whole seconds.
        wanted = (view.version, view.alive, int(now))
        # Numbers that only count on are read a few times a second; a change of state is seen at once.
        standing = view.standing(now)
        resting = standing == self._shown_state and time.monotonic() < self._next
        if wanted == self._shown or (resting and self._shown is not None):
            return
        self._shown, self._shown_state = wanted, standing
        self._next = time.monotonic() + REST
        for panel in self.query(Panel):
            panel.show(view, now)
        self.query_one(EventLog).show(view)
        offered = self.steering.offers(view, now)
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def _show_curves(self) -> None:
        fold = self.view.now
        splits = len({split for split, _ in fold.evaluated})
        losses: list[Named] = [("train", fold.train)]
        metrics: list[Named] = []
        for (split, metric), curve in fold.evaluated.items():
            if metric == "loss":
                losses.append((split, curve))
            else:
                metrics.append((f"{split} {metric}" if splits > 1 else metric, curve))
        groups = len(fold.lr) > 1
        rates: list[Named] = [(f"group {n}" if groups else "", curve) for n, curve in enumerate(fold.lr, 1)]
        step = self.view.step
        waiting = "loading torch…" if self.view.standing(self._clock()) == "loading" else "no steps yet"
        self.query_one("#loss", Curve).show(losses, reach=step, log=self._log_axis, empty=waiting)
        self.query_one("#metrics", Curve).show(metrics, reach=step, empty="after the first evaluation")
        self.query_one("#rates", Curve).show(rates, reach=step)

    def failed(self, message: str) -> None:
        """Show how the engine broke, where it could not say so itself."""
        self.tick()
        if self.view.state != "failed":
            self.view.apply(RunFinished(at=self._clock(), cause="failed", message=message))

    def refused(self, message: str) -> None:
        """Show why an engine that was asked for did not begin."""
        self.view.refused()
        self.view.note(self._clock(), "error", message)
        self.notify(message, severity="error", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action not in ("ask", "resume"):
            return True
        wanted = "restart" if action == "resume" else str(parameters[0])
        offered = self.steering.offers(self.view, self._clock())
        return wanted in offered or (action == "resume" and "resume" in offered)

    def action_ask(self, command: str) -> None:
        """Ask the engine; what comes of it, its events say."""
        if failure := self.steering.ask(command):
            self.notify(failure, severity="error", markup=False)

    def action_resume(self) -> None:
        """Go on with a paused run, or start an engine for one that ended."""
        if "resume" in self.steering.offers(self.view, self._clock()):
            self.action_ask("resume")
        else:
            self.view.expect()
            self.post_message(self.Restart())

    def action_log_axis(self) -> None:
        """Turn the losses' axis."""
        self._log_axis = not self._log_axis

    def action_help(self) -> None:
        """Explain the keys."""
        self.app.push_screen(Help(self._bindings.key_to_bindings.values()))
