"""A process with torch loaded that forks a child for every run asked of it: a real process, started in milliseconds.

It reads a JSON object a line on stdin and answers each with its child's wait status on stdout. Started by forge.py.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from stoker.engine import session
from stoker.engine.launch import process
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import CheckpointSaved, Event
from stoker.engine.runs.folder import RunFolder

WAIT = 20.0  # seconds until a save that is waited for counts as lost


class Script(Controls):
    """Counts the loop's looks at its controls, and at look `at` saves and dies, or is told to end by a signal."""

    def __init__(
        self, folder: RunFolder, *, at: int | None = None, how: str = "kill", trace: bool = False, go_on: bool = False
    ) -> None:
        super().__init__(folder.commands)
        self.go_on = go_on
        self.folder, self.at, self.how, self.looks = folder, at, how, 0
        self.places: list[Any] | None = [] if trace else None
        self.trainer: Any = None

    def pending(self, now: float) -> bool:
        self.looks += 1
        if self.places is not None:
            t = self.trainer
            p = t.progress
            self.places.append([p.fold, p.epoch, p.batch, p.step, t.examiner.evaluating is not None, len(t.window)])
        if self.at is not None and self.looks >= self.at:
            self._interrupt()
        return super().pending(now)

    def wait(self, seconds: float = 0.05) -> None:
        if self.go_on:
            self.send(Command(command="resume"))
        super().wait(seconds)

    def _interrupt(self) -> None:
        if self.how != "kill":
            if self.looks == self.at:
                os.kill(os.getpid(), getattr(signal, self.how))
        elif self.looks == self.at:
            self.send(Command(command="save"))
        elif self.looks >= self.at + 3:
            # Some batches past the save: what they said is superseded, what they learned is lost.
            deadline = time.monotonic() + WAIT
            while not (self.folder.checkpoints / "latest.pt").exists() and time.monotonic() < deadline:
                time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGKILL)

    def say(self, event: Event) -> None:
        if (
            self.at is not None
            and self.how == "kill"
            and isinstance(event, CheckpointSaved)
            and event.cause == "command"
        ):
            os.kill(os.getpid(), signal.SIGKILL)


def run(request: dict[str, Any]) -> int:
    """Train as the engine's own process does, and return its exit code."""
    folder = RunFolder(Path(request["folder"]))
    script = Script(folder, **{name: request[name] for name in ("at", "how", "trace", "go_on") if name in request})

    class Seen(session.Trainer):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            script.trainer = self

    session.Trainer = Seen  # type: ignore[misc]
    if request.get("thread"):
        import threading

        outcome: list[Any] = []
        host = threading.Thread(target=lambda: outcome.append(session.train(folder, script, script.say)))
        host.start()
        host.join()
        code = process.exit_code(outcome[0], script)
    else:
        code = process.run(folder, script, script.say, request.get("checkpoint"))[1]
    if script.places is not None:
        (folder.path / "trace.json").write_text(json.dumps(script.places))
    return code


def child(request: dict[str, Any]) -> None:
    """Be the process that was asked for; never returns."""
    code = 99
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # so that a signal can be sent to it and its workers together
        process.leave_terminal(RunFolder(Path(request["folder"])))
        code = run(request)
    except BaseException as error:
        traceback.print_exc()
        code = getattr(error, "exit_code", 98)
    finally:
        sys.stderr.flush()
        os._exit(code)


def warm() -> None:
    """Train once here, so that whatever is loaded late is loaded before the first fork."""
    with tempfile.TemporaryDirectory() as temporary:
        given = {"epochs": 2, "threads": 1, "device": "cpu", "workers": 0, "optimizer": "adam", "split": "holdout:0.2"}
        folder = runs.create(Path(temporary), "iris", "warm", {"parameters": {}, "given": given})
        session.train(folder, Controls(folder.commands), lambda event: None)


def main() -> None:
    """Serve until stdin ends."""
    warm()
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    print("ready", flush=True)
    text, open_runs = b"", {}
    while True:
        ready, _, _ = select.select([0, wake], [], [])
        if 0 in ready:
            if not (got := os.read(0, 65536)):
                return
            *lines, text = (text + got).split(b"\n")
            for line in lines:
                request = json.loads(line)
                pid = os.fork()
                if not pid:
                    child(request)
                open_runs[pid] = request["id"]
        if wake in ready:
            os.read(wake, 65536)
            while open_runs:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                print(json.dumps([open_runs.pop(pid), os.waitstatus_to_exitcode(status)]), flush=True)


if __name__ == "__main__":
    main()
