"""The share of the time that a training waits for data."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from stoker import Task
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.folder import create
from stoker.engine.runtime.loss_log import LossLog, TimedBatches
from stoker.engine.session import train


class Slow(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        time.sleep(0.004)
        return torch.rand(4), torch.tensor(index % 2)


def slow() -> Task:
    """A task that waits for its data."""
    return Task(model=nn.Linear(4, 2), train=Slow(), test=Slow(), loss=nn.CrossEntropyLoss())


def fast() -> Task:
    """A task whose data is in memory."""
    model = nn.Sequential(nn.Linear(64, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 2))
    data = (torch.rand(512, 64), torch.randint(0, 2, (512,)))
    return Task(model=model, train=data, test=data, loss=nn.CrossEntropyLoss())


def waits(runs: Path, task: Callable[[], Task]) -> list[float]:
    folder = create(runs, "task", None, {"given": {"epochs": 3, "batch_size": 16, "threads": 1}})
    seen: list[e.Event] = []
    train(folder, Controls(), seen.append, function=task)
    return [event.data_wait for event in seen if isinstance(event, e.Steps) and event.data_wait is not None]


def test_a_training_that_waits_for_data_says_so(tmp_path: Path) -> None:
    """Most of the time with a slow data set, little with tensors in memory."""
    slow_waits, fast_waits = waits(tmp_path / "slow", slow), waits(tmp_path / "fast", fast)
    assert slow_waits and sum(slow_waits) / len(slow_waits) > 0.6
    assert fast_waits and sum(fast_waits) / len(fast_waits) < 0.4
    assert all(0 <= share <= 1 for share in slow_waits + fast_waits)


def test_no_batch_is_kept_alive() -> None:
    """Memory that the training released can be given back."""
    references: list[weakref.ref[torch.Tensor]] = []

    def batches() -> Iterator[torch.Tensor]:
        for _ in range(2):
            one = [torch.zeros(1)]
            references.append(weakref.ref(one[0]))
            yield one.pop()

    timed = TimedBatches(batches(), LossLog())
    batch = next(timed)
    del batch
    gc.collect()
    assert references[0]() is None
