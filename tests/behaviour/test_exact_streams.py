"""Streams and samplers with an order of their own: what is resumed, and what is warned of."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    Sampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from stoker.engine import Task
from stoker.engine.runs.events import Evaluated
from tests.support.in_process import Run, create, interrupted
from tests.support.process_runner import assert_same_run, checkpoint_state
from tests.support.tasks_for_tests import CLASSES, FEATURES, SETTINGS, StatefulStream, data


def task_of(train: Any, test: Any = None) -> Task:
    """Return a task that trains a linear model on `train`."""
    test = data(20, 2) if test is None else test
    return Task(
        model=nn.Linear(FEATURES, CLASSES), train=train, test=test, loss=nn.CrossEntropyLoss(), settings=SETTINGS
    )


class Rewinding(IterableDataset[tuple[Tensor, Tensor]]):
    """A stream that rewinds itself at its end, as torchdata's documentation shows it."""

    def __init__(self, rows: int = 32) -> None:
        self.inputs, self.targets = data(rows, 1)
        self.row, self.passes = 0, 0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        while self.row < len(self.inputs):
            self.row += 1
            yield self.inputs[self.row - 1] * (1 + self.passes), self.targets[self.row - 1]
        self.row, self.passes = 0, self.passes + 1

    def state_dict(self) -> dict[str, Any]:
        return {"row": self.row, "passes": self.passes}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.row, self.passes = state["row"], state["passes"]


class Long(StatefulStream):
    """A stream that yields more than its length."""

    def __len__(self) -> int:
        return 18


class Endless(Long):
    """A stream without an end whose length is that of an epoch."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from super().__iter__()


@pytest.mark.parametrize("rows", [30, 32])
@pytest.mark.parametrize("stop_at", [*range(3, 10)])
def test_stream_that_rewinds_itself_is_resumed(stop_at: int, rows: int, tmp_path: Path) -> None:
    """Also where it is saved after a smaller last batch, before the epoch has ended."""
    whole, resumed = interrupted(tmp_path, lambda: task_of(Rewinding(rows)), stop_at=stop_at)
    assert resumed.finished.step == whole.finished.step
    assert_same_run(whole.folder, resumed.folder)


@pytest.mark.parametrize("stop_at", [4, 9])
def test_stream_that_is_also_the_test_data_is_resumed(stop_at: int, tmp_path: Path) -> None:
    """An evaluation reads a copy, and begins at its start each time."""

    def make() -> Task:
        stream = StatefulStream()
        return task_of(stream, stream)

    whole, resumed = interrupted(tmp_path, make, stop_at=stop_at, eval_every="4steps")
    assert_same_run(whole.folder, resumed.folder)
    apart = Run(create(tmp_path, "own", eval_every="4steps"), function=lambda: task_of(StatefulStream()))
    assert torch.equal(
        checkpoint_state(apart.folder)["model"]["weight"], checkpoint_state(whole.folder)["model"]["weight"]
    )


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("stream", [Long, Endless])
def test_epoch_of_a_stream_ends_at_its_length(stream: type[Long], accumulate: int, tmp_path: Path) -> None:
    """A stream that yields more is cut there, and the run says so once."""
    whole, resumed = interrupted(tmp_path, lambda: task_of(stream()), stop_at=3, accumulate=accumulate)
    assert [event.epoch for event in whole.of(Evaluated)] == [1, 2, 3]
    assert whole.finished.step == 3 * (3 if accumulate == 1 else 2)
    (message,) = whole.warnings("note")
    assert message.startswith(f"`{stream.__name__}` yields more than its length")
    assert_same_run(whole.folder, resumed.folder)


class OwnGenerator(Sampler[int]):
    """Draws from a generator of its own."""

    def __init__(self, rows: int) -> None:
        self.rows, self.generator = rows, np.random.default_rng(1)

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[int]:
        yield from self.generator.permutation(self.rows).tolist()


class Shuffling(Sampler[list[int]]):
    """A batch sampler that draws from python's global generator."""

    def __len__(self) -> int:
        return 8

    def __iter__(self) -> Iterator[list[int]]:
        rows = list(range(64))
        random.shuffle(rows)
        for first in range(0, 64, 8):
            yield rows[first : first + 8]


