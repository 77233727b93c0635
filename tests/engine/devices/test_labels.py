"""Labels that the model has no output for are refused before the GPU sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from stoker.engine.errors import TaskError
from tests.support import device_tasks as tasks
from tests.support.device_runs import run
from tests.support.fake_cuda import FakeCuda


@pytest.mark.parametrize("label", [3, -1])
def test_label_without_an_output_is_refused(label: int, tmp_path: Path) -> None:
    """A failed assertion on the device would end all use of CUDA, so the labels are checked on the host, once."""
    inputs, targets = tasks.data()
    targets[50] = label
    with FakeCuda() as device, pytest.raises(TaskError, match=f"label {label}, but the model has 3 outputs"):
        run(tmp_path, lambda: tasks.task(train=(inputs, targets)))
    assert device.operations["nll_loss_forward"] == 0


@pytest.mark.parametrize("kind", ["ignored", "probabilities"])
def test_other_targets_are_not_labels(kind: str, tmp_path: Path) -> None:
    """The label that the loss ignores is allowed, and probabilities are no labels."""
    inputs, targets = tasks.data()
    loss = nn.CrossEntropyLoss()
    if kind == "ignored":
        targets[50] = loss.ignore_index
    else:
        targets = torch.nn.functional.one_hot(targets, 3).float()
    with FakeCuda():
        done = run(tmp_path, lambda: tasks.task(train=(inputs, targets), loss=loss, metrics=[], test=(inputs, targets)))
    assert done.finished.cause == "completed", done.finished.message
