"""Run a script that opens its run by itself, in a process and session of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from ..errors import RequestError, RunError, RunLocked
from ..runs.events import Event, RunFinished, RunStarted
from ..runs.folder import RunFolder
from ..runs.journal import EventFollower, Journal
from ..runs.record import Script
from ..runs.script import FOLDER_VARIABLE

SHOWN_LINES = 20  # lines of output shown of a script that ended too early
MAX_OUTPUT = 64 * 1024  # bytes of output read for them
POLL_INTERVAL = 0.05  # seconds between two looks at the process


class ScriptProcess:
    """The process of a script whose `stoker.Run` takes the given folder. Its output goes to engine.log."""

    def __init__(self, folder: RunFolder) -> None:
        """Start the script of the run in `folder`. Raises RequestError where it cannot start, RunLocked, RunError."""
        script = folder.record().script
        if script is None:
            raise RunError(f"run {folder.name} has no script that could run again")
        if folder.locked():
            raise RunLocked(f"run {folder.name} is already being trained by {folder.holder()}")
        _check(folder, script)
        self.folder, self.name = folder, Path(script.path).name
        self._events = EventFollower(folder.events, at_end=True)
        self._opened = self._settled = False
        self._finished: RunFinished | None = None
        log = os.open(folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._log_start = os.fstat(log).st_size
        # Unbuffered, so that the log shows what the script printed before it was killed.
        environment = {**os.environ, FOLDER_VARIABLE: str(folder.path), "PYTHONUNBUFFERED": "1"}
        try:
            self._process = subprocess.Popen(
                script.argv,
                cwd=script.cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except OSError as error:
            raise RequestError(f"{script.argv[0]} cannot be started: {error.strerror}") from error
        finally:
            os.close(log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    @property
    def opened(self) -> bool:
        """Whether the script has opened its run: it holds the lock, or has written an event."""
        self._read()
        return self._opened or (not self.ended and self.folder.locked())

    def send_signal(self, signum: int) -> None:
        """Send a signal to the script; its Run saves and ends it."""
        self._process.send_signal(signum)

    def wait_until_opened(self, seconds: float) -> bool:
        """Wait until the run is open or the script has ended, at most `seconds`; return whether it is open."""
        end = time.monotonic() + seconds
        while not self.ended and not self.opened and time.monotonic() < end:
            time.sleep(POLL_INTERVAL)
        return self.opened

    def settle(self) -> str | None:
        """After the end: return why the script never opened its run, or None, and record that once in its events."""
        self._read()
        if self._opened:
            return None
        code = self._process.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if code == 0:
            message = (
                f"{self.name} ended without opening a run: call stoker.Run(…) or stoker.init(…) in it, or give a"
                f" function that returns a Task as {self.name}:FUNCTION"
            )
        else:
            message = f"{self.name} {how} before it opened its run"
        if not self._settled:
            self._settled = True
            self._record(RunFinished(cause="failed", message=message))
        return message

    def exit_code(self) -> int:
        """Return 0, 1 for a failure, or 128 + signal, after the end of the process."""
        code, failed = self._process.wait(), self.settle() is not None
        code = 128 - code if code < 0 else code
        failed = failed or (self._finished is not None and self._finished.cause == "failed")
        return code if code >= 128 else int(failed or code != 0)

    def last_output(self) -> list[str]:
        """Return the last lines that this process of the script printed."""
        with self.folder.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, size - MAX_OUTPUT))
            return file.read().decode(errors="replace").splitlines()[-SHOWN_LINES:]

    def _read(self) -> None:
        for event in self._events.read_events():
            self._opened |= isinstance(event, RunStarted)
            self._finished = event if isinstance(event, RunFinished) else self._finished

    def _record(self, event: Event) -> None:
        try:
            with self.folder.lock():
                journal = Journal(self.folder.events)
                journal.append(event)
                journal.close()
        except (RunError, OSError):
            return  # the run was deleted meanwhile, or is trained by another process: nobody misses the event


def _check(folder: RunFolder, script: Script) -> None:
    """Raise RequestError where the script or its folder is gone."""
    if not Path(script.path).is_file():
        raise RequestError(f"run {folder.name} needs its script, but there is no file {script.path}")
    if not Path(script.cwd).is_dir():
        raise RequestError(f"run {folder.name} was started in {script.cwd}, which is no folder now")
