"""The app: the screens of runs, and the engine that trains one of them in this process."""

from __future__ import annotations

import asyncio
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
from stoker.engine.runs.events import RunFinished, now
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.record import Record
from stoker.engine.runs.status import label

from ..backend.cli_process import run_command
from ..backend.engine_thread import EngineThread
from ..backend.log_tail import LogTail
from ..backend.source import FolderSource, LiveSource, Source
from ..screens.dashboard import Dashboard
from ..screens.leave import Leave
from ..terminal.charset import Charset
from . import palette
from .base import BaseApp
from .preferences import PreferencesFile
from .resume import resume

BUSY = "{} trains in this window: stop or detach it first (one process trains one run)"


class StokerApp(BaseApp):
    """Shows the run in `folder`, or the screen `first`; with an `engine` it also trains the run."""

    COMMANDS = BaseApp.COMMANDS | {palette.RunProvider}
    BINDINGS = [
        Binding("E", "results", "Results", id="run.results", tooltip="Show the scores of the best checkpoint", show=False),
        Binding("X", "export", "Export", id="run.export", tooltip="Write curves or weights to a file", show=False),
    ]  # fmt: skip

    def __init__(
        self,
        folder: RunFolder | None = None,
        *,
        engine: EngineThread | None = None,
        source: Source | None = None,
        clock: Callable[[], float] = now,
        first: Screen[Any] | None = None,
        runs: Path | None = None,
        charset: Charset = "all",
        preferences: PreferencesFile | None = None,
    ) -> None:
        """Show a run; without a `source`, its events come from `engine` or from its folder.

        `clock` returns Unix seconds. `runs` is the folder of the other runs, by default the one that holds `folder`.
        """
        super().__init__(charset=charset, preferences=preferences)
        self._events_loop: asyncio.AbstractEventLoop | None = None
        self.error: StokerError | None = None
        self.finished: RunFinished | None = None
        self.engine = engine
        """The engine of this process, once a run is to be trained here."""
        self.detached = False
        """The user wants the run to continue in a background process after the app has ended."""
        self.record_to_restore: Record | None = None
        """The run's record before its limit was raised; it is written back if the engine refuses the new limit."""
        self._clock = clock
        self._restarted = False
        self._quitting = False
        self._question: Leave | None = None
        self._exit_code: int | None = None
        if folder is not None:
            source = source or (LiveSource(engine) if engine else FolderSource(folder))
            first = self._dashboard_of(folder, source)
        self._first = first
        self.runs = runs or (folder.path.parent if folder else Path("runs"))

    @property
    def continues_in_background(self) -> bool:
        """Whether the run was detached and saved, so that a background process must train on; a signal ends it."""
        stopped = self.finished is not None and self.finished.cause == "stopped"
        return self.detached and stopped and self.engine is not None and self.engine.controls.signal is None

    @property
    def dashboard(self) -> Dashboard:
        """The topmost dashboard, or the newest one if none is open."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Dashboard)), self._newest)

    def on_mount(self) -> None:
        """Show the first screen; exit if `leave` was called before."""
        self._events_loop = asyncio.get_running_loop()
        if self._first is not None:
            self.push_screen(self._first)
        if self._exit_code is not None:
            self.exit(return_code=self._exit_code)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Return the entries of the command palette for `screen`."""
        return palette.commands(self, screen)

    def leave(self, code: int) -> None:
        """End the app with `code`, but not a running engine; none starts any more. Safe in a signal handler."""
        self._exit_code = code
        if self._events_loop is not None and not self._events_loop.is_closed():
            self._events_loop.call_soon_threadsafe(partial(self.exit, return_code=code))

    def open_run(self, folder: RunFolder) -> Dashboard:
        """Show the dashboard of the run in `folder`, and return it."""
        shown = self._shown(folder)
        while shown is not None and self.screen is not shown:
            self.pop_screen()
        if shown is None:
            self.push_screen(shown := self._dashboard_of(folder, FolderSource(folder)))
        return shown

    def resume_run(self, folder: RunFolder, *, hints: bool = False) -> None:
        """Show the run in `folder` and resume it here, with `hints` for a demonstration; ask for a limit if it needs one."""

        def start(before: Record | None) -> None:
            self.record_to_restore, self._restarted, self.engine = before, False, EngineThread(folder)
            dashboard = self._dashboard_of(folder, LiveSource(self.engine))
            if hints:
                dashboard.show_hints()
            self.push_screen(dashboard)

        if self.engine is not None and self.engine.running:
            self.notify(BUSY.format(self.engine.folder.name), severity="warning", markup=False)
        else:
            resume(self, folder, start, self.open_run)

    def action_results(self) -> None:
        """Show the scores of the best checkpoint of the run on the screen."""
        from ..screens.results import Results

        if folder := self._current_run:
            self.push_screen(Results(folder))

    def action_export(self) -> None:
        """Ask for the file to export from the run on the screen, and write it."""
        from ..screens.export import Export

        if (folder := self._current_run) is None:
            return

        def answered(target: Path | None) -> None:
            if target is not None:
                written = run_command("export", str(folder.path.absolute()), "--to", str(target))
                self.run_worker(written, name="export", exit_on_error=False)

        self.push_screen(Export(folder), answered)

    def on_dashboard_caught_up(self) -> None:
        """Start the engine after the first frame is shown, because importing torch takes seconds."""
        engine = self.engine
        if engine and not engine.started and self._exit_code is None and self._shown(engine.folder):
            self._start(engine)

    def on_dashboard_restart(self) -> None:
        """Start an engine for a run that has none; ask for a new limit if the run reached its limit."""
        dashboard, folder = self.dashboard, self.dashboard.folder

        def start(before: Record | None) -> None:
            self.record_to_restore = before
            if self.engine is None or self.engine.folder.path != folder.path:
                self.engine = EngineThread(folder)
                # The open dashboard reads the run folder.
                self.engine.detached_view = True
            self._restarted = True
            self._start(self.engine)

        if self.engine is None or not self.engine.running:
            resume(self, folder, start, self.open_run)
        elif self.engine.folder.path != folder.path:
            dashboard.engine_refused(BUSY.format(self.engine.folder.name))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Handle the end of the engine or of an export."""
        if event.worker.name == "export" and event.state in (WorkerState.SUCCESS, WorkerState.ERROR):
            failed = event.state is WorkerState.ERROR
            message = str(event.worker.error if failed else event.worker.result).strip()
            self.notify(message, severity="error" if failed else "information", markup=False)
        if event.worker.name != "engine":
            return
        if event.state is WorkerState.SUCCESS:
            self.finished = event.worker.result
            if self.screen is self._question:
                # The run has ended: there is nothing left to save, and the user should see how it ended.
                self._question.dismiss(False)
            if self.engine is not None and self.engine.controls.signal is not None:
                self.exit(return_code=128 + self.engine.controls.signal)
            elif self.engine is not None and self.finished and not self._shown(self.engine.folder):
                self.notify(f"{self.engine.folder.name}: {label(self.finished.cause)}", markup=False)
        elif event.state is WorkerState.ERROR:
            self._handle_error(event.worker.error)
        else:
            return
        self.record_to_restore = None
        if self._quitting:
            self._exit_with_result()

    def _handle_error(self, error: BaseException | None) -> None:
        assert self.engine is not None, "only an engine raises this error"
        if self.record_to_restore is not None and isinstance(error, RequestError):
            self.engine.folder.write_record(self.record_to_restore)
        message = str(error) if isinstance(error, StokerError) else f"{type(error).__name__}: {error}"
        dashboard = self._shown(self.engine.folder)
        if dashboard is None:
            self.notify(f"{self.engine.folder.name}: {message}", severity="error", markup=False)
        elif not isinstance(error, RequestError):
            self.error = error if isinstance(error, StokerError) else TrainingError(message)
            dashboard.engine_failed(message)
        elif self._restarted:
            dashboard.engine_refused(message)
        elif dashboard is not self._first:
            self.pop_screen()
            self.notify(message, severity="error", markup=False)
        else:
            # Nothing was trained, so there is nothing to show.
            self.error = error
            self._exit_with_result()

    async def action_quit(self) -> None:
        """Quit; if a run trains in this process, ask first and save it."""
        if self.engine is None or not self.engine.running:
            self._exit_with_result()
        elif not isinstance(self.screen, Leave):
            # A paused run would train on unasked, and a run of the list keeps its list.
            can_detach = self.check_action("detach", ()) and not self.dashboard.view.paused
            self._question = Leave(self.action_detach if can_detach else None)
            self.push_screen(self._question, self._answered)

    async def action_back(self) -> None:
        """Return to the previous screen; a run that trains in this process continues."""
        if self.engine is not None and self.screen is self._shown(self.engine.folder):
            # A dashboard that is opened later reads the run folder.
            self.engine.detached_view = True
            if not self.engine.running:
                self.error = self.finished = None
        await super().action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable Detach only for a run that trains in this process, Results and Export only on a run's screen."""
        if action == "detach":
            return self.engine is not None and self.engine.running and self._shown(self.engine.folder) is self.dashboard
        if action in ("results", "export"):
            return self._current_run is not None
        return super().check_action(action, parameters)

    def action_detach(self) -> None:
        """End the app; the run continues in a background process. A paused one would train on unasked: refuse it."""
        if self.dashboard.view.paused:
            self.notify("a paused run cannot be detached: continue it first, or quit", severity="warning", markup=False)
            return
        self.detached = True
        self._stop_and_exit()

    def _start(self, engine: EngineThread) -> None:
        self.error = self.finished = None
        engine.start()
        if (dashboard := self._shown(engine.folder)) is not None:
            dashboard.engine_requested()
        self.run_worker(engine.wait_async(), name="engine", exit_on_error=False)

    def _answered(self, confirmed: bool | None) -> None:
        if confirmed:
            self._stop_and_exit()

    def _stop_and_exit(self) -> None:
        if self.engine is not None and self.engine.running:
            self._quitting = True
            self.engine.controls.send(Command(command="stop"))
        else:
            self._exit_with_result()

    def _exit_with_result(self) -> None:
        failed = self.finished is not None and self.finished.cause == "failed"
        self.exit(return_code=self.error.exit_code if self.error else int(failed))

    def _dashboard_of(self, folder: RunFolder, source: Source) -> Dashboard:
        seen = self.preferences.current.seen.get(str(folder.path), 0.0) if self.preferences else 0.0
        self._newest = Dashboard(folder, source, LogTail(folder.log), self._clock, seen)
        return self._newest

    @property
    def _current_run(self) -> RunFolder | None:
        """The run of the topmost screen below questions and the palette, if it shows a run."""
        screen = next((screen for screen in reversed(self.screen_stack) if not screen.is_modal), None)
        return getattr(screen, "folder", None)

    def _shown(self, folder: RunFolder) -> Dashboard | None:
        """Return the open dashboard of a run, if there is one."""
        for screen in self.screen_stack:
            if isinstance(screen, Dashboard) and screen.folder.path == folder.path:
                return screen
        return None
