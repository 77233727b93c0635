"""A run that only logs: what `stoker.init` returns."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from ..errors import RequestError, RunError
from ..runs.commands import Controls
from ..runs.events import Event, Logged, RunFinished, RunStarted, Warned
from ..runs.folder import RunFolder
from ..runs.journal import Journal
from ..runtime.open_runs import OPEN
from ..runtime.script_end import on_script_end
from ..runtime.stop_run import StopRun
from .commands import ScriptCommands
from .config import Config
from .rows import Row, events_of
from .values import flat

FLUSH_INTERVAL = 0.2  # seconds between two writes of the thread


class TrackedRun:
    """One run of a script that logs numbers. A thread writes them five times a second."""

    def __init__(self, folder: RunFolder, config: Any, resumed_from: int | None) -> None:
        """Lock and open the run in `folder`, and emit its start. Raises RunLocked, RunError."""
        self.folder = folder
        self.config = Config(config, self._config_changed)
        self.summary: dict[str, Any] = {}
        """The newest value of each metric, and what the script puts here; its numbers are the run's results."""
        self.step = 0 if resumed_from is None else resumed_from + 1
        """The step of the next values that are logged without one."""
        self._rows: deque[Row] = deque()
        self._written, self._resumed_from = resumed_from if resumed_from is not None else -1, resumed_from
        self._asked = self._dirty = self._over = False
        self._skipped: set[str] = set()
        self._lock, self._done = threading.RLock(), threading.Event()
        self._cleanup = ExitStack()
        self._cleanup.enter_context(folder.lock())
        try:
            self._journal = Journal(folder.events)
        except OSError as error:
            self._cleanup.close()
            raise RunError(f"run folder {folder.path} cannot be written: {error.strerror}") from error
        self._controls = Controls(folder.commands)
        self._commands = ScriptCommands(self._controls, self._emit, lambda: {"step": max(self._written, 0)})
        OPEN[folder.name] = self
        self._cleanup.callback(OPEN.clear)
        self._cleanup.callback(on_script_end(self._script_ended))
        self._start()
        threading.Thread(target=self._work, name="stoker-log", daemon=True).start()

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    id = name
    url = None

    @property
    def dir(self) -> str:
        """The run's folder."""
        return str(self.folder.path)

    def log(self, values: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **_: Any) -> None:
        """Record numbers by name; tensors of one element are read now, texts are recorded as texts.

        Without `step` each call is one step more, unless `commit` is False; with it the values belong to that step.
        Raises StopRun, a SystemExit, where a person stops the run, RequestError after `finish` and for a wrong step.
        """
        if self._asked:
            self._carry_out()
        if step is None:
            step = self.step
            self.step = step if commit is False else step + 1
        else:
            step = step if type(step) is int and step >= 0 else _whole(step)
            # A value that comes late, for an earlier step, does not move the count back.
            self.step = max(self.step, step + 1 if commit else step)
        row = {}
        for name, value in values.items():
            if type(value) is float:
                row[name] = value
            else:
                self._convert({name: value}, step, row)
        self._rows.append((step, row))

    def alert(self, title: str, text: str = "", **_: Any) -> None:
        """Show a message in the dashboard, and ring its bell."""
        self._emit(Warned(kind="alert", message=f"{title}: {text}" if text else title, step=max(self._written, 0)))

    def finish(self, exit_code: int | None = None, **_: Any) -> None:
        """Write everything and end the run; without it this happens when the script ends."""
        self._end("failed" if exit_code else "completed", f"exit code {exit_code}" if exit_code else "")

    def define_metric(self, *_: Any, **__: Any) -> None:
        """Do nothing: every metric is drawn by its step."""

    def watch(self, *_: Any, **__: Any) -> None:
        """Do nothing: gradients are not recorded."""

    def __enter__(self) -> TrackedRun:
        """Return the run."""
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        """Finish the run; an error of the block is recorded."""
        self._script_ended(error)

    def flush(self) -> None:
        """Write what was logged so far."""
        with self._lock:
            rows = [self._rows.popleft() for _ in range(len(self._rows))]
            if rows:
                self._write(rows)
            if self._dirty:
                self._dirty = False
                record = self.folder.record()
                record.parameters = dict(self.config)
                self.folder.write_record(record)

    def forked(self) -> None:
        """Record nothing in this copy of the process: the run belongs to the parent."""
        self._over, self._rows, self._lock = True, deque(maxlen=1), threading.RLock()

    def _start(self) -> None:
        record = self.folder.record()
        self._emit(
            RunStarted(run=self.name, task=record.task, resumed_from=self._resumed_from, pid=os.getpid(), host=socket.gethostname())
        )  # fmt: skip

    def _write(self, rows: list[Row]) -> None:
        if self._resumed_from is not None and rows[0][0] <= self._resumed_from:
            # The script goes on from an earlier step than the last one: what was logged after it is void.
            self._resumed_from = max(0, rows[0][0] - 1)
            self._start()
            self._written = -1
        self._resumed_from = None
        for event in events_of(rows, self._written):
            self._journal.append(event)
        self._written = max(self._written, rows[-1][0])
        for _, row in rows:
            self.summary.update(row)

    def _convert(self, values: Mapping[str, Any], step: int, row: dict[str, float]) -> None:
        for name, value in flat(values):
            if isinstance(value, str):
                self._emit(Logged(title=name, text=value, step=step))
            elif value is not None:
                row[name] = value
            elif name not in self._skipped:
                self._skipped.add(name)
                self._emit(Warned(kind="note", message=f"{name} is neither a number nor a text: it is not logged"))

    def _emit(self, event: Event) -> None:
        with self._lock:
            if self._over:
                raise RequestError(f"run {self.name} is finished: call stoker.init() before the next stoker.log()")
            self.flush()
            self._journal.append(event)

    def _config_changed(self) -> None:
        self._dirty = True

    def _carry_out(self) -> None:
        if self._over:
            raise RequestError(f"run {self.name} is finished: call stoker.init() before the next stoker.log()")
        if self._commands.carry_out():
            self._end("stopped", "")
            raise StopRun(0)
        self._asked = False

    def _work(self) -> None:
        pid = os.getpid()
        while not self._done.wait(FLUSH_INTERVAL) and os.getpid() == pid:
            # The script's own thread carries the commands out, in its next `log`, and reads them alone meanwhile.
            self._asked = self._asked or self._controls.arrived()
            with contextlib.suppress(OSError, RunError):  # a record that cannot be written now is written at the end
                self.flush()

    def _script_ended(self, error: BaseException | None) -> None:
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self._end("completed", "")
        elif isinstance(error, KeyboardInterrupt):
            self._end("stopped", "stopped by ctrl+c")
        elif not isinstance(error, StopRun):
            self._end("failed", f"{type(error).__name__}: {error}")

    def _end(self, cause: str, message: str) -> None:
        with self._lock:
            if self._over:
                return
            try:
                self.flush()
                self._commands.close()
                test = {n: float(v) for n, v in self.summary.items() if isinstance(v, int | float) and math.isfinite(v)}
                self._emit(RunFinished(cause=cause, test=test, message=message, step=max(self._written, 0)))
                self._journal.sync()
            finally:
                # From here on `log` is refused by `_carry_out`.
                self._over = self._asked = True
                self._done.set()
                self._journal.close()
                self._cleanup.close()


def _whole(step: Any) -> int:
    try:
        found = int(step)
    except (TypeError, ValueError):
        found = -1
    if found < 0:
        raise RequestError(f"stoker.log(…, step={step!r}): a step must be a whole number of at least 0")
    return found
