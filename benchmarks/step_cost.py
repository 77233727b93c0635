"""What the engine adds to a step: its loop around a model, a loss and an optimizer that do nothing, less their calls."""

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

from .measure import told


class Loss:
    """A loss of no arithmetic."""

    def item(self) -> float:
        """Return a number."""
        return 0.5

    def detach(self) -> Loss:
        """Return itself."""
        return self

    def backward(self) -> None:
        """Do nothing."""


class Criterion(nn.Module):
    """Gives a loss of no arithmetic."""

    def forward(self, outputs: object, targets: object) -> object:
        """Return it."""
        return LOSS


class Still(torch.optim.SGD):
    """An optimizer that leaves everything as it is."""

    def step(self, closure: object = None) -> None:
        """Do nothing."""


LOSS = Loss()
# Only torch's own modules are known not to draw from python's and numpy's generators, which reseeding costs more.
Criterion.__module__ = "torch.nn.modules.loss"


def main(arguments: list[str]) -> dict[str, Any]:
    """Return microseconds a step: what the engine adds, the same with a step of the user's own, and the whole loop's."""
    parser = argparse.ArgumentParser(prog="step_cost", description=__doc__)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            (_run(Path(folder), given.steps, False), _run(Path(folder), given.steps, True), _calls(given.steps))
            for _ in range(given.rounds)
        ]
    return {
        "steps": given.steps,
        "microseconds": told([plain - calls for plain, _, calls in rounds], 2),
        "microseconds_with_a_step_of_ones_own": told([own - calls for _, own, calls in rounds], 2),
        "whole_loop_microseconds": told([plain for plain, _, _ in rounds], 2),
        "calls_microseconds": told([calls for *_, calls in rounds], 2),
    }


def _calls(steps: int) -> float:
    """Return what any loop pays: taking a batch, calling the model and the loss; the optimizer's step is not counted."""
    model, criterion = nn.Identity(), Criterion()
    x, y = torch.zeros(steps // 10, 1), torch.zeros(steps // 10, 1)
    losses = []
    began = time.perf_counter()
    for _ in range(10):
        rows = torch.randperm(len(x))
        for first in range(len(x)):
            chosen = rows[first : first + 1]
            loss: Any = criterion(model(x.index_select(0, chosen)), y.index_select(0, chosen))
            losses.append(loss.item())
            loss.backward()
    return (time.perf_counter() - began) / steps * 1e6


def _run(place: Path, steps: int, own: bool) -> float:
    model = nn.Identity()
    model.register_parameter("weight", nn.Parameter(torch.zeros(1)))
    data = torch.zeros(steps // 10, 1), torch.zeros(steps // 10, 1)
    task = Task(
        model=model,
        train=data,
        test=(data[0][:1], data[1][:1]),
        loss=None if own else Criterion(),
        step=(lambda model, batch: LOSS) if own else None,  # type: ignore[arg-type,return-value]
        evaluate=lambda model, batch: (torch.zeros(()), batch[0], batch[1]),
        optimizer=lambda model, lr: Still(model.parameters(), lr=lr),
        settings={"epochs": 10, "batch_size": 1, "eval_every": "10epochs", "device": "cpu", "threads": 1},
    )
    session.loading.find = lambda _: lambda: task  # type: ignore[assignment]
    folder = runs.create(place, "benchmark", None, {"parameters": {}, "given": {}})
    said: list[Any] = []
    session.train(folder, Controls(), said.append)
    began = next(event.at for event in said if isinstance(event, RunStarted))
    ended = [event.at for event in said if isinstance(event, Steps)][-1]
    return (ended - began) / steps * 1e6
