"""How long training waits for a save of 1 GB of state, against torch.save in place, in the same run."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stoker.engine import Task, session
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import CheckpointSaved, Event

from .measure import told

TENSORS = 64  # that the state is made of, beside the trained layer
QUIET = 20  # steps before each save, to know what a step takes


def main(arguments: list[str]) -> dict[str, Any]:
    """Return seconds: `waits` of the engine, `in_place` of torch.save, and the `ratio` of two that follow each other."""
    parser = argparse.ArgumentParser(prog="save_wait", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--saves", type=int, default=7)
    parser.add_argument("--step", type=float, default=0.01, help="seconds of arithmetic a training step takes")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        return _Run(given, Path(place)).measure()


class _Run:
    """One run that saves by turns in its own way and in place, and measures the gaps between its steps."""

    def __init__(self, given: argparse.Namespace, place: Path) -> None:
        self.given, self.place = given, place
        self.controls = Controls()
        self.steps: list[float] = []
        self.acts: list[tuple[str, int]] = []
        """What was done, and the number of its step."""
        self.next = QUIET
        self.writes: list[tuple[int, float]] = []
        """The step at which each of the engine's saves was safe, and how long it was written."""
        self.work = torch.randn(400, 400)

    def task(self) -> Task:
        model = nn.Linear(4, 4)
        rows = self.given.megabytes * (1 << 20) // 4 // TENSORS
        for number in range(TENSORS):
            model.register_parameter(f"frozen_{number}", nn.Parameter(torch.randn(rows), requires_grad=False))
        data = (torch.randn(64, 4), torch.randn(64, 4))
        settings = {"epochs": 1_000_000, "batch_size": 1, "save_every": "10000s", "device": "cpu"}
        # An evaluation of its own kind is never better than the first, so that nothing else is saved.
        return Task(model=model, train=data, test=data, step=self.step, evaluate=self.evaluate, settings=settings)

    def step(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        self.steps.append(time.perf_counter())
        until = self.steps[-1] + self.given.step
        while time.perf_counter() < until:
            self.work @ self.work
        if len(self.steps) == self.next:
            self.act(model)
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    def act(self, model: nn.Module) -> None:
        number = len(self.steps)
        saved = self.acts and self.acts[-1][0] == "save"
        if len(self.acts) == 2 * self.given.saves + 2:
            self.controls.send(Command(command="stop"))
        elif saved:
            self.acts.append(("in place", number))
            torch.save(model.state_dict(), self.place / "in-place.pt")
            self.next += QUIET
        else:
            self.acts.append(("save", number))
            self.controls.send(Command(command="save"))

    def evaluate(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        return batch[0].sum() * 0, batch[0], batch[1]

    def heard(self, event: Event) -> None:
        if isinstance(event, CheckpointSaved) and event.cause == "command":
            self.writes.append((len(self.steps), event.seconds))
            # The disk goes on with what was written in place; the next save waits until this one is safe.
            self.next = len(self.steps) + QUIET

    def measure(self) -> dict[str, Any]:
        folder = runs.create(self.place, "benchmark", "run", {"parameters": {}, "given": {}})
        session.loading.find = lambda _: self.task  # type: ignore[assignment]
        session.train(folder, self.controls, self.heard)
        waits, in_place = (
            [self._wait(number) for act, number in self.acts if act == wanted] for wanted in ("save", "in place")
        )
        return {
            "megabytes": self.given.megabytes,
            "threads": torch.get_num_threads(),
            "first_wait": round(waits[0], 4),
            "waits": told(waits[1:]),
            "in_place": told(in_place[1:]),
            "ratio": told([wait / other for wait, other in zip(waits[1:], in_place[1:], strict=True)]),
            "ratio_of_the_first": round(waits[0] / in_place[0], 4),
            "write": told([seconds for _, seconds in self.writes[1:]]),
            "slowdown_while_writing": told(self._slowdown()[1:]),
        }

    def _gaps(self, first: int, last: int) -> list[float]:
        """Return the seconds from each of these steps, counted from 1, to the next."""
        return [self.steps[number] - self.steps[number - 1] for number in range(first, last)]

    def _wait(self, number: int) -> float:
        """Return how much longer this step took than the ones before it."""
        return self._gaps(number, number + 1)[0] - statistics.median(self._gaps(number - QUIET + 1, number))

    def _slowdown(self) -> list[float]:
        """Return by what factor the steps took longer while the engine's saves were written."""
        starts = [number for act, number in self.acts if act == "save"]
        factors = []
        for start, (end, _) in zip(starts, self.writes, strict=False):
            quiet = statistics.median(self._gaps(start - QUIET + 1, start))
            factors.append(statistics.fmean(self._gaps(start + 1, max(end, start + 2))) / quiet)
        return factors
