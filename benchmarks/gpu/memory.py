"""Memory of the device before, during and after a release, and the wait for a save."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from stoker.engine.accelerator import memory
from stoker.engine.checkpoints.snapshot_pool import SnapshotPool
from stoker.engine.runs.commands import Command
from stoker.engine.runs.events import CommandAnswered

from ..harness.measure import summary
from .options import Options
from .trained import Script, Trained, create

MIB = 1 << 20
TENSORS = 64  # that make up the state of a save


def release(options: Options) -> dict[str, Any]:
    """Return MiB that torch holds before, during and after a release, and those free on the device."""
    device = torch.device(options.device)
    held: dict[str, Any] = {}

    def look(moment: str) -> None:
        held[f"held_{moment}_MiB"] = memory.reserved(device) // MIB
        if (free := memory.free(device)) is not None:
            held[f"free_{moment}_MiB"] = free // MIB

    actions: dict[int, Any] = {8: lambda: look("before"), 9: Command(command="pause", release=True)}
    actions[12] = lambda: look("after")
    with tempfile.TemporaryDirectory() as where:
        given = {"device": options.device, "threads": 1, "epochs": 1}
        folder = create(Path(where), "heavy", None, {"megabytes": 8 if options.quick else 512}, given)
        done = Trained(folder, Script(actions, lambda: look("during")))
    answer = next(e.message for e in done.events if isinstance(e, CommandAnswered) and e.command == "pause")
    return {**held, "answer": answer, "end": done.finished.cause}


def save(options: Options) -> dict[str, Any]:
    """Return the seconds that the loop waits for a copy of 1 GB, into pinned memory and into ordinary memory."""
    device = torch.device(options.device)
    megabytes = 16 if options.quick else 1024
    state = {str(number): torch.randn((megabytes << 18) // TENSORS, device=device) for number in range(TENSORS)}
    found: dict[str, Any] = {"megabytes": megabytes}
    for name, pinned in (("pinned", True), ("ordinary", False)):
        pool = SnapshotPool()
        pool._can_pin = pinned
        waits, copies = [], []
        for _ in range(3 if options.quick else 6):
            _synchronize(device)
            start = time.perf_counter()
            snapshot = pool.acquire(state)
            waits.append(time.perf_counter() - start)
            pool.wait(snapshot)
            copies.append(time.perf_counter() - start)
            pool.release(snapshot)
        found[f"{name}_first_wait"] = round(waits[0], 4)
        found[f"{name}_wait"] = summary(waits[1:])
        found[f"{name}_copied_after"] = summary(copies[1:])
    return found


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
