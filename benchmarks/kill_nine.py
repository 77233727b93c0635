"""`kill -9` at random moments of a run that saves every 10 steps: what is lost, and whether the end is the same."""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stoker.engine import Task, session
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.runs import events
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.folder import RunFolder

from .measure import told

EVERY = 10  # steps between two saves
ROWS, BATCH = 320, 8  # 40 steps in an epoch
STEP = 0.06  # seconds a step takes at least: longer than a save does where nothing else is running
UP = 0.05  # seconds that an engine lives at least after its first step
LIVES = 1.2  # and up to so many more


def main(arguments: list[str]) -> dict[str, Any]:
    """Kill the run `--kills` times, resuming it each time, let it end, and compare it with one nobody killed."""
    parser = argparse.ArgumentParser(prog="kill_nine", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--megabytes", type=int, default=24, help="size of the state")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        return _run(given, Path(place))


def task(megabytes: int, counter: mmap.mmap | None) -> Task:
    """Return a task whose steps are counted where a killed process cannot take the count with it."""
    wide = megabytes * (1 << 20) // 4 // 3 // 64  # Adam keeps two numbers beside each parameter
    model = nn.Sequential(nn.Linear(8, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, wide))
    generator = torch.Generator().manual_seed(1)
    data = torch.randn(ROWS, 8, generator=generator), torch.randn(ROWS, 1, generator=generator)

    def step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        if counter is not None:
            struct.pack_into("q", counter, 0, struct.unpack_from("q", counter)[0] + 1)
        time.sleep(STEP)
        return nn.functional.mse_loss(model(batch[0]).mean(1, keepdim=True), batch[1])

    return Task(model=model, train=data, test=data, step=step, evaluate=_evaluate)


def _evaluate(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    outputs = model(batch[0]).mean(1, keepdim=True)
    return nn.functional.mse_loss(outputs, batch[1]), outputs, batch[1]


def _run(given: argparse.Namespace, place: Path) -> dict[str, Any]:
    chance = random.Random(given.seed)
    # Some steps for each life to get further, and the last one trains to the end.
    epochs = 2 + given.kills * 8 * BATCH // ROWS
    whole = _folder(place, "whole", epochs)
    killed = _folder(place, "killed", epochs)
    unharmed = _engine(whole, given.megabytes, None)
    counter = mmap.mmap(-1, 16)
    failures = saved_at = died_saving = kills = broken_promises = 0
    lost: list[int] = []
    while kills < given.kills:
        pid = _engine(killed, given.megabytes, counter)
        while struct.unpack_from("q", counter)[0] < 1 and _alive(pid):
            time.sleep(0.001)
        time.sleep(UP + chance.random() * LIVES)
        if not _alive(pid):
            break
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        kills += 1
        died_saving += bool(list(killed.checkpoints.glob(".*.tmp")))
        finished = saved_at + struct.unpack_from("q", counter)[0] - 1
        try:
            found = checkpoint.newest(killed.checkpoints)
        except checkpoint.CheckpointError as error:
            print(error, file=sys.stderr)
            failures += 1
            break
        saved_at = found[1]["progress"]["step"] if found else 0
        failures += bool(found and found[2])
        lost.append(finished - saved_at)
        safe = [e.step or 0 for e in _said(killed) if isinstance(e, events.CheckpointSaved)]
        broken_promises += bool(safe) and saved_at < max(safe)
    last, first = _end(_engine(killed, given.megabytes, None)), _end(unharmed)
    seconds = [e.seconds for e in _said(killed) if isinstance(e, events.CheckpointSaved) and e.kind == "latest"]
    same = [name for name in ("latest.pt", "best.pt") if _model(whole, name) == _model(killed, name)]
    return {
        "kills": kills,
        "killed_inside_a_save": died_saving,
        "resumes_that_failed": failures + (last != 0) + (first != 0),
        "steps_between_saves": EVERY,
        "steps_lost": told(lost, 0),
        "lost_more_than_one_interval": sum(steps > EVERY for steps in lost),
        "steps_of_the_slowest_save": round(max(seconds) / STEP, 1),
        "lost_though_told_to_be_safe": broken_promises,
        "save_seconds": told(seconds),
        "bytes": (killed.checkpoints / "latest.pt").stat().st_size,
        "same_weights": same == ["latest.pt", "best.pt"],
        "same_losses": _losses(whole) == _losses(killed),
    }


def _folder(place: Path, name: str, epochs: int) -> RunFolder:
    settings = {"epochs": epochs, "batch_size": BATCH, "optimizer": "adam", "lr": 0.001, "threads": 1, "device": "cpu"}
    given = {**settings, "save_every": f"{EVERY}steps", "eval_every": "30steps"}
    return runs.create(place, "benchmark", name, {"parameters": {}, "given": given})


def _engine(folder: RunFolder, megabytes: int, counter: mmap.mmap | None) -> int:
    """Start an engine in a process of its own: a fork, because loading torch would be most of the time."""
    if counter is not None:
        struct.pack_into("q", counter, 0, 0)
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        session.loading.find = lambda _: lambda: task(megabytes, counter)  # type: ignore[assignment]
        code = int(session.train(folder, Controls(), lambda _: None).cause != "completed")
    finally:
        os._exit(code)


def _end(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _alive(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG) == (0, 0)


def _model(folder: RunFolder, name: str) -> bytes:
    saved = checkpoint.read(folder.checkpoints / name)
    adam = saved["optimizer"]["state"]
    tensors = [*saved["model"].values(), *(value for state in adam.values() for value in state.values())]
    return b"".join(tensor.numpy().tobytes() for tensor in tensors)


def _said(folder: RunFolder) -> list[events.Event]:
    return [event for line in folder.events.read_bytes().splitlines(True) if (event := events.decode(line))]


def _losses(folder: RunFolder) -> dict[int, float]:
    """Return the loss of every step, without those that a resume superseded."""
    losses: dict[int, float] = {}
    for event in _said(folder):
        if isinstance(event, events.RunStarted):
            losses = {step: loss for step, loss in losses.items() if step <= (event.resumed_from or 0)}
        elif isinstance(event, events.Steps):
            losses.update(enumerate(event.losses, event.first))
    return losses


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
