"""The screen of all runs: open, resume, mark, compare, delete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from textual.binding import Binding
from textual.widgets import DataTable

from stoker.engine.errors import RunError
from stoker.engine.runs.events import now
from stoker.engine.runs.folder import RunFolder, delete

from ..widgets.runs_table import RunsTable
from .confirm import Confirm
from .runs_list import RunsList

NEEDS_RUN = ("open", "resume", "mark", "mark_all", "order", "compare", "delete")  # actions on the run under the cursor


class RunOpener(Protocol):
    """The interface that the screen needs from its app."""

    def open_run(self, folder: RunFolder) -> None:
        """Show the dashboard of a run."""

    def resume_run(self, folder: RunFolder, *, hints: bool = False) -> None:
        """Train a run in this process, and show its dashboard."""


class RunsScreen(RunsList):
    """The list of runs, with the actions on the run under the cursor."""

    TITLE = "runs"
    HELP = """\
The runs of a folder. Best is the value that early stopping watches; curve is its course. \
Age is the time since the last event. An interrupted run has lost its engine: resume it.

A run that you resume here trains in this window. It keeps training when you return to the list, \
and it is saved when you quit."""
    BINDINGS = [
        Binding("enter", "open", "Open", id="list.open", tooltip="Show its dashboard"),
        Binding("enter", "demo", "Demo", id="list.demo", tooltip="Train digits for about ninety seconds, with hints"),
        Binding("r", "resume", "Resume", id="list.resume", tooltip="Train it in this window; extend a finished run"),
        Binding("space", "mark", "Mark", id="list.mark", tooltip="Mark this run for a comparison, or unmark it"),
        Binding("a", "mark_all", "Mark all", id="list.mark_all", tooltip="Mark all runs that are shown", show=False),
        Binding("o", "order", "Sort", id="list.order", tooltip="Newest, best, longest, or by name"),
        Binding("c", "compare", "Compare", id="list.compare", tooltip="Curves and settings of the marked runs"),
        Binding("e", "app.results", "Results", id="list.results", tooltip="Scores of the best checkpoint"),
        Binding("slash", "filter", "Filter", id="list.filter", tooltip="Only runs with these words", key_display="/"),
        Binding("ctrl+d,delete", "delete", "Delete", id="list.delete", tooltip="Delete this run's folder; asks first"),
        Binding("escape", "show_all", "Show all", id="list.all", tooltip="Remove the filter"),
        Binding("escape", "unmark", "No marks", id="list.unmark", tooltip="Remove the marks", show=False),
    ]  # fmt: skip

    def __init__(self, folder: Path, clock: Callable[[], float] = now) -> None:
        """List the runs in `folder`; `clock` returns Unix seconds."""
        super().__init__(folder, clock)

    @property
    def _opener(self) -> RunOpener:
        return cast(RunOpener, self.app)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the actions on a run only if one is under the cursor."""
        if action in NEEDS_RUN:
            return self.folder is not None
        if action == "demo":
            return self.rows == []
        return super().check_action(action, parameters)

    def action_demo(self) -> None:
        """Start the demonstration in this window."""
        from ..state.demo import create_demo

        try:
            folder = create_demo(self.index.runs)
        except RunError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self._opener.resume_run(folder, hints=True)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open a run by enter or by the mouse."""
        self.action_open()

    def action_open(self) -> None:
        """Open the dashboard of the run under the cursor."""
        if self.folder:
            self._opener.open_run(self.folder)

    def action_resume(self) -> None:
        """Train the run under the cursor in this process."""
        folder = self.folder
        if folder is None:
            return
        if folder.locked():
            self.notify(f"{folder.name} is being trained by {folder.holder()}. Press enter to show it.", markup=False)
        else:
            self._opener.resume_run(folder)

    def action_mark(self) -> None:
        """Mark the run under the cursor or unmark it, and move to the next one."""
        if self.folder:
            self.marked ^= {self.folder.name}
            self.show_rows()
            self.query_one(RunsTable).action_cursor_down()
            self.refresh_bindings()

    def action_compare(self) -> None:
        """Compare the marked runs; if only one is marked, compare it with the run under the cursor."""
        from .compare import Compare

        names = [row.run for row in self.rows or [] if row.run in self.marked]
        if len(names) < 2 and self.folder and self.folder.name not in names:
            names.append(self.folder.name)
        if len(names) < 2:
            self.notify("Mark the runs to compare with space, then press c.")
        else:
            self.app.push_screen(Compare([RunFolder(self.index.runs / name) for name in names]))

    def action_delete(self) -> None:
        """Delete the run under the cursor after a confirmation."""
        folder = self.folder
        if folder is None:
            return
        if folder.locked():
            words = f"{folder.name} is being trained by {folder.holder()}, so it cannot be deleted."
            self.notify(words, severity="warning", markup=False)
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self.run_worker(lambda: delete(folder), name="delete", thread=True, exit_on_error=False)

        question = f"Delete {folder.name}?\nIts checkpoints and curves cannot be restored."
        self.app.push_screen(Confirm(question, yes="Delete", no="Keep", careful=True), answered)
