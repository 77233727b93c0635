"""A run without a dashboard, whose output goes to a program that may stop reading."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from stoker.engine.runs.folder import RunFolder
from tests.support import end_to_end as runs
from tests.support.deadlines import scaled, wait_until
from tests.support.terminal import PROGRAM

TASK = '''
import os, time

import torch
from stoker.engine import Task
from torch import nn


def loud(seconds: float = 0.0) -> Task:
    """Prints at every step, by Python and past it."""
    print("built")
    x = torch.randn(64, 4)

    def step(model, batch):
        print("a line of the task")
        os.write(1, b"a line of a library\\n")
        time.sleep(seconds)
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    settings = {"epochs": 5, "batch_size": 8, "threads": 1}
    return Task(model=nn.Linear(4, 1), train=(x, x.sum(1, keepdim=True)), step=step, evaluate=evaluate, settings=settings)


def evaluate(model, batch):
    outputs = model(batch[0])
    return nn.functional.mse_loss(outputs, batch[1]), outputs, batch[1]
'''


def command(folder: Path, *more: str) -> list[str]:
    """Return the command that trains the task `loud`."""
    (folder / "loud.py").write_text(TASK)
    return [PROGRAM, "run", "loud.py:loud", "--name", "one", *more]


def last(folder: RunFolder) -> str:
    """Return the run's last event."""
    return json.loads(folder.events.read_bytes().splitlines()[-1])["cause"]


def test_json_output_holds_events_alone(tmp_path: Path) -> None:
    """Output of the task goes to engine.log, as the README says."""
    done = subprocess.run(command(tmp_path, "--json"), cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()][-1] == "run_finished"
    log = RunFolder(tmp_path / "runs" / "one").log.read_text()
    assert log.count("a line of the task\n") == log.count("a line of a library\n") > 30
    assert log.startswith("built\n")


@pytest.mark.parametrize("how", ["--json", "--headless"])
def test_closed_pipe_does_not_end_the_run(tmp_path: Path, how: str) -> None:
    """After `| head -1` the run continues and records everything in its folder."""
    folder = RunFolder(tmp_path / "runs" / "one")
    with subprocess.Popen(command(tmp_path, how), cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(scaled(110)) == 0
    assert last(folder) == "completed"
    assert "a line of the task" in folder.log.read_text()


def test_output_to_a_file_continues_after_the_terminal_closed(tmp_path: Path) -> None:
    """SIGHUP concerns the terminal alone; output to a file continues."""
    folder, out = RunFolder(tmp_path / "runs" / "one"), tmp_path / "out"
    start = [*command(tmp_path, "seconds=0.1", "--headless")]
    with out.open("wb") as file, subprocess.Popen(start, cwd=tmp_path, stdout=file, stderr=file) as process:
        wait_until(lambda: folder.events.exists() and runs.step(folder) > 3, "steps")
        os.kill(process.pid, signal.SIGHUP)
        assert process.wait(scaled(110)) == 0
    assert "completed at step" in out.read_text().splitlines()[-1]
