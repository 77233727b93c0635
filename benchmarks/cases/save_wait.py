"""Time that training waits for a save of 1 GB of state, against torch.save in place, in the same run."""

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
from stoker.engine.tasks import loading

from ..harness.measure import summary

TENSORS = 64  # frozen tensors that make up the state, beside the trained layer
QUIET_STEPS = 20  # steps before each save, which show how long a step takes


def main(arguments: list[str]) -> dict[str, Any]:
    """Return seconds: `waits` for the engine, `in_place` for torch.save, and the `ratio` of each pair of both."""
    parser = argparse.ArgumentParser(prog="save_wait", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--saves", type=int, default=7)
    parser.add_argument("--step", type=float, default=0.01, help="seconds of arithmetic in a training step")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        return _Run(options, Path(folder)).measure()


class _Run:
    """One run that saves by turns with the engine and in place, and measures the gaps between its steps."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.controls = Controls()
        self.steps: list[float] = []
        self.saves: list[tuple[str, int]] = []
        """Each save, by the engine (`save`) or `in place`, with the number of its step."""
        self.next_save = QUIET_STEPS
        self.writes: list[tuple[int, float]] = []
        """The step at which each of the engine's saves was complete, and the seconds of its writing."""
        self.work = torch.randn(400, 400)

    def task(self) -> Task:
        model = nn.Linear(4, 4)
        rows = self.options.megabytes * (1 << 20) // 4 // TENSORS
        for number in range(TENSORS):
            model.register_parameter(f"frozen_{number}", nn.Parameter(torch.randn(rows), requires_grad=False))
        data = (torch.randn(64, 4), torch.randn(64, 4))
        settings = {"epochs": 1_000_000, "batch_size": 1, "save_every": "10000s", "device": "cpu"}
        # The evaluation always returns the same loss, so no best checkpoint is saved besides.
        return Task(model=model, train=data, test=data, step=self.step, evaluate=self.evaluate, settings=settings)

    def step(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        self.steps.append(time.perf_counter())
        until = self.steps[-1] + self.options.step
        while time.perf_counter() < until:
            self.work @ self.work
        if len(self.steps) == self.next_save:
            self.save(model)
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    def save(self, model: nn.Module) -> None:
        number = len(self.steps)
        engine_saved = self.saves and self.saves[-1][0] == "save"
        if len(self.saves) == 2 * self.options.saves + 2:
            self.controls.send(Command(command="stop"))
        elif engine_saved:
            self.saves.append(("in place", number))
            torch.save(model.state_dict(), self.folder / "in-place.pt")
            self.next_save += QUIET_STEPS
        else:
            self.saves.append(("save", number))
            self.controls.send(Command(command="save"))

    def evaluate(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        return batch[0].sum() * 0, batch[0], batch[1]

    def on_event(self, event: Event) -> None:
        if isinstance(event, CheckpointSaved) and event.cause == "command":
            self.writes.append((len(self.steps), event.seconds))
            # The disk may still be busy with the file written in place, so the next save waits for this one.
            self.next_save = len(self.steps) + QUIET_STEPS

    def measure(self) -> dict[str, Any]:
        folder = runs.create(self.folder, "benchmark", "run", {"parameters": {}, "given": {}})
        loading.find_task = lambda name: self.task  # type: ignore[assignment]
        session.train(folder, self.controls, self.on_event)
        waits, in_place = (
            [self._wait(number) for kind, number in self.saves if kind == wanted] for wanted in ("save", "in place")
        )
        return {
            "megabytes": self.options.megabytes,
            "threads": torch.get_num_threads(),
            "first_wait": round(waits[0], 4),
            "waits": summary(waits[1:]),
            "in_place": summary(in_place[1:]),
            "ratio": summary([wait / other for wait, other in zip(waits[1:], in_place[1:], strict=True)]),
            "ratio_of_the_first": round(waits[0] / in_place[0], 4),
            "write": summary([seconds for _, seconds in self.writes[1:]]),
            "slowdown_while_writing": summary(self._slowdown()[1:]),
        }

    def _gaps(self, first: int, last: int) -> list[float]:
        """Return the seconds between each of the steps `first` to `last - 1`, counted from 1, and the next."""
        return [self.steps[number] - self.steps[number - 1] for number in range(first, last)]

    def _wait(self, number: int) -> float:
        """Return how many seconds longer this step took than the steps before it."""
        return self._gaps(number, number + 1)[0] - statistics.median(self._gaps(number - QUIET_STEPS + 1, number))

    def _slowdown(self) -> list[float]:
        """Return, for each of the engine's saves, the factor by which steps took longer during its writing."""
        starts = [number for kind, number in self.saves if kind == "save"]
        factors = []
        for start, (end, _) in zip(starts, self.writes, strict=False):
            quiet = statistics.median(self._gaps(start - QUIET_STEPS + 1, start))
            factors.append(statistics.fmean(self._gaps(start + 1, max(end, start + 2))) / quiet)
        return factors
