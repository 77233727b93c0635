"""The device of a run is the device of everything that the task makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from tests.support import device_tasks as tasks
from tests.support.device_runs import Script, different, run
from tests.support.fake_cuda import FakeCuda


def test_cuda_in_the_tasks_code_means_the_device_of_the_run(tmp_path: Path) -> None:
    """With `--device cuda:1` a tensor that the task puts on "cuda" is on cuda:1, and nothing is on cuda:0."""
    function = lambda: tasks.task(augment=lambda x: x + torch.zeros(6, device="cuda"))  # noqa: E731
    with FakeCuda() as device:
        others: list[Any] = []
        look = lambda: others.extend(row for row in device.alive() if row[1] == "cuda:0")  # noqa: E731
        finished = run(tmp_path, function, Script({5: look}), device="cuda:1").finished
        assert (finished.cause, others) == ("completed", []), finished.message
        assert device.current == 0, "the current device of the thread is put back"


def test_model_that_the_task_builds_on_the_device_is_seeded(tmp_path: Path) -> None:
    """Weights that are drawn on the device depend on `--seed` alone."""

    def function() -> Any:
        layer = nn.Linear(6, 3)
        layer.weight.data = torch.randn(3, 6, device="cuda")
        return tasks.task(model=layer)

    states = []
    for earlier in (1, 2):
        with FakeCuda() as device:
            device.generators[0].manual_seed(earlier)
            states.append(run(tmp_path, function, epochs=1).state["model"])
    assert different(*states) == []
