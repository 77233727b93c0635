"""The list of runs with its filter: read by a timer in a thread, without the actions on a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual.app import ComposeResult
from textual.events import ScreenResume, ScreenSuspend
from textual.screen import Screen
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from stoker.engine.runs.folder import RunFolder

from ..state.run_filter import matches
from ..state.run_index import RunIndex
from ..state.run_order import LABELS, ORDERS, Order, ordered, what_differs
from ..state.run_summary import RunSummary
from ..widgets.key_footer import KeyFooter
from ..widgets.ordered_input import OrderedInput
from ..widgets.runs_table import RunsTable
from ..widgets.screen_header import ScreenHeader

POLL_INTERVAL = 2.0  # seconds between two reads of the folder
NO_RUNS = """\
No runs in {folder} yet.

[bold $chosen]enter[/]               [$label]starts a demonstration of about ninety seconds[/]

[$label]In another terminal, or after[/] q[$label]:[/]

[bold $chosen]stoker run iris[/]     [$label]trains for a few seconds[/]
[bold $chosen]stoker tasks[/]        [$label]lists the built-in tasks[/]

[$label]Runs in another folder:[/] stoker --runs DIR"""
NO_MATCH = "[$label]No run matches[/] {words}[$label]. Press esc to show all.[/]"


class RunsList(Screen[None]):
    """The runs of a folder, newest first, filtered by words and with marks; the subclass binds the keys."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        """List the runs in `folder`; `clock` returns Unix seconds."""
        super().__init__()
        self.index = RunIndex(folder, clock)
        self.rows: list[RunSummary] | None = None
        """All runs, or None before the first read."""
        self.marked: frozenset[str] = frozenset()
        """The names of the marked runs."""
        self._folder_name = str(folder) if folder.is_absolute() else f"./{folder}"
        self.order: Order = "newest"
        self.shown: list[RunSummary] = []
        """The runs that match the filter, in their order."""
        self._reading = False

    def compose(self) -> ComposeResult:
        """Create the table, the note for an empty list, and the filter below them."""
        yield ScreenHeader(id="title")
        yield RunsTable(id="runs")
        yield Static(id="empty")
        yield OrderedInput(placeholder="words, -words, lr>=0.003, accuracy<0.9", id="filter", compact=True)
        yield KeyFooter(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Start the timer."""
        self.query_one("#filter").display = self.query_one("#empty").display = False
        self.query_one(RunsTable).focus()
        self._timer = self.set_interval(POLL_INTERVAL, self.poll)

    def on_screen_suspend(self, event: ScreenSuspend) -> None:
        """Stop reading while another screen is shown."""
        self._timer.pause()

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Read at once, and then by the timer."""
        self._timer.resume()
        self.poll()

    def poll(self) -> None:
        """Read the folder in a thread, unless a read is running: a slow disk must not freeze the screen."""
        if not self._reading:
            self._reading = True
            self.run_worker(self.index.read, name="list", thread=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show the list when a read has ended, and read again when a run was deleted."""
        if event.state not in (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED):
            return
        if event.worker.name == "list":
            self._reading = False
        if event.state is WorkerState.ERROR:
            self.notify(str(event.worker.error), severity="error", markup=False)
        elif event.worker.name == "list" and event.state is WorkerState.SUCCESS:
            self.rows = event.worker.result
            self.show_rows()
        elif event.worker.name == "delete":
            self.poll()

    def show_rows(self) -> None:
        """Show the runs that match the filter."""
        rows = self.rows or []
        self.marked &= {row.run for row in rows}
        words = self.query_one("#filter", Input).value
        differs = what_differs(rows)
        found = [replace(row, differs=differs[row.run]) for row in rows if matches(words, row)]
        shown = self.shown = ordered(found, self.order)
        table, empty = self.query_one(RunsTable), self.query_one("#empty", Static)
        had_run = table.current is not None
        table.show(shown, self.marked)
        table.display, empty.display = bool(shown), not shown and self.rows is not None
        if not shown:
            text = NO_MATCH if rows else NO_RUNS
            empty.update(text.format(folder=_escaped(self._folder_name), words=_escaped(words)))
        self.query_one(ScreenHeader).show("runs", self._folder_name, self._counts(rows, shown))
        if had_run != (table.current is not None):
            self.refresh_bindings()

    def _counts(self, rows: list[RunSummary], shown: list[RunSummary]) -> list[str]:
        unreadable = f"{self.index.unreadable} not readable" if self.index.unreadable else ""
        if not rows:
            return [unreadable]
        training = sum(row.state == "training" for row in rows)
        total = f"{len(rows)} run" + "s" * (len(rows) > 1)
        return [
            LABELS[self.order],
            total if len(shown) == len(rows) else f"{len(shown)} of {total}",
            f"{training} training" if training else "",
            unreadable,
            f"{len(self.marked)} marked" if self.marked else "",
        ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the actions of the filter and of the marks only if they would have an effect."""
        line = self.query_one("#filter", Input)
        if action == "show_all":
            return line.display
        if action == "unmark":
            return bool(self.marked)
        return action != "filter" or (bool(self.rows) and not line.has_focus)

    @property
    def folder(self) -> RunFolder | None:
        """The run under the cursor."""
        row = self.query_one(RunsTable).current
        return RunFolder(self.index.runs / row.run) if row else None

    def action_filter(self) -> None:
        """Show the input for the words of the filter."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.focus()
        self.refresh_bindings()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the user types."""
        self.show_rows()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return to the list and keep the filter."""
        event.input.display = bool(event.value)
        self.query_one(RunsTable).focus()

    def action_show_all(self) -> None:
        """Remove the filter."""
        line = self.query_one("#filter", Input)
        line.value, line.display = "", False
        self.query_one(RunsTable).focus()
        self.show_rows()
        self.refresh_bindings()

    def action_order(self) -> None:
        """Show the runs in the next order."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self.show_rows()

    def action_mark_all(self) -> None:
        """Mark all runs that are shown, or unmark them if they are all marked."""
        names = frozenset(row.run for row in self.shown)
        self.marked = self.marked - names if names <= self.marked else self.marked | names
        self.show_rows()
        self.refresh_bindings()

    def action_unmark(self) -> None:
        """Remove all marks."""
        self.marked = frozenset()
        self.show_rows()
        self.refresh_bindings()


def _escaped(text: object) -> str:
    return str(text).replace("[", r"\[")
