"""What a batch is: how many samples it has, and its two parts."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from stoker.engine.data.batches import samples_in

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
def test_the_targets_tell_how_many_samples_there_are(batch: Any, samples: int) -> None:
    """Inputs may have time, or the words of all samples, first."""
    assert samples_in(batch) == samples
