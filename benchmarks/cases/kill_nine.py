"""`kill -9` at random moments of a run that saves every 10 steps: steps lost, and whether the result is the same."""

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
from stoker.engine.errors import CheckpointError
from stoker.engine.runs import events
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.folder import RunFolder
from stoker.engine.tasks import loading

from ..harness.measure import summary

SAVE_INTERVAL = 10  # steps between two saves
ROWS, BATCH_SIZE = 320, 8  # 40 steps in an epoch
STEP_TIME = 0.06  # seconds that a step takes at least: longer than a save on an idle machine
MIN_LIFE = 0.05  # seconds that an engine lives at least after its first step
EXTRA_LIFE = 1.2  # seconds that an engine lives longer at most, drawn at random


def main(arguments: list[str]) -> dict[str, Any]:
    """Kill a run `--kills` times, resume it each time, let it end, and compare it with an uninterrupted run."""
    parser = argparse.ArgumentParser(prog="kill_nine", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--megabytes", type=int, default=24, help="size of the state of model and optimizer")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as runs_folder:
        return _run(options, Path(runs_folder))


def task(megabytes: int, counter: mmap.mmap | None) -> Task:
    """Return a task that counts its steps in shared memory, which outlives a killed process."""
    wide = megabytes * (1 << 20) // 4 // 3 // 64  # Adam keeps two numbers beside each parameter
    model = nn.Sequential(nn.Linear(8, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, wide))
    generator = torch.Generator().manual_seed(1)
    data = torch.randn(ROWS, 8, generator=generator), torch.randn(ROWS, 1, generator=generator)

    def step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        if counter is not None:
            struct.pack_into("q", counter, 0, struct.unpack_from("q", counter)[0] + 1)
        time.sleep(STEP_TIME)
        return nn.functional.mse_loss(model(batch[0]).mean(1, keepdim=True), batch[1])

    return Task(model=model, train=data, test=data, step=step, evaluate=_evaluate)


def _evaluate(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    outputs = model(batch[0]).mean(1, keepdim=True)
    return nn.functional.mse_loss(outputs, batch[1]), outputs, batch[1]


def _run(options: argparse.Namespace, runs_folder: Path) -> dict[str, Any]:
    chance = random.Random(options.seed)
    # Each life needs some steps to get further, and the last one trains to the end.
    epochs = 2 + options.kills * 8 * BATCH_SIZE // ROWS
    uninterrupted = _folder(runs_folder, "uninterrupted", epochs)
    killed = _folder(runs_folder, "killed", epochs)
    uninterrupted_pid = _engine(uninterrupted, options.megabytes, None)
    counter = mmap.mmap(-1, 16)
    failures = saved_step = died_saving = kills = lost_reported = 0
    lost: list[int] = []
    while kills < options.kills:
        pid = _engine(killed, options.megabytes, counter)
        while struct.unpack_from("q", counter)[0] < 1 and _alive(pid):
            time.sleep(0.001)
        time.sleep(MIN_LIFE + chance.random() * EXTRA_LIFE)
        if not _alive(pid):
            break
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        kills += 1
        died_saving += bool(list(killed.checkpoints.glob(".*.tmp")))
        finished = saved_step + struct.unpack_from("q", counter)[0] - 1
        try:
            found = checkpoint.newest(killed.checkpoints)
        except CheckpointError as error:
            print(error, file=sys.stderr)
            failures += 1
            break
        saved_step = found[1]["progress"]["step"] if found else 0
        failures += bool(found and found[2])
        lost.append(finished - saved_step)
        reported = [e.step or 0 for e in _events(killed) if isinstance(e, events.CheckpointSaved)]
        lost_reported += bool(reported) and saved_step < max(reported)
    code, uninterrupted_code = _exit_code(_engine(killed, options.megabytes, None)), _exit_code(uninterrupted_pid)
    seconds = [e.seconds for e in _events(killed) if isinstance(e, events.CheckpointSaved) and e.kind == "latest"]
    same = [
        name for name in ("latest.pt", "best.pt") if _state_bytes(uninterrupted, name) == _state_bytes(killed, name)
    ]
    return {
        "kills": kills,
        "killed_inside_a_save": died_saving,
        "resumes_that_failed": failures + (code != 0) + (uninterrupted_code != 0),
        "steps_between_saves": SAVE_INTERVAL,
        "steps_lost": summary(lost, 0),
        "lost_more_than_one_interval": sum(steps > SAVE_INTERVAL for steps in lost),
        "steps_of_the_slowest_save": round(max(seconds) / STEP_TIME, 1),
        "lost_though_reported_saved": lost_reported,
        "save_seconds": summary(seconds),
        "bytes": (killed.checkpoints / "latest.pt").stat().st_size,
        "same_weights": same == ["latest.pt", "best.pt"],
        "same_losses": _losses(uninterrupted) == _losses(killed),
    }


def _folder(runs_folder: Path, name: str, epochs: int) -> RunFolder:
    settings = {
        "epochs": epochs,
        "batch_size": BATCH_SIZE,
        "optimizer": "adam",
        "lr": 0.001,
        "threads": 1,
        "device": "cpu",
    }
    options = {**settings, "save_every": f"{SAVE_INTERVAL}steps", "eval_every": "30steps"}
    return runs.create(runs_folder, "benchmark", name, {"parameters": {}, "given": options})


def _engine(folder: RunFolder, megabytes: int, counter: mmap.mmap | None) -> int:
    """Start an engine in a forked process and return its pid; a fresh process would spend most of its time loading torch."""
    if counter is not None:
        struct.pack_into("q", counter, 0, 0)
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        loading.find_task = lambda name: lambda: task(megabytes, counter)  # type: ignore[assignment]
        code = int(session.train(folder, Controls(), lambda _: None).cause != "completed")
    finally:
        os._exit(code)


def _exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _alive(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG) == (0, 0)


def _state_bytes(folder: RunFolder, name: str) -> bytes:
    saved = checkpoint.read(folder.checkpoints / name)
    adam = saved["optimizer"]["state"]
    tensors = [*saved["model"].values(), *(value for state in adam.values() for value in state.values())]
    return b"".join(tensor.numpy().tobytes() for tensor in tensors)


def _events(folder: RunFolder) -> list[events.Event]:
    return [event for line in folder.events.read_bytes().splitlines(True) if (event := events.decode(line))]


def _losses(folder: RunFolder) -> dict[int, float]:
    """Return the loss of every step; a resume replaces the steps after its checkpoint."""
    losses: dict[int, float] = {}
    for event in _events(folder):
        if isinstance(event, events.RunStarted):
            losses = {step: loss for step, loss in losses.items() if step <= (event.resumed_from or 0)}
        elif isinstance(event, events.Steps):
            losses.update(enumerate(event.losses, event.first))
    return losses


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
