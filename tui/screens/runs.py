"""The runs of a folder: open, resume, compare, delete."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import ScreenResume, ScreenSuspend
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static
from textual.worker import Worker, WorkerState

from stoker.engine.runs.deleting import delete
from stoker.engine.runs.folder import RunFolder

from ..state.run_index import Catalogue
from ..state.run_summary import Row
from ..widgets.ordered_input import Field
from ..widgets.runs_table import RunsTable
from ..widgets.screen_header import Title
from ..widgets.status_bar import WORDS
from .confirm import Confirm

if TYPE_CHECKING:
    from ..app.app import StokerApp

LOOK = 2.0  # seconds between two looks into the folder
EMPTY = """\
No runs in {folder} yet.

[$label]In another terminal, or after[/] q[$label]:[/]

[bold $chosen]stoker run iris[/]     [$label]trains for a few seconds[/]
[bold $chosen]stoker tasks[/]        [$label]lists what else there is[/]

[$label]Runs in another folder:[/] stoker --runs DIR"""
NOTHING = "[$label]No run matches[/] {words}[$label]: esc shows all of them.[/]"
NEEDS_RUN = ("open", "resume", "mark", "compare", "delete")


class Runs(Screen[None]):
    """The list, newest first."""

    TITLE = "runs"
    HELP = """\
The runs of a folder, the newest first. Best is the value that early stopping watches; \
age is the time since a run said anything; lost is a run whose engine went away without a word: resume it.

