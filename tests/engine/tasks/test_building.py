"""Options that a task does not obey are refused, and the settings that are recorded are those that hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from stoker.engine import Task
from stoker.engine.errors import SettingError
from tests.support import inexact_tasks as tasks
from tests.support.in_process import Run, create


def own_optimizer() -> Task:
    return tasks.task(optimizer=lambda model, lr: torch.optim.Adam(model.parameters(), lr))


def own_sampler() -> Task:
    loader = DataLoader(
        TensorDataset(*tasks.pairs()), batch_size=5, sampler=WeightedRandomSampler([1.0] * tasks.ROWS, tasks.ROWS)
    )
    return tasks.task(train=loader)


@pytest.mark.parametrize(
    ("make", "given", "message"),
    [
        (own_optimizer, {"optimizer": "adamw"}, "--optimizer adamw has no effect: the task makes its own optimizer"),
        (own_sampler, {"batch_size": 3}, "--batch-size 3 has no effect: `DataLoader` of the task has its own"),
        (own_sampler, {"workers": 2}, "--workers 2 has no effect: `DataLoader` of the task has its own"),
    ],
)
def test_option_without_effect_is_refused(make: Any, given: dict[str, Any], message: str, tmp_path: Path) -> None:
    """The error names the option and its value, and says what to do."""
    with pytest.raises(SettingError, match=message):
        Run(create(tmp_path, "own", **given), function=make)


def test_record_has_what_holds(tmp_path: Path) -> None:
    """Not the task's settings, which such a task does not obey either."""
    recorded = [Run(create(tmp_path, "own"), function=f).folder.record().settings for f in (own_optimizer, own_sampler)]
    assert [settings["optimizer"] for settings in recorded] == ["own", "adam"]
    assert [settings["batch_size"] for settings in recorded] == [8, 5]


def test_run_of_an_older_version_is_resumed_without_a_warning(tmp_path: Path) -> None:
    """It recorded an optimizer that was not used."""
    folder = create(tmp_path, "own")
    Run(folder, stop_at=5, function=own_optimizer)
    saved = torch.load(folder.checkpoints / "latest.pt", weights_only=True)
    saved["settings"]["optimizer"] = "adam"
    (folder.checkpoints / "SHA256SUMS").unlink()
    torch.save(saved, folder.checkpoints / "latest.pt")
    assert Run(folder, function=own_optimizer).warnings("task_changed") == []
