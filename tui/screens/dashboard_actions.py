"""The actions of the dashboard's keys: commands to the run, and changes of the viewport."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from functools import partial

from textual.binding import Binding
from textual.events import Key
from textual.screen import Screen

from stoker.engine.runs.commands import Command
from stoker.engine.runs.folder import RunFolder

from ..backend.source import Source
from ..state.reading import step_of, values_line
from ..state.run_controls import RunControls
from ..state.run_view import RunView
from ..state.viewport import Viewport
from ..terminal.textual_internals import bindings_of, render_only_dirty_widgets
from ..widgets.event_log import EventLog
from ..widgets.plot import PlotWidget
from .confirm import Confirm
from .dashboard_bindings import RUN_KEYS, VIEW_KEYS
from .key_reasons import reason
from .prompt import ask_learning_rate, ask_place, ask_words

FAST_POLL = 0.02  # seconds between two reads while a command waits for its answer
FAST_POLL_FOR = 1.0  # seconds of fast polling after a command
STOP = "Stop this run after the current batch?\nIt is saved first, and can be resumed later."
NO_LOG = "The log is hidden in a small terminal: make it at least 50 columns wide and 12 rows high."
NEEDS = {  # action: the commands of which at least one must be possible
    "resume": {"resume", "restart"},
    "release": {"release"},
    "stop": {"stop"},
    "rate": {"set_learning_rate"},
    "type_rate": {"set_learning_rate"},
}


class DashboardActions(Screen[None], inherit_bindings=False):
    """A screen with a run's view, its controls and its viewport; the subclass shows them."""

    BINDINGS = [
        *RUN_KEYS,
        Binding("d", "app.detach", "Detach", id="run.detach", tooltip="Leave; the run continues in the background"),
        *VIEW_KEYS,
    ]  # fmt: skip

    def __init__(self, folder: RunFolder, source: Source, clock: Callable[[], float]) -> None:
        """Control the run in `folder` through `source`; `clock` returns Unix seconds."""
        super().__init__()
        render_only_dirty_widgets(self)
        self.folder = folder
        self.view = RunView(folder.name)
        self.controls = RunControls(source)
        self.viewport = Viewport()
        self._clock = clock

    def tick(self) -> None:
        """Apply the new events, then show them."""
        raise NotImplementedError

    def show_curves(self) -> None:
        """Show the plots as the viewport chooses them."""
        raise NotImplementedError

    def restart(self) -> None:
        """Request an engine that trains the run."""
        raise NotImplementedError

    @property
    def offers(self) -> frozenset[str]:
        """The commands that are possible now, with `restart` for a run without an engine."""
        return self.controls.offers(self.view, self._clock())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the actions that are possible now."""
        if action == "look":
            return self.viewport.can_change(str(parameters[0]), self.view) or (
                parameters[0] == "all" and bool(self.focused)
            )
        wanted = {str(parameters[0])} if action == "send" else NEEDS.get(action)
        return wanted is None or bool(wanted & self.offers)

    def on_key(self, event: Key) -> None:
        """Say why a key has no effect now."""
        if event.key in self.active_bindings:
            return
        for node in (self, self.app):
            for key, binding in bindings_of(node):
                if key == event.key and (words := reason(binding.action, self.view, self.viewport, self._clock())):
                    self.notify(words, markup=False)
                    return

    def action_send(self, command: str) -> None:
        """Send a command by its name; the events that follow show the result."""
        self._send(Command(command=command))

    def action_release(self) -> None:
        """Pause the run and release its GPU memory."""
        self._send(Command(command="pause", release=True))

    def action_stop(self) -> None:
        """Stop the run after a confirmation."""

        def answered(stop: bool | None) -> None:
            if stop and "stop" in self.offers:
                self.action_send("stop")

        self.app.push_screen(Confirm(STOP, yes="Save and stop", no="Keep training"), answered)

    def action_rate(self, direction: int) -> None:
        """Change the learning rate by one step up (1) or down (-1)."""
        lr = self.controls.next_lr(self.view, direction)
        if lr is None:
            self.notify("The learning rate is 0 or unknown, and cannot be scaled: type one with =.", markup=False)
        self._set_lr(lr)

    def action_type_rate(self) -> None:
        """Ask the user for a learning rate, and set it."""
        self.app.push_screen(ask_learning_rate(self.view.lr[0] if self.view.lr else None), self._set_lr)

    def _set_lr(self, rate: float | None) -> None:
        if rate is not None:
            self._send(Command(command="set_learning_rate", lr=rate))

    def _send(self, command: Command) -> None:
        if failure := self.controls.send(command):
            self.notify(failure, severity="error", markup=False)
        self._poll_fast(time.monotonic() + FAST_POLL_FOR)

    def _poll_fast(self, until: float) -> None:
        """Tick often while a command waits for its answer, and once more for the events after it."""
        waiting = bool(self.controls.waiting)
        self.tick()
        if waiting and time.monotonic() < until:
            self.set_timer(FAST_POLL, partial(self._poll_fast, until))

    def action_resume(self) -> None:
        """Continue a paused run, or request an engine for a run without one."""
        if "resume" in self.offers:
            self.action_send("resume")
        else:
            self.restart()

    def action_look(self, what: str) -> None:
        """Change one choice of the viewport."""
        if what == "all":
            self.set_focus(None)
        self.viewport.change(what, self.view, self.query_one("#large").content_size.width)
        self.show_curves()
        self.refresh_bindings()

    def action_goto(self) -> None:
        """Ask for a step, an epoch or a time, and put the cursor there."""
        shown = self.viewport.shown_fold(self.view)

        def answered(step: int | None) -> None:
            if step is not None:
                self.viewport.cursor = step
                self.show_curves()
                self.refresh_bindings()

        self.app.push_screen(ask_place(lambda text: step_of(text, self.view, shown)), answered)

    def action_copy(self) -> None:
        """Copy the values at the cursor; without a cursor, the command that resumes the run."""
        cursor = self.viewport.cursor
        if cursor is None:
            text = f"stoker resume {shlex.quote(self.folder.name)} --runs {shlex.quote(str(self.folder.path.parent))}"
        else:
            text = values_line(self.view, self.viewport.shown_fold(self.view), cursor)
        self.app.copy_to_clipboard(text)
        self.notify(text, title="copied", markup=False)

    def action_find(self) -> None:
        """Ask for words, and show only the plots that have them in their names."""

        def answered(words: str | None) -> None:
            if words is None:
                return
            self.viewport.words = words
            self.show_curves()
            if words and self.viewport.plots_found == 0:
                self.notify(f"No plot has {words!r} in its name: all are shown.", severity="warning", markup=False)

        self.app.push_screen(ask_words(self.viewport.words), answered)

    def action_log(self, what: str) -> None:
        """Focus the log, leave it, or scroll it; `what` is `focus` or the name of a key."""
        log = self.query_one(EventLog)
        if not log.display:
            self.notify(NO_LOG, severity="warning")
        elif what == "focus":
            self.set_focus(None if log.has_focus else log)
        else:
            log.action_move(what)

    def on_plot_widget_pointed(self, event: PlotWidget.Pointed) -> None:
        """Move the cursor to a click, zoom by the wheel, and make a clicked small plot the large one."""
        viewport = self.viewport
        if event.wheel:
            viewport.zoom(event.wheel < 0, event.step, self.view)
        elif event.plot.id == "large" or viewport.grid:
            viewport.cursor = event.step
        else:
            viewport.selected = event.plot.title
        self.show_curves()
        self.refresh_bindings()
