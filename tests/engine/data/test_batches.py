"""The number of samples in a batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from stoker.engine.data.batches import batch_size_of

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
