"""The app: the screens of runs, and the engine that this process hosts for one of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from stoker.engine.errors import RequestError, StokerError, TrainingError
from stoker.engine.runs.commands import Command
from stoker.engine.runs.events import RunFinished
from stoker.engine.runs.folder import Record, RunFolder

from ..backend.cli_process import output
from ..backend.engine_thread import Host
from ..backend.log_tail import Printed
from ..backend.source import FolderSource, LiveSource, Source
from ..screens.confirm import Confirm
from ..screens.dashboard import Dashboard
from ..terminal.charset import Characters
from . import palette
from .base import Shell
from .preferences import Remembered
from .resume import go_on

QUESTION = "The run trains in this window.\nSave a checkpoint and quit? `stoker resume` goes on from it."


class StokerApp(Shell):
    """Shows the run in `folder`, or another screen `first`; with a `host`, trains the run as well."""

    COMMANDS = Shell.COMMANDS | {palette.Runs}
    BINDINGS = [
        Binding("E", "results", "Results", id="run.results", tooltip="Scores of the best save", show=False),
        Binding("X", "export", "Export", id="run.export", tooltip="Write curves or weights to a file", show=False),
    ]  # fmt: skip

    def __init__(
        self,
        folder: RunFolder | None = None,
        *,
        host: Host | None = None,
        source: Source | None = None,
        clock: Callable[[], float] = time.time,
        first: Screen[Any] | None = None,
        runs: Path | None = None,
        characters: Characters = "all",
        remembered: Remembered | None = None,
    ) -> None:
        """Without a `source` of its own the run is followed where it trains; `clock` is in Unix seconds.

        `runs` is where other runs are found; beside the one that is shown otherwise.
        """
        super().__init__(characters=characters, remembered=remembered)
        self._events_loop: asyncio.AbstractEventLoop | None = None
        self.error: StokerError | None = None
        self.finished: RunFinished | None = None
        self.host = host
        """The engine of this process, from when a run was to be trained here."""
        self.detached = False
        """The run is to go on in a process of its own."""
        self.before: Record | None = None
        """What the run's record was before it was made longer, to be written back where the engine refuses that."""
        self._clock = clock
        self._restarted = False
        self._quitting = False
        self._asking: Confirm | None = None
        self._told_to_leave: int | None = None
        if folder is not None:
            source = source or (LiveSource(host) if host else FolderSource(folder))
            first = self._dashboard_of(folder, source)
        self._first = first
        self.runs = runs or (folder.path.parent if folder else Path("runs"))

    @property
    def dashboard(self) -> Dashboard:
        """The dashboard on the screen, or the last there was."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Dashboard)), self._newest)

    def on_mount(self) -> None:
        """Show the first screen."""
        self._events_loop = asyncio.get_running_loop()
        if self._first is not None:
            self.push_screen(self._first)
        if self._told_to_leave is not None:
            self.exit(return_code=self._told_to_leave)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer what the screen can do."""
        return palette.commands(self, screen)

    def leave(self, code: int) -> None:
        """End the app alone, with `code`; safe in a signal handler."""
        self._told_to_leave = code
        if self._events_loop is not None and not self._events_loop.is_closed():
            self._events_loop.call_soon_threadsafe(partial(self.exit, return_code=code))

    def open_run(self, folder: RunFolder) -> None:
        """Show the run in `folder`, wherever it trains."""
        if (shown := self._shown(folder)) is None:
            self.push_screen(self._dashboard_of(folder, FolderSource(folder)))
            return
        while self.screen is not shown:
            self.pop_screen()

    def resume_run(self, folder: RunFolder) -> None:
        """Show the run in `folder`, and train it in this process from its latest checkpoint, or for longer."""

        def start() -> None:
            self.host, self._restarted = Host(folder), False
            self.push_screen(self._dashboard_of(folder, LiveSource(self.host)))

        if self.host is not None and self.host.running:
            self.notify(self._busy(self.host), severity="warning", markup=False)
        else:
            go_on(self, folder, start)

    def action_results(self) -> None:
        """Show what the best checkpoint of the run on the screen is worth."""
        from ..screens.results import Results

        if folder := self._subject:
            self.push_screen(Results(folder))

    def action_export(self) -> None:
        """Ask what to write of the run on the screen, and write it."""
        from ..screens.export import Export

        folder = self._subject
        if folder is None:
            return

        def answered(target: Path | None) -> None:
            if target is not None:
                written = output("export", str(folder.path.absolute()), "--to", str(target))
                self.run_worker(written, name="export", exit_on_error=False)

        self.push_screen(Export(folder), answered)

    def on_dashboard_caught(self) -> None:
        """Start the engine, now that the first frame stands: importing torch takes seconds."""
        if self.host is not None and not self.host.started and self._shown(self.host.folder):
            self._start(self.host)

    def on_dashboard_restart(self) -> None:
        """Start an engine for a run that ended; it goes on from the latest checkpoint, or for longer."""
        dashboard, folder = self.dashboard, self.dashboard.folder

        def start() -> None:
            if self.host is None or self.host.folder.path != folder.path:
                self.host = Host(folder)
                # The dashboard that is open reads the folder.
                self.host.muted = True
            self._restarted = True
            self._start(self.host)

        if self.host is None or not self.host.running:
            go_on(self, folder, start)
        elif self.host.folder.path != folder.path:
            dashboard.refused(self._busy(self.host))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The engine ended, or an export."""
        if event.worker.name == "export" and event.state in (WorkerState.SUCCESS, WorkerState.ERROR):
            failed = event.state is WorkerState.ERROR
            words = str(event.worker.error if failed else event.worker.result).strip()
            self.notify(words, severity="error" if failed else "information", markup=False)
        if event.worker.name != "engine":
            return
        if event.state is WorkerState.SUCCESS:
            self.finished = event.worker.result
            if self.screen is self._asking:
                # There is nothing to save any more, and the end is there to be seen.
                self._asking.dismiss(False)
            if self.host is not None and self.host.controls.signal is not None:
                self.exit(return_code=128 + self.host.controls.signal)
            elif self.host is not None and self.finished and not self._shown(self.host.folder):
                self.notify(f"{self.host.folder.name}: {self.finished.cause}", markup=False)
        elif event.state is WorkerState.ERROR:
            self._broke(event.worker.error)
        else:
            return
        self.before = None
        if self._quitting:
            self._leave()

    def _broke(self, error: BaseException | None) -> None:
        assert self.host is not None, "it broke"
        if self.before is not None and isinstance(error, RequestError):
            self.host.folder.write_record(self.before)
        words = str(error) if isinstance(error, StokerError) else f"{type(error).__name__}: {error}"
        dashboard = self._shown(self.host.folder)
        if dashboard is None:
            self.notify(f"{self.host.folder.name}: {words}", severity="error", markup=False)
        elif not isinstance(error, RequestError):
            self.error = error if isinstance(error, StokerError) else TrainingError(words)
            dashboard.failed(words)
        elif self._restarted:
            dashboard.refused(words)
        elif dashboard is not self._first:
            self.pop_screen()
            self.notify(words, severity="error", markup=False)
        else:
            # Nothing was trained and nothing is there to be seen.
            self.error = error
            self._leave()

    async def action_quit(self) -> None:
        """Leave; a training in this process is asked to save first."""
        if self.host is None or not self.host.running:
            self._leave()
        elif not isinstance(self.screen, Confirm):
            self._asking = Confirm(QUESTION, yes="Save and quit", no="Stay", leaving=True)
            self.push_screen(self._asking, self._answered)

    async def action_back(self) -> None:
        """Go to the screen before; a run that trains here goes on."""
        if self.host is not None and self.screen is self._shown(self.host.folder):
            # Whoever opens it again reads its folder.
            self.host.muted = True
            if not self.host.running:
                self.error = self.finished = None
        await super().action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to detach only what trains in this process; another's dashboard just leaves."""
        if action == "detach":
            return self.host is not None and self.host.running and self._shown(self.host.folder) is self.dashboard
        if action in ("results", "export"):
            return self._subject is not None
        return super().check_action(action, parameters)

    def action_detach(self) -> None:
        """Give the prompt back; a training in this process goes on in one of its own, from an exact save."""
        self.detached = True
        self._stop_and_leave()

    def _start(self, host: Host) -> None:
        self.error = self.finished = None
        host.start()
        if (dashboard := self._shown(host.folder)) is not None:
            dashboard.expect()
        self.run_worker(host.wait(), name="engine", exit_on_error=False)

    def _answered(self, quit_it: bool | None) -> None:
        if quit_it:
            self._stop_and_leave()

    def _stop_and_leave(self) -> None:
        if self.host is not None and self.host.running:
            self._quitting = True
            self.host.controls.send(Command(command="stop"))
        else:
            self._leave()

    def _leave(self) -> None:
        failed = self.finished is not None and self.finished.cause == "failed"
        self.exit(return_code=self.error.exit_code if self.error else int(failed))

    def _dashboard_of(self, folder: RunFolder, source: Source) -> Dashboard:
        self._newest = Dashboard(folder, source, Printed(folder.log), self._clock)
        return self._newest

    @property
    def _subject(self) -> RunFolder | None:
        """The run that the screen is about; a question or the palette before it is about the same."""
        screen = next((screen for screen in reversed(self.screen_stack) if not screen.is_modal), None)
        return getattr(screen, "folder", None)

    def _shown(self, folder: RunFolder) -> Dashboard | None:
        """Return the open dashboard of a run."""
        for screen in self.screen_stack:
            if isinstance(screen, Dashboard) and screen.folder.path == folder.path:
                return screen
        return None

    @staticmethod
    def _busy(host: Host) -> str:
        return f"{host.folder.name} trains in this window: stop it or detach it first, one process trains one run"