A run that is resumed here trains in this window: going back to the list leaves it training, \
and quitting saves it first."""
    BINDINGS = [
        Binding("enter", "open", "Open", id="list.open", tooltip="Its dashboard, wherever it trains"),
        Binding("r", "resume", "Resume", id="list.resume", tooltip="Train it in this window; if complete, for longer"),
        Binding("space", "mark", "Mark", id="list.mark", tooltip="Choose this run for a comparison, or not"),
        Binding("c", "compare", "Compare", id="list.compare", tooltip="Curves and settings of the marked runs"),
        Binding("e", "app.results", "Results", id="list.results", tooltip="Confusion matrix and scores of the best save"),
        Binding("slash", "filter", "Filter", id="list.filter", tooltip="Only runs with these words", key_display="/"),
        Binding("x,delete", "delete", "Delete", id="list.delete", tooltip="Delete this run's folder; asks first"),
        Binding("escape", "show_all", "Show all", id="list.all", tooltip="End the filter"),
        Binding("escape", "unmark", "No marks", id="list.unmark", tooltip="End the marks", show=False),
    ]  # fmt: skip

    app: StokerApp

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """List the runs in `folder`; `clock` is in Unix seconds."""
        super().__init__()
        self._catalogue = Catalogue(folder, clock)
        self._where = str(folder) if folder.is_absolute() else f"./{folder}"
        self._rows: list[Row] | None = None
        self._marked: frozenset[str] = frozenset()
        self._looking = False

    def compose(self) -> ComposeResult:
        """Lay the list out over the line of the filter."""
        yield Title(id="title")
        yield RunsTable(id="runs")
        yield Static(id="empty")
        yield Field(placeholder="words of a run's name, task or state", id="filter", compact=True)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Start the slow clock."""
        self.query_one("#filter").display = self.query_one("#empty").display = False
        self.query_one(RunsTable).focus()
        self._clock = self.set_interval(LOOK, self.look)

    def on_screen_suspend(self, event: ScreenSuspend) -> None:
        """Nobody sees the list."""
        self._clock.pause()

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Look at once."""
        self._clock.resume()
        self.look()

    def look(self) -> None:
        """Read the folder, where that is not under way: a slow disk must not keep the screen."""
        if not self._looking:
            self._looking = True
            self.run_worker(self._catalogue.read, name="list", thread=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The folder was read, or a run was deleted."""
        if event.state not in (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED):
            return
        if event.worker.name == "list":
            self._looking = False
        if event.state is WorkerState.ERROR:
            self.notify(str(event.worker.error), severity="error", markup=False)
        elif event.worker.name == "list" and event.state is WorkerState.SUCCESS:
            self._rows = event.worker.result
            self._show()
        elif event.worker.name == "delete":
            self.look()

    def _show(self) -> None:
        rows = self._rows or []
        self._marked &= {row.run for row in rows}
        words = self.query_one("#filter", Input).value.lower().split()
        shown = [row for row in rows if all(word in _searched(row) for word in words)]
        table, empty = self.query_one(RunsTable), self.query_one("#empty", Static)
        had = table.current is not None
        table.show(shown, self._marked)
        table.display, empty.display = bool(shown), not shown and self._rows is not None
        if not shown:
            text = NOTHING if rows else EMPTY
            empty.update(text.format(folder=_plain(self._where), words=_plain(" ".join(words))))
        self.query_one(Title).show("runs", self._where, self._counts(rows, shown))
        if had != (table.current is not None):
            self.refresh_bindings()

    def _counts(self, rows: list[Row], shown: list[Row]) -> list[str]:
        if not rows:
            return []
        training = sum(row.state == "training" for row in rows)
        all_of_them = f"{len(rows)} run" + "s" * (len(rows) > 1)
        return [
            all_of_them if len(shown) == len(rows) else f"{len(shown)} of {all_of_them}",
            f"{training} training" if training else "",
            f"{len(self._marked)} marked" if self._marked else "",
        ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done with a run only where there is one."""
        line = self.query_one("#filter", Input)
        if action == "show_all":
            return line.display
        if action == "unmark":
            return bool(self._marked)
        if action == "filter":
            return bool(self._rows) and not line.has_focus
        return action not in NEEDS_RUN or self.folder is not None

    @property
    def folder(self) -> RunFolder | None:
        """The run under the cursor."""
        row = self.query_one(RunsTable).current
        return RunFolder(self._catalogue.runs / row.run) if row else None

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter, or the mouse."""
        self.action_open()

    def action_open(self) -> None:
        """Open the dashboard of the run under the cursor."""
        if self.folder:
            self.app.open_run(self.folder)

    def action_resume(self) -> None:
        """Train the run under the cursor in this process."""
        folder = self.folder
        if folder is None:
            return
        if folder.locked():
            self.notify(f"{folder.name} is being trained by {folder.holder()}: enter shows it", markup=False)
        else:
            self.app.resume_run(folder)

    def action_mark(self) -> None:
        """Mark the run under the cursor, and go to the next."""
        if self.folder:
            self._marked ^= {self.folder.name}
            self._show()
            self.query_one(RunsTable).action_cursor_down()
            self.refresh_bindings()

    def action_compare(self) -> None:
        """Open the comparison of the marked runs, the one under the cursor with them where only one is marked."""
        from .compare import Compare

        names = [row.run for row in self._rows or [] if row.run in self._marked]
        if len(names) < 2 and self.folder and self.folder.name not in names:
            names.append(self.folder.name)
        if len(names) < 2:
            self.notify("mark the runs to compare with space, then press c")
        else:
            self.app.push_screen(Compare([RunFolder(self._catalogue.runs / name) for name in names]))

    def action_delete(self) -> None:
        """Ask, then delete the run under the cursor."""
        folder = self.folder
        if folder is None:
            return
        if folder.locked():
            words = f"{folder.name} is being trained by {folder.holder()}: it is not deleted"
            self.notify(words, severity="warning", markup=False)
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self.run_worker(lambda: delete(folder), name="delete", thread=True, exit_on_error=False)

        question = f"Delete {folder.name}?\nIts checkpoints and curves are gone for good."
        self.app.push_screen(Confirm(question, yes="Delete", no="Keep", careful=True), answered)

    def action_filter(self) -> None:
        """Type words that a run must have."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.focus()
        self.refresh_bindings()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the list; the filter stays."""
        event.input.display = bool(event.value)
        self.query_one(RunsTable).focus()

    def action_show_all(self) -> None:
        """End the filter."""
        line = self.query_one("#filter", Input)
        line.value, line.display = "", False
        self.query_one(RunsTable).focus()
        self._show()
        self.refresh_bindings()

    def action_unmark(self) -> None:
        """End the marks."""
        self._marked = frozenset()
        self._show()
        self.refresh_bindings()


def _searched(row: Row) -> str:
    return f"{row.run} {row.task} {row.state} {WORDS.get(row.state, '')}".lower()


def _plain(text: object) -> str:
    return str(text).replace("[", r"\[")
