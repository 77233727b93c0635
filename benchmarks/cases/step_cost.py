"""Time that the engine adds to a step: its loop with a model, a loss and an optimizer that do nothing, less their calls."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stoker.engine import Task, session
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.events import RunStarted, Steps
from stoker.engine.tasks import loading

from ..harness.measure import summary


class Loss:
    """A loss value without arithmetic."""

    def item(self) -> float:
        """Return a constant."""
        return 0.5

    def detach(self) -> Loss:
        """Return itself."""
        return self

    def backward(self) -> None:
        """Do nothing."""


class Criterion(nn.Module):
    """A loss function without arithmetic."""

    def forward(self, outputs: object, targets: object) -> object:
        """Return the constant loss."""
        return LOSS


class NoOptimizer(torch.optim.SGD):
    """An optimizer that changes nothing."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Do nothing."""


LOSS = Loss()
# The engine also reseeds python and numpy for code that is not torch's own, which costs more.
Criterion.__module__ = "torch.nn.modules.loss"
NoOptimizer.__module__ = "torch.optim.sgd"


def main(arguments: list[str]) -> dict[str, Any]:
    """Return microseconds per step: the engine's own, the same with a custom `step`, and those of the whole loop."""
    parser = argparse.ArgumentParser(prog="step_cost", description=__doc__)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            (_run(Path(folder), options.steps, False), _run(Path(folder), options.steps, True), _calls(options.steps))
            for _ in range(options.rounds)
        ]
    return {
        "steps": options.steps,
        "microseconds": summary([plain - calls for plain, _, calls in rounds], 2),
        "microseconds_with_custom_step": summary([custom - calls for _, custom, calls in rounds], 2),
        "whole_loop_microseconds": summary([plain for plain, _, _ in rounds], 2),
        "calls_microseconds": summary([calls for *_, calls in rounds], 2),
    }


def _calls(steps: int) -> float:
    """Return the microseconds per step of any loop: taking the batch, calling the model and the loss, no optimizer."""
    model, criterion = nn.Identity(), Criterion()
    x, y = torch.zeros(steps // 10, 1), torch.zeros(steps // 10, 1)
    losses = []
    start = time.perf_counter()
    for _ in range(10):
        rows = torch.randperm(len(x))
        for first in range(len(x)):
            chosen = rows[first : first + 1]
            loss: Any = criterion(model(x.index_select(0, chosen)), y.index_select(0, chosen))
            losses.append(loss.item())
            loss.backward()
    return (time.perf_counter() - start) / steps * 1e6


def _run(runs_folder: Path, steps: int, custom_step: bool) -> float:
    model = nn.Identity()
    model.register_parameter("weight", nn.Parameter(torch.zeros(1)))
    data = torch.zeros(steps // 10, 1), torch.zeros(steps // 10, 1)
    task = Task(
        model=model,
        train=data,
        test=(data[0][:1], data[1][:1]),
        loss=None if custom_step else Criterion(),
        step=(lambda model, batch: LOSS) if custom_step else None,  # type: ignore[arg-type,return-value]
        evaluate=lambda model, batch: (torch.zeros(()), batch[0], batch[1]),
        optimizer=lambda model, lr: NoOptimizer(model.parameters(), lr=lr),
        settings={"epochs": 10, "batch_size": 1, "eval_every": "10epochs", "device": "cpu", "threads": 1},
    )
    loading.find_task = lambda name: lambda: task  # type: ignore[assignment]
    folder = runs.create(runs_folder, "benchmark", None, {"parameters": {}, "given": {}})
    received: list[Any] = []
    session.train(folder, Controls(), received.append)
    start = next(event.at for event in received if isinstance(event, RunStarted))
    end = [event.at for event in received if isinstance(event, Steps)][-1]
    return (end - start) / steps * 1e6
