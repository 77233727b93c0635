"""A task whose batches take a given time, with real arithmetic inside."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''
import time

import torch
from stoker.engine import Task
from torch import nn


def paced(seconds: float = 0.01) -> Task:
    """A linear fit whose batches take `seconds` each."""
    work = torch.randn(200, 200)

    def step(model, batch):
        until = time.perf_counter() + seconds
        while time.perf_counter() + 0.001 < until:
            work @ work
            time.sleep(0.001)
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    x = torch.randn(2000, 4)
    settings = {"epochs": 1000, "batch_size": 2, "eval_every": "500steps", "split": "holdout:0.1", "threads": 1}
    return Task(model=nn.Linear(4, 1), train=(x, x.sum(1, keepdim=True)), step=step, evaluate=evaluate, settings=settings)


def evaluate(model, batch):
    outputs = model(batch[0])
    return nn.functional.mse_loss(outputs, batch[1]), outputs, batch[1]
'''


def write_task(folder: Path) -> str:
    """Write the task's file into `folder` and return the task's name for `stoker run`."""
    file = folder / "paced.py"
    file.write_text(SOURCE)
    return f"{file}:paced"
