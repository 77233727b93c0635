"""Trains runs in real processes, quickly: process_runner_server.py forks them. Reads and compares their run folders."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import torch

from stoker.engine.runs import events as e
from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import scaled

HERE = Path(__file__).parent
TIME_LIMIT = scaled(60.0)  # seconds for one run


class ProcessRunner:
    """Trains runs in forked processes."""

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
        """Train the run in a process of its own; the future holds its exit code, or the negated signal that killed it."""
        number, outcome = next(self._numbers), Future[int]()
        line = json.dumps({"id": number, "folder": str(folder.path), **request}).encode() + b"\n"
        with self._lock:
            self._open[number] = outcome
            assert self._server.stdin is not None
            self._server.stdin.write(line)
            self._server.stdin.flush()
        return outcome

    def run(self, folder: RunFolder, **request: Any) -> int:
        """Train the run to its end and return the exit code."""
        return self.start(folder, **request).result(TIME_LIMIT)

    def _listen(self) -> None:
        assert self._server.stdout is not None
        for line in self._server.stdout:
            number, code = json.loads(line)
            self._open.pop(number).set_result(code)

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(TIME_LIMIT)


def create(
    runs_folder: Path, task: str, parameters: dict[str, Any] | None = None, /, name: str = "run", **given: Any
) -> RunFolder:
    """Create a run folder for a task of tasks_for_tests.py."""
    where = f"{HERE / 'tasks_for_tests.py'}:{task}"
    return runs.create(runs_folder, where, name, {"parameters": parameters or {}, "given": {"threads": 1, **given}})


def change_settings(folder: RunFolder, **given: Any) -> None:
    """Change settings of a run; they take effect at its next start."""
    record = folder.record()
    record.given.update(given)
    folder.write_record(record)


def recorded_events(folder: RunFolder) -> list[e.Event]:
    """Return all events of a run, in order; the last line must be complete."""
    lines = folder.events.read_bytes().split(b"\n")
    assert lines[-1] == b"", "the last line is incomplete"
    found = [e.decode(line) for line in lines[:-1]]
    assert None not in found
    return [event for event in found if event is not None]


def history(folder: RunFolder) -> dict[Any, Any]:
    """Return losses, evaluations, early-stopping counts and learning rates by fold and step; resumes replace the old."""
    points: dict[Any, Any] = {}
    for event in recorded_events(folder):
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


def checkpoint_state(folder: RunFolder, name: str = "latest.pt") -> dict[str, Any]:
    """Return a checkpoint's content, without the entries that differ between two equal trainings."""
    saved: dict[str, Any] = torch.load(folder.checkpoints / name, weights_only=True)
    del saved["progress"]["seconds"], saved["settings"]["workers"], saved["run"]
    saved["environment"].pop("data", None)  # only an engine without workers has it
    return saved


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Return the paths of all entries in which two states differ in any bit."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        same = one.dtype == other.dtype and one.shape == other.shape
        bits, others = (tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (one, other))  # bfloat16 too
        return [] if same and torch.equal(bits, others) else [where]
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [at for key in one for at in differences(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, list | tuple) and type(one) is type(other) and len(one) == len(other):
        return [at for number in range(len(one)) for at in differences(one[number], other[number], f"{where}.{number}")]
    nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return [] if nan or (type(one) is type(other) and one == other) else [f"{where}: {one!r} is not {other!r}"]


def assert_same_run(one: RunFolder, other: RunFolder) -> None:
    """Check that two runs have the same checkpoints, bit for bit, and the same history."""
    names = {path.name for path in one.checkpoints.glob("*.pt")} - {"previous.pt"}
    assert names <= {path.name for path in other.checkpoints.glob("*.pt")}
    for name in sorted(names):
        assert differences(checkpoint_state(one, name), checkpoint_state(other, name), name) == []
    left, right = history(one), history(other)
    assert left.keys() == right.keys()
    assert differences(left, right, "history") == []


def last_event(folder: RunFolder, kind: type[e.Event], **fields: Any) -> Any:
    """Return the last event of a kind with these field values, or None if there is none."""
    if not folder.events.exists():
        return None
    found = [event for line in folder.events.read_bytes().splitlines(True) if (event := e.decode(line)) is not None]
    for event in reversed(found):
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items()):
            return event
    return None
