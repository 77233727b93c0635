"""Small tasks that use randomness wherever a task can."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, IterableDataset, TensorDataset, default_collate

from stoker.engine import Task

FEATURES, CLASSES = 6, 3


class Net(nn.Module):
    """A network with batch norm and dropout; `hidden` decides the size of the state."""

    def __init__(self, hidden: int = 8) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(FEATURES, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(0.3), nn.Linear(hidden, CLASSES)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return self.body(inputs)  # type: ignore[no-any-return]


class Noisy(Dataset[tuple[Tensor, int]]):
    """Draws from python's, numpy's and torch's global generators for every sample."""

    def __init__(self, inputs: Tensor, targets: Tensor) -> None:
        self.inputs, self.targets = inputs, targets

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        noise = random.gauss(0, 0.1) + torch.randn(FEATURES) * 0.1
        return self.inputs[row] * float(np.random.uniform(0.8, 1.2)) + noise, int(self.targets[row])


def data(rows: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return inputs (N, features) and noisy classes (N)."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(rows, FEATURES, generator=generator)
    noise = torch.randn(rows, CLASSES, generator=generator) * 1.5
    return inputs, (inputs[:, :CLASSES] + noise).argmax(1)


def _noise(inputs: Tensor) -> Tensor:
    return inputs * random.uniform(0.9, 1.1) + torch.randn_like(inputs) * float(np.random.uniform(0, 0.2))


SETTINGS = {"epochs": 3, "batch_size": 6, "lr": 0.05, "device": "cpu", "patience": 10}


def noisy(hidden: int = 8) -> Task:
    """A task with a map-style dataset that augments each sample."""
    return Task(
        model=Net(hidden),
        train=Noisy(*data(64, 1)),
        test=TensorDataset(*data(20, 2)),
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy"],
        settings=SETTINGS,
    )


def held(hidden: int = 8) -> Task:
    """A task with tensors in memory, augmented a batch at a time."""
    return Task(
        model=Net(hidden),
        train=data(64, 1),
        test=data(20, 2),
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy"],
        settings=SETTINGS,
        augment=_noise,
    )


class Summed(Dataset[tuple[Tensor, Tensor]]):
    """Its items are sums of so many numbers that torch would use several threads."""

    def __init__(self) -> None:
        self.image = torch.randn(1_000_003, generator=torch.Generator().manual_seed(3))

    def __len__(self) -> int:
        return 12

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        mean = (self.image[row:] * 1.001).mean()
        return mean.repeat(FEATURES) * 1000, torch.tensor(row % CLASSES)


def summed() -> Task:
    """A task whose data would depend on torch's number of threads."""
    train = Summed()
    return Task(model=Net(), train=train, test=train, loss=nn.CrossEntropyLoss(), settings={**SETTINGS, "epochs": 1})


class Stream(IterableDataset[tuple[Tensor, Tensor]]):
    """A stream that counts its rows and draws from a generator of its own."""

    def __init__(self) -> None:
        self.inputs, self.targets = data(32, 1)
        self.row, self.next = 0, 0
        self.generator = torch.Generator().manual_seed(4)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        first, self.next = self.next, 0
        for row in range(first, len(self.inputs)):
            self.row = row + 1
            yield self.inputs[row] + torch.randn(FEATURES, generator=self.generator), self.targets[row]


class StatefulStream(Stream):
    """A stream that saves and restores its position."""

    def state_dict(self) -> dict[str, Any]:
        return {"row": self.row, "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.next = self.row = state["row"]
        self.generator.set_state(state["generator"])


class StatelessStream(Stream):
    """A stream that draws from the global generators alone, so reading it again yields the same rows."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for inputs, target in zip(self.inputs, self.targets, strict=True):
            yield inputs + torch.randn(FEATURES) * random.random(), target


def _streaming(train: Stream) -> Task:
    return Task(model=Net(), train=train, test=data(20, 2), loss=nn.CrossEntropyLoss(), settings=SETTINGS)


def stateful() -> Task:
    """A task with a stream that saves its position."""
    return _streaming(StatefulStream())


def stateless() -> Task:
    """A task with a stream that has no state."""
    return _streaming(StatelessStream())


class Patient(Noisy):
    """A slow dataset, so that a run lasts until a test stops it."""

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        time.sleep(0.002)
        return super().__getitem__(row)


def endless(hidden: int = 8) -> Task:
    """A task that trains for minutes."""
    return Task(
        model=Net(hidden),
        train=Patient(*data(64, 1)),
        test=TensorDataset(*data(20, 2)),
        loss=nn.CrossEntropyLoss(),
        settings={**SETTINGS, "epochs": 10_000, "optimizer": "adam", "patience": None, "monitor": "loss"},
    )


class Stuck(Noisy):
    """A dataset that hangs at every item after the first 24."""

    read = 0

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        self.read += 1
        time.sleep(60 if self.read > 24 else 0)
        return super().__getitem__(row)


def stuck() -> Task:
    """A task with data that hangs."""
    return Task(model=Net(), train=Stuck(*data(64, 1)), test=data(20, 2), loss=nn.CrossEntropyLoss(), settings=SETTINGS)


def _marked(mark: float, batches: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    inputs, targets = data(64, 1)
    for batch in batches:
        inputs[batch] = mark
    return inputs, targets


def poisoned(rows: int = 1) -> Task:
    """A task with NaN in the first `rows` rows of its data."""
    task = held()
    task.train, task.augment = _marked(float("nan"), tuple(range(rows))), None
    return task


def exploding() -> Task:
    """A task with a finite loss whose gradient is not finite, at its 15th step."""
    task = held()
    task.augment = None

    def step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        inputs, targets = batch
        loss = nn.functional.cross_entropy(model(inputs), targets)
        step.calls += 1  # type: ignore[attr-defined]
        if step.calls == 15:  # type: ignore[attr-defined]
            loss = loss + (model.body[0].weight * 0).abs().sqrt().sum()
        return loss

    step.calls = 0  # type: ignore[attr-defined]
    task.step = step
    return task


def failing(at: int = 15, where: str = "forward", error: str = "memory") -> Task:
    """A task that raises an error at batch `at` if the environment variable FAIL is set."""
    task = held()
    state = {"calls": 0}

    def fail(*_: object) -> None:
        if error == "memory":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nmore")
        if error == "exit":
            sys.exit(3)
        raise ValueError("the third shelf is empty")

    def step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        inputs, targets = batch
        state["calls"] += 1
        now = state["calls"] == at and "FAIL" in os.environ
        outputs = model(inputs)
        if now and where == "forward":
            fail()
        if now and where == "backward":
            outputs.register_hook(fail)
        return nn.functional.cross_entropy(outputs, targets)

    task.step = step
    if where == "optimizer" and "FAIL" in os.environ:

        class Failing(torch.optim.SGD):
            def step(self, closure: Any = None) -> Any:
                self.steps = getattr(self, "steps", 0) + 1
                if self.steps == at:
                    with torch.no_grad():
                        self.param_groups[0]["params"][0].add_(1.0)
                    fail()
                return super().step(closure)

        task.optimizer = lambda model, lr: Failing(model.parameters(), lr)
    return task


def learned_by_heart() -> Task:
    """A task with eight samples to train on and other data for the test: it overfits at once."""
    inputs, targets = data(8, 5)
    test_inputs, test_targets = data(64, 6)
    model = nn.Sequential(nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, CLASSES))
    return Task(
        model=model,
        train=(inputs, targets),
        test=(test_inputs, (test_targets + 1) % CLASSES),
        loss=nn.CrossEntropyLoss(),
        settings={"epochs": 12, "batch_size": 8, "lr": 0.05, "optimizer": "adam", "device": "cpu"},
    )


def validated() -> Task:
    """A task with validation data and a final test, whose loss soon stops improving."""
    task = held()
    task.val, task.test = data(20, 2), TensorDataset(*data(30, 3))
    task.collate = default_collate  # so that the test takes several batches
    task.settings = {**SETTINGS, "epochs": 40, "lr": 0.5, "patience": 3}
    return task


def headed() -> Task:
    """A task whose optimizer trains the last layer alone; the first one gets gradients too."""
    model = nn.Sequential(nn.Linear(FEATURES, 8), nn.Tanh(), nn.Linear(8, CLASSES))
    return Task(
        model=model,
        train=data(64, 1),
        test=data(20, 2),
        loss=nn.CrossEntropyLoss(),
        optimizer=lambda model, lr: torch.optim.SGD(model[2].parameters(), lr),  # type: ignore[index]
        settings=SETTINGS,
    )


def rivals() -> Task:
    """The task `headed` with a second optimizer for the first layer."""
    task = headed()
    other = torch.optim.Adam(task.model[0].parameters(), 0.01)  # type: ignore[index]

    def step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        other.step()
        other.zero_grad()
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    return replace(task, step=step)
