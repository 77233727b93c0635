"""The state of an optimizer is resumed with the types that it had."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from stoker.engine import Task
from stoker.engine.training.optimizers import OPTIMIZERS
from tests.support.in_process import interrupted
from tests.support.process_runner import assert_same_run
from tests.support.tasks_for_tests import CLASSES, FEATURES, SETTINGS, data


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_optimizer_of_other_precision_is_resumed(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    """Numbers that an optimizer keeps in single precision stay so for half and double parameters."""

    def make() -> Task:
        model = nn.Linear(FEATURES, CLASSES, bias=name != "muon").to(dtype)
        train, test = ((inputs.to(dtype), targets) for inputs, targets in (data(64, 1), data(20, 2)))
        return Task(model=model, train=train, test=test, loss=nn.CrossEntropyLoss(), settings=SETTINGS)

    whole, resumed = interrupted(tmp_path, make, stop_at=8, optimizer=name, lr=0.01)
    assert_same_run(whole.folder, resumed.folder)
