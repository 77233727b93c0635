"""Losses that are not finite, on a device: the device itself keeps them away from the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support import device_tasks as tasks
from tests.support.device_runs import DeviceRun, different, run, stop_at
from tests.support.fake_cuda import FakeCuda


def assert_finite(done: DeviceRun) -> None:
    """Check that the run completed, and that every number of its saved model is finite."""
    assert done.finished.cause == "completed", done.finished.message
    assert done.state is not None
    assert all(bool(torch.isfinite(value).all()) for value in done.state["model"].values())


@pytest.mark.parametrize("given", [{}, {"accumulate": 2}, {"optimizer": "rmsprop"}], ids=str)
def test_nan_batch_does_not_reach_the_statistics_of_batch_norm(given: dict[str, Any], tmp_path: Path) -> None:
    """After a batch with NaN the running statistics are those of before it, and the run saves on."""
    with FakeCuda():
        assert_finite(run(tmp_path, tasks.poisoned, **given))


def test_nan_on_a_device_leaves_what_it_leaves_on_the_cpu(tmp_path: Path) -> None:
    """A run with a NaN batch ends with the same model on a device as on the CPU."""
    with FakeCuda():
        there = run(tmp_path, tasks.poisoned, optimizer="sgd:momentum=0.9")
    here = run(tmp_path, tasks.poisoned, device="cpu", optimizer="sgd:momentum=0.9")
    assert len(there.warnings("nan")) == len(here.warnings("nan")) == 3
    statistics = {name for name in here.state["model"] if "num_batches" in name}
    for name in statistics:
        assert torch.equal(here.state["model"][name], there.state["model"][name])


def test_optimizer_that_ignores_found_inf_is_seen(tmp_path: Path) -> None:
    """A fused optimizer with a step of its own does not skip an update by itself, so the run waits for the loss."""
    with FakeCuda():
        assert_finite(run(tmp_path, tasks.heedless))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_nan_loss_with_finite_gradients_moves_no_weight(precision: str, tmp_path: Path) -> None:
    """The update of a loss that is NaN is skipped, also where its gradients are finite."""
    with FakeCuda():
        first = run(tmp_path, tasks.nan_beside, stop_at(1), precision=precision)
        last = run(tmp_path, tasks.nan_beside, precision=precision)
    assert last.finished.step == 8 and last.warnings("nan")
    assert different(first.state["model"], last.state["model"]) == []


def test_statistics_that_share_memory_are_put_back_too(tmp_path: Path) -> None:
    """A buffer that is a part of a larger tensor cannot be joined with the others, and is guarded by itself."""

    def function() -> Any:
        task = tasks.poisoned()
        norm = task.model[1]
        base = torch.zeros(2, 8, device="cuda")
        norm.running_mean, norm.running_var = base[0], base[1].fill_(1)
        return task

    with FakeCuda():
        assert_finite(run(tmp_path, function))
