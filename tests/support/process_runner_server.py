"""A process with torch loaded that forks a child for every requested run: a real process, started in milliseconds.

It reads one JSON object a line on stdin and writes each child's id and exit code to stdout. process_runner.py starts it.
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
from stoker.engine.launch import process, signals
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import CheckpointSaved, Event
from stoker.engine.runs.folder import RunFolder
from stoker.engine.training.trainer import Trainer

PACE = 0.02  # seconds between two batches while a save is awaited


class Script(Controls):
    """Counts the loop's polls of its controls. At poll `at` it saves and kills the process, or sends it a signal."""

    def __init__(
        self, folder: RunFolder, *, at: int | None = None, how: str = "kill", trace: bool = False, go_on: bool = False
    ) -> None:
        super().__init__(folder.commands)
        self.go_on = go_on
        self.folder, self.at, self.how, self.polls = folder, at, how, 0
        self.places: list[Any] | None = [] if trace else None
        self.trainer: Any = None

    def pending(self, now: float) -> bool:
        self.polls += 1
        if self.places is not None:
            t = self.trainer
            p = t.state.progress
            self.places.append([p.fold, p.epoch, p.batch, p.step, t.evaluation.running, len(t.state.window)])
        if self.at is not None and self.polls >= self.at:
            self._interrupt()
        return super().pending(now)

    def wait(self, seconds: float = 0.05) -> None:
        if self.go_on:
            self.send(Command(command="resume"))
        super().wait(seconds)

    def _interrupt(self) -> None:
        if self.how != "kill":
            if self.polls == self.at:
                os.kill(os.getpid(), getattr(signal, self.how))
        elif self.polls == self.at:
            self.send(Command(command="save"))
        elif self.at is not None and self.polls >= self.at + 3:
            # Die some batches after the save: the next engine replaces their events and trains them again.
            if (self.folder.checkpoints / "latest.pt").exists():
                os.kill(os.getpid(), signal.SIGKILL)
            # The save waits for another one that is being written, and this thread must poll to start it.
            time.sleep(PACE)

    def on_event(self, event: Event) -> None:
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

    class TracedTrainer(Trainer):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            script.trainer = self

    session.Trainer = TracedTrainer  # type: ignore[attr-defined,assignment,misc]
    if request.get("thread"):
        import threading

        outcome: list[Any] = []
        host = threading.Thread(target=lambda: outcome.append(session.train(folder, script, script.on_event)))
        host.start()
        host.join()
        code = process.exit_code(outcome[0], script)
    else:
        code = process.run(folder, script, script.on_event, request.get("checkpoint"))[1]
    if script.places is not None:
        (folder.path / "trace.json").write_text(json.dumps(script.places))
    return code


def child(request: dict[str, Any]) -> None:
    """Run a request in this forked child and end the process; never returns."""
    code = 99
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # so that a test can signal the process and its workers together
        signals.redirect_output_to_log(RunFolder(Path(request["folder"])))
        code = run(request)
    except BaseException as error:
        traceback.print_exc()
        code = getattr(error, "exit_code", 98)
    finally:
        sys.stderr.flush()
        os._exit(code)


def warm() -> None:
    """Train once in this process, so that every lazy import happens before the first fork."""
    with tempfile.TemporaryDirectory() as temporary:
        given = {"epochs": 2, "threads": 1, "device": "cpu", "workers": 0, "optimizer": "adam", "split": "holdout:0.2"}
        folder = runs.create(Path(temporary), "iris", "warm", {"parameters": {}, "given": given})
        session.train(folder, Controls(folder.commands), lambda event: None)


def main() -> None:
    """Serve requests until stdin is closed."""
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
