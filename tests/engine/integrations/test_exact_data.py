"""Data whose random draws depend on (seed, epoch, first row of the batch) alone."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from stoker.engine.integrations.exact_data import ExactData


class Noise(Dataset[float]):
    """Rows that are drawn."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> float:
        return index + random.random() * torch.rand(()).item()


def batches(seed: int, epoch: int, first: int = 0, workers: int = 0) -> list[Any]:
    """Return the batches from row `first` on."""
    exact = ExactData(Noise(), lambda rows: torch.tensor(rows) + torch.rand(len(rows)), seed)
    exact.epoch.fill_(epoch)
    loader: Any = DataLoader(
        exact.dataset, 2, sampler=range(first, 8), collate_fn=exact.collate, num_workers=workers
    )  # fmt: skip
    return [batch.tolist() for batch in loader]


def test_a_batch_is_the_same_wherever_reading_begins() -> None:
    """In the main process and in workers; another epoch or seed gives another one."""
    whole = batches(1, 0)
    assert batches(1, 0, first=4) == whole[2:] == batches(1, 0, first=4, workers=2)
    assert batches(1, 1) != whole != batches(2, 0)


def test_the_training_draws_as_if_nothing_was_read() -> None:
    """Reading in the main process puts the generators back."""
    exact = ExactData(Noise(), torch.tensor, seed=1)
    torch.manual_seed(3)
    random.seed(3)
    expected = torch.rand(()).item(), random.random()
    torch.manual_seed(3)
    random.seed(3)
    exact.collate([exact.dataset[0], exact.dataset[1]])
    assert (torch.rand(()).item(), random.random()) == expected


def test_rows_of_another_data_set_are_collated_as_usual() -> None:
    """An evaluation goes through the same function."""
    assert ExactData(Noise(), sum, seed=1).collate([1, 2]) == 3
