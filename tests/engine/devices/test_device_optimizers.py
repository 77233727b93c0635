"""Optimizers on a device: what they begin with, which kernels they use, and whether steps wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine.checkpoints import files
from tests.support import device_tasks as tasks
from tests.support.device_runs import different, run, stop_at
from tests.support.fake_cuda import FakeCuda


@pytest.fixture
def fresh_memory_is_nan() -> Iterator[None]:
    """Fill memory that is not initialised with NaN."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("fresh_memory_is_nan")
@pytest.mark.parametrize("optimizer", ["sgd:momentum=0.9", "sgd:momentum=0.9,nesterov=yes", "sgd"])
def test_fp16_with_sgd_trains_like_the_unfused_optimizer(optimizer: str, tmp_path: Path) -> None:
    """Also when the first steps overflow and are skipped, SGD in half precision equals the unfused one bitwise."""
    fused = run(tmp_path, tasks.overflowing, device="cpu", optimizer=optimizer)
    separator = "," if ":" in optimizer else ":"
    unfused = run(tmp_path, tasks.overflowing, device="cpu", optimizer=f"{optimizer}{separator}fused=no")
    assert fused.finished.cause == unfused.finished.cause == "completed", fused.finished.message
    assert different(unfused.state["model"], fused.state["model"]) == []


@pytest.mark.usefixtures("fresh_memory_is_nan")
def test_fp16_with_momentum_resumed_before_its_first_step_has_numbers(tmp_path: Path) -> None:
    """A run of an older version, saved before its first update, begins with zeros too; the optimizer is the task's own."""
    make = lambda model, lr: torch.optim.SGD(model.parameters(), lr, momentum=0.9, fused=True)  # noqa: E731

    def own() -> Any:
        task = tasks.overflowing()
        task.optimizer = make
        return task

    whole = run(tmp_path, own, device="cpu")
    cut = run(tmp_path, own, stop_at(1), device="cpu")
    cut.state["optimizer"]["state"] = {}
    files.write(cut.folder.checkpoints, ["latest.pt"], cut.state)
    resumed = cut.resume()
    assert whole.finished.cause == resumed.finished.cause == "completed", resumed.finished.message
    assert different(whole.state["model"], resumed.state["model"]) == []


@pytest.mark.usefixtures("fresh_memory_is_nan")
def test_fp16_with_dampened_momentum_has_numbers(tmp_path: Path) -> None:
    """SGD with dampening begins with its first gradient, which zeros would not give: it is not fused."""
    done = run(tmp_path, tasks.overflowing, device="cpu", optimizer="sgd:momentum=0.9,dampening=0.5")
    assert done.finished.cause == "completed", done.finished.message


@pytest.mark.parametrize("optimizer", ["sgd", "sgd:momentum=0.9", "adam", "adamw:fused=no"])
def test_run_of_the_cpu_goes_on_on_a_device(optimizer: str, tmp_path: Path) -> None:
    """A checkpoint of the CPU can be resumed on a device, with the kernels that are right there."""
    cut = run(tmp_path, tasks.augmented, stop_at(5), device="cpu", optimizer=optimizer)
    record = cut.folder.record()
    record.given["device"] = "cuda"
    cut.folder.write_record(record)
    with FakeCuda() as device:
        resumed = cut.resume()
        assert resumed.finished.cause == "completed", resumed.finished.message
        if "fused=no" not in optimizer:
            assert any(name.startswith("_fused_") for name in device.operations)


def test_optimizer_that_makes_each_step_wait_is_named_once(tmp_path: Path) -> None:
    """An optimizer that cannot skip an update by itself makes each step wait, and the run says so once."""
    with FakeCuda():
        slow, fast = (run(tmp_path, tasks.augmented, optimizer=name) for name in ("rmsprop", "adam"))
    [note] = [text for text in slow.warnings("note") if "waits" in text]
    assert "RMSprop" in note
    assert not [text for text in fast.warnings("note") if "waits" in text]
