"""What the machine and torch's modes may change in a resumed run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from stoker.engine import Task
from stoker.engine.checkpoints import files as checkpoint
from tests.support.in_process import Run, create
from tests.support.process_runner import checkpoint_state
from tests.support.tasks_for_tests import CLASSES, FEATURES, SETTINGS, data

BUILT_UNDER: list[int] = []


def counting() -> Task:
    """A task that notes under how many threads it was built."""
    BUILT_UNDER.append(torch.get_num_threads())
    model = nn.Linear(FEATURES, CLASSES)
    return Task(model=model, train=data(64, 1), test=data(20, 2), loss=nn.CrossEntropyLoss(), settings=SETTINGS)


def test_task_is_built_under_the_same_number_of_threads(tmp_path: Path) -> None:
    """Data that the task computes with torch depends on the number: start, resume and each fold use the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        BUILT_UNDER.clear()
        folder = create(tmp_path, "own", threads=None, split="kfold:2")
        assert Run(folder, stop_at=8, function=counting).finished.cause == "stopped"
        assert checkpoint_state(folder)["settings"]["threads"] == 1
        assert torch.get_num_threads() == 3
        torch.set_num_threads(2)
        assert Run(folder, stop_at=8, function=counting).finished.cause == "stopped"
        assert Run(folder, function=counting).finished.cause == "completed"
        assert BUILT_UNDER == [3, 3, 3, 3]
    finally:
        torch.set_num_threads(before)


def test_resume_on_another_processor_warns(tmp_path: Path) -> None:
    """The processor's instructions and the device's name are recorded, and compared where both sides have them."""
    folder = create(tmp_path, "own")
    assert Run(folder, stop_at=8, function=counting).finished.cause == "stopped"
    saved = checkpoint.read(folder.checkpoints / "latest.pt")
    environment = saved["environment"]
    assert environment["cpu_capability"] == torch.backends.cpu.get_cpu_capability()
    assert environment["device_name"]
    environment |= {"cpu_capability": "AVX9", "device_name": "another"}
    checkpoint.write(folder.checkpoints, ["latest.pt"], saved)
    (message,) = Run(folder, stop_at=2, function=counting).warnings("inexact")
    assert "cpu_capability AVX9 → " in message
    assert "device_name another → " in message


def test_checkpoint_without_a_processor_does_not_warn(tmp_path: Path) -> None:
    """An older checkpoint does not say where it was saved."""
    folder = create(tmp_path, "own")
    assert Run(folder, stop_at=8, function=counting).finished.cause == "stopped"
    saved = checkpoint.read(folder.checkpoints / "latest.pt")
    for name in ("cpu_capability", "device_name", "build_threads"):
        del saved["environment"][name]
    checkpoint.write(folder.checkpoints, ["latest.pt"], saved)
    assert Run(folder, function=counting).warnings("inexact") == []


def test_model_is_compiled_for_each_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One form for all shapes is made once a second shape is seen, and a new process has not seen it yet."""
    asked: list[dict[str, Any]] = []

    def compiled(model: nn.Module, **options: Any) -> nn.Module:
        asked.append(options)
        return model

    monkeypatch.setattr(torch, "compile", compiled)
    Run(create(tmp_path, "own", compile=True), function=counting)
    assert asked == [{"dynamic": False}]