ROWS = TensorDataset(*data(64, 1))
EXACT: dict[str, Callable[[], dict[str, Any]]] = {
    "weighted": lambda: {"sampler": WeightedRandomSampler(torch.rand(64).tolist(), 64)},
    "distributed": lambda: {"sampler": DistributedSampler(ROWS, num_replicas=2, rank=0)},
    "subset": lambda: {"sampler": SubsetRandomSampler(range(40))},
    "replacement": lambda: {"sampler": RandomSampler(ROWS, replacement=True)},
    "batches": lambda: {"batch_sampler": BatchSampler(WeightedRandomSampler([1.0] * 64, 64), 8, drop_last=True)},
    "own batches": lambda: {"batch_sampler": Shuffling()},
}
INEXACT: dict[str, Callable[[], dict[str, Any]]] = {
    "numpy": lambda: {"sampler": OwnGenerator(64)},
    "torch": lambda: {"sampler": WeightedRandomSampler([1.0] * 64, 64, generator=torch.Generator().manual_seed(1))},
}


def sampled(options: dict[str, Any]) -> Task:
    """Return a task with these options of its loader."""
    size: dict[str, Any] = {} if "batch_sampler" in options else {"batch_size": 8}
    return task_of(DataLoader(ROWS, **size, **options))


@pytest.mark.parametrize("name", EXACT)
def test_sampler_of_global_generators_is_resumed_without_a_warning(name: str, tmp_path: Path) -> None:
    """A sampler that yields the same order under the same seed needs no state."""
    whole, resumed = interrupted(tmp_path, lambda: sampled(EXACT[name]()), stop_at=12)
    assert_same_run(whole.folder, resumed.folder)
    assert whole.warnings("inexact") == []


@pytest.mark.parametrize("name", INEXACT)
def test_sampler_with_a_generator_of_its_own_is_warned_of(name: str, tmp_path: Path) -> None:
    """The warning names the sampler; looking for it draws nothing from the sampler's generator."""
    with_warning = Run(create(tmp_path, "own", epochs=1), function=lambda: sampled(INEXACT[name]()))
    (message,) = with_warning.warnings("inexact")
    assert message.startswith("`OwnGenerator` " if name == "numpy" else "`WeightedRandomSampler` ")


class Stateful(DataLoader[Any]):
    """A loader with a state, as torchdata's: asking for it before the first batch starts an iteration."""

    asked_early = False
    begun = False

    def __iter__(self) -> Any:
        self.begun = True
        return super().__iter__()

    def state_dict(self) -> dict[str, Any]:
        type(self).asked_early |= not self.begun
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


def test_loader_is_not_asked_for_its_state_before_it_was_read(tmp_path: Path) -> None:
    """A save before the first batch holds no state of the loader."""
    Stateful.asked_early = False
    folder = create(tmp_path, "own")
    Run(folder, stop_at=1, function=lambda: task_of(Stateful(ROWS, batch_size=8)))
    assert not Stateful.asked_early
    assert checkpoint_state(folder)["loader"] is None


def test_stateful_loader_with_workers_is_warned_of(tmp_path: Path) -> None:
    """What its workers draw has no position in the loader's state."""
    task = task_of(Stateful(ROWS, batch_size=8, num_workers=1))
    (message,) = Run(create(tmp_path, "own"), stop_at=1, function=lambda: task).warnings("inexact")
    assert message.startswith("`Stateful` reads with workers")


def test_full_batch_is_the_same_with_workers(tmp_path: Path) -> None:
    """A full batch of tensors is not shuffled, whatever the number of workers."""
    none, two = (
        Run(create(tmp_path, "own", workers=workers, batch_size=None), function=lambda: task_of(data(64, 1)))
        for workers in (0, 2)
    )
    assert_same_run(none.folder, two.folder)
