"""Run the program, and read and compare run folders, for the end-to-end tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import torch

from stoker.engine.runs.events import Event, RunFinished, RunStarted, Steps, decode
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import scaled
from tests.support.terminal import PROGRAM


def stoker(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `stoker` with these arguments to its end."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        timeout=scaled(110),
        check=False,
    )


def events(folder: RunFolder) -> list[Event]:
    """Return all events so far."""
    if not folder.events.exists():
        return []
    found = [decode(line) for line in folder.events.read_bytes().split(b"\n")[:-1]]
    assert None not in found
    return found  # type: ignore[return-value]


def step(folder: RunFolder) -> int:
    """Return the number of the last recorded step."""
    return max((event.step or 0 for event in events(folder) if isinstance(event, Steps)), default=0)


def finished(folder: RunFolder) -> bool:
    """Return whether the last engine recorded its end."""
    ends = [event for event in events(folder) if isinstance(event, RunStarted | RunFinished)]
    return bool(ends) and isinstance(ends[-1], RunFinished)


def losses(folder: RunFolder) -> list[float]:
    """Return the loss of each step, without steps that a resume replaced."""
    curve: list[float] = []
    for event in events(folder):
        if isinstance(event, RunStarted) and event.resumed_from is not None:
            del curve[event.resumed_from :]
        elif isinstance(event, Steps):
            assert event.first == len(curve) + 1, "the curve has a gap"
            curve += event.losses
    return curve


def weights(folder: RunFolder) -> dict[str, torch.Tensor]:
    """Return the model's state in the latest checkpoint."""
    state = torch.load(folder.checkpoints / "latest.pt", weights_only=True)
    assert state["progress"]["step"] == len(losses(folder))
    return state["model"]


def assert_same(one: RunFolder, other: RunFolder) -> None:
    """Compare two runs bit for bit: weights and the loss of every step."""
    assert losses(one) == losses(other)
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
