"""Output of an engine in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stoker.engine.runs import folder as runs
from stoker.engine.runs.events import RunFinished
from tests.support.deadlines import scaled
from tests.support.process_runner import last_event

TASK = """
import torch
from stoker.engine import Task

def step(model, batch):
    print("a line of the task")
    if {fails}: raise ValueError("boom")
    return model(batch[0]).square().mean()

def loud():
    data = (torch.rand(8, 2), torch.zeros(8).long())
    return Task(model=torch.nn.Linear(2, 2), train=data, test=data, loss=torch.nn.CrossEntropyLoss(), step=step)
"""


@pytest.mark.parametrize("fails", [False, True])
def test_full_disk_under_the_log_never_stops_an_engine(tmp_path: Path, fails: bool) -> None:
    """Prints are lost; the run ends with its own result, and an error is in its last event."""
    (tmp_path / "loud.py").write_text(TASK.format(fails=fails))
    folder = runs.create(tmp_path, f"{tmp_path / 'loud.py'}:loud", "one", {"given": {"epochs": 2, "threads": 1}})
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "stoker.engine", str(folder.path)]
        code = subprocess.run(command, stdout=full, stderr=full, timeout=scaled(60), check=False).returncode
    finished = last_event(folder, RunFinished)
    assert finished is not None
    assert (code, finished.cause) == ((1, "failed") if fails else (0, "completed"))
    assert ("boom" in finished.message) is fails
