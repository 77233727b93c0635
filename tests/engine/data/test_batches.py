"""The number of samples in a batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from stoker.engine.config.settings import Settings
from stoker.engine.data.batches import batch_size_of
from stoker.engine.data.factory import evaluation_batches, training_batches

WORDS, OFFSETS, LABELS = torch.zeros(37, dtype=torch.long), torch.tensor([0, 9, 20]), torch.zeros(3)


@pytest.mark.parametrize(
    ("batch", "samples"),
    [
        ((torch.zeros(5, 2), torch.zeros(5)), 5),
        ([torch.zeros(5, 2), torch.zeros(5)], 5),
        ((torch.zeros(20, 3, 8), LABELS), 3),
        (((WORDS, OFFSETS), LABELS), 3),
        ({"inputs": torch.zeros(3, 7), "labels": LABELS}, 3),
        ((torch.zeros(4, 2), [{"boxes": 1}] * 4), 4),
        ((torch.zeros(4), torch.tensor(1.0)), 4),
        ("text", 1),
    ],
)
def test_the_targets_give_the_batch_size(batch: Any, samples: int) -> None:
    """The first dimension of the inputs may be time, or the words of all samples."""
    assert batch_size_of(batch) == samples


class Rows(Dataset[Any]):
    """Rows that are their own number."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, row: int) -> Any:
        return torch.tensor(row), torch.tensor(row)


@pytest.mark.parametrize("data", [(torch.arange(12), torch.arange(12)), Rows(), DataLoader(Rows(), batch_size=5)])
@pytest.mark.parametrize("batch_size", [5, None])
def test_evaluation_data_keeps_its_order(data: Any, batch_size: int | None) -> None:
    """Training shuffles the same data."""
    settings = Settings(batch_size=batch_size, epochs=1)
    batches = evaluation_batches(data, settings, torch.device("cpu"))
    assert torch.cat([batch[0] for batch in batches.epoch(0)]).tolist() == list(range(12))
    if batch_size is not None and not isinstance(data, DataLoader):
        shuffled = training_batches(data, settings, torch.device("cpu"))
        assert torch.cat([batch[0] for batch in shuffled.epoch(0)]).tolist() != list(range(12))
