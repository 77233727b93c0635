"""Runs in real processes, quickly: asks process_runner_server.py for forked children, and reads what they leave behind."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import torch

from stoker.engine.runs import events as e
from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder

HERE = Path(__file__).parent
DEADLINE = 60.0  # seconds for one run


class Forge:
    """Starts runs in forked processes."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, HERE / "process_runner_server.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == b"ready\n"
        self._numbers, self._open = itertools.count(), dict[int, Future[int]]()
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, folder: RunFolder, **request: Any) -> Future[int]:
        """Train the run in a process of its own; the future is its exit code, negative for the signal it died of."""
        number, outcome = next(self._numbers), Future[int]()
        line = json.dumps({"id": number, "folder": str(folder.path), **request}).encode() + b"\n"
        with self._lock:
            self._open[number] = outcome
            assert self._server.stdin is not None
            self._server.stdin.write(line)
            self._server.stdin.flush()
        return outcome

    def run(self, folder: RunFolder, **request: Any) -> int:
        """Train the run and return the exit code."""
        return self.start(folder, **request).result(DEADLINE)

    def _listen(self) -> None:
        assert self._server.stdout is not None
        for line in self._server.stdout:
            number, code = json.loads(line)
            self._open.pop(number).set_result(code)

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(DEADLINE)


def create(
    place: Path, task: str, parameters: dict[str, Any] | None = None, /, name: str = "run", **given: Any
) -> RunFolder:
    """Make a run folder of a task of tasks_for_tests.py."""
    where = f"{HERE / 'tasks_for_tests.py'}:{task}"
    return runs.create(place, where, name, {"parameters": parameters or {}, "given": {"threads": 1, **given}})


def change(folder: RunFolder, **given: Any) -> None:
    """Change how a run is trained from its next start on."""
    record = folder.record()
    record.given.update(given)
    folder.write_record(record)


def said(folder: RunFolder) -> list[e.Event]:
    """Return all that a run's engines said."""
    lines = folder.events.read_bytes().split(b"\n")
    assert lines[-1] == b"", "the last line is whole"
    found = [e.decode(line) for line in lines[:-1]]
    assert None not in found
    return [event for event in found if event is not None]


def history(folder: RunFolder) -> dict[Any, Any]:
    """Return the losses, evaluations, early-stop counts and rates by their place, without what was superseded."""
    points: dict[Any, Any] = {}
    for event in said(folder):
        match event:
            case e.RunStarted():
                kept = -1 if event.resumed_from is None else event.resumed_from
                points = {key: value for key, value in points.items() if key[1] != event.fold or key[2] <= kept}
            case e.Steps():
                for number, loss in enumerate(event.losses):
                    points["loss", event.fold, event.first + number] = loss
            case e.Evaluated() if event.cause == "schedule":
                points["evaluated", event.fold, event.step, event.split] = event.metrics
            case e.EarlyStopping():
                points["early", event.fold, event.step] = (event.best, event.best_step, event.waited)
            case e.LearningRate() if event.cause == "schedule":
                points["rate", event.fold, event.step, event.epoch] = event.lr
            case e.Warned() if event.kind == "overfitting":
                points["overfitting", event.fold, event.step] = event.message
    return points


def state(folder: RunFolder, name: str = "latest.pt") -> dict[str, Any]:
    """Return what a checkpoint holds, without what differs between two equal trainings."""
    saved: dict[str, Any] = torch.load(folder.checkpoints / name, weights_only=True)
    del saved["progress"]["seconds"], saved["settings"]["workers"]
    return saved


def unequal(one: Any, other: Any, where: str = "") -> list[str]:
    """Return where two states differ in any bit."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        same = one.dtype == other.dtype and one.shape == other.shape
        return [] if same and one.numpy().tobytes() == other.numpy().tobytes() else [where]
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [at for key in one for at in unequal(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, list | tuple) and type(one) is type(other) and len(one) == len(other):
        return [at for number in range(len(one)) for at in unequal(one[number], other[number], f"{where}.{number}")]
    nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return [] if nan or (type(one) is type(other) and one == other) else [f"{where}: {one!r} is not {other!r}"]


def assert_same_run(one: RunFolder, other: RunFolder) -> None:
    """Check that two runs ended in the same state, kept the same best, and tell the same history."""
    names = {path.name for path in one.checkpoints.glob("*.pt")} - {"previous.pt"}
    assert names <= {path.name for path in other.checkpoints.glob("*.pt")}
    for name in sorted(names):
        assert unequal(state(one, name), state(other, name), name) == []
    left, right = history(one), history(other)
    assert left.keys() == right.keys()
    assert unequal(left, right, "history") == []


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """Return what `condition` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"no {what} in {seconds} s"
        time.sleep(0.002)
    return found


def heard(folder: RunFolder, kind: type[e.Event], **fields: Any) -> Any:
    """Return the last event of a kind that a run has said, with these fields; None if there is none."""
    if not folder.events.exists():
        return None
    found = [event for line in folder.events.read_bytes().splitlines(True) if (event := e.decode(line)) is not None]
    for event in reversed(found):
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items()):
            return event
    return None
