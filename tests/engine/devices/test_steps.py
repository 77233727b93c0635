"""Steps on a device: they do not wait for it, resume exactly, and take losses and batches of every form."""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from stoker.engine.data.batches import to_device
from tests.support import device_tasks as tasks
from tests.support.device_runs import Script, different, run, stop_at
from tests.support.fake_cuda import FakeCuda, FakeMps

ON_THE_CLOCK = "loss_log.py"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"accumulate": 3, "clip": 1.0},
        {"precision": "bf16"},
        {"precision": "fp16", "optimizer": "adamw"},
        {"optimizer": "sgd:momentum=0.9"},
        {"optimizer": "adam", "scheduler": "onecycle"},
    ],
    ids=str,
)
def test_no_step_waits_for_the_device(given: dict[str, Any], tmp_path: Path) -> None:
    """No step synchronises, apart from the losses that are read on a timer."""
    with FakeCuda() as device:
        seen: list[Counter[str]] = []
        script = Script(dict.fromkeys((3, 4, 5, 6), lambda: seen.append(device.waits.copy())))
        finished = run(tmp_path, tasks.augmented, script, **given).finished
    assert finished.cause == "completed", finished.message
    assert len(seen) == 4
    waited = {what for before, after in itertools.pairwise(seen) for what in after - before}
    assert not {what for what in waited if ON_THE_CLOCK not in what}


@pytest.mark.parametrize("at", [3, 7, 12])
@pytest.mark.parametrize(
    "given", [{}, {"accumulate": 3, "precision": "fp16", "optimizer": "adam", "clip": 1.0}], ids=["plain", "fp16"]
)
def test_resume_inside_an_epoch_is_exact(at: int, given: dict[str, Any], tmp_path: Path) -> None:
    """A run on a device that is stopped and resumed ends with the same bits."""
    with FakeCuda():
        whole = run(tmp_path, tasks.augmented, **given)
    with FakeCuda():
        cut = run(tmp_path, tasks.augmented, stop_at(at), **given)
    with FakeCuda():
        resumed = cut.resume()
    assert resumed.finished.cause == "completed"
    assert different(whole.state, resumed.state) == []


def test_loss_with_class_weights_moves_to_the_device(tmp_path: Path) -> None:
    """The weights of a loss are where the outputs are, in training and in evaluation."""
    weights = torch.tensor([1.0, 2.0, 3.0])
    with FakeCuda() as device:
        done = run(tmp_path, lambda: tasks.task(loss=nn.CrossEntropyLoss(weight=weights.clone())))
        assert done.finished.cause == "completed", done.finished.message
        assert device.operations["nll_loss_forward"] > 2


def test_step_may_return_a_loss_of_shape_1(tmp_path: Path) -> None:
    """A step of the task's own may return a loss of shape (1,), as on the CPU."""
    function = lambda: tasks.own_step(lambda model, batch: cross_entropy(model(batch[0]), batch[1]).reshape(1))  # noqa: E731
    with FakeCuda():
        on_device = run(tmp_path, function)
    assert on_device.finished.cause == "completed", on_device.finished.message
    assert run(tmp_path, function, device="cpu").finished.cause == "completed"


@pytest.mark.parametrize("function", [tasks.encoded, tasks.packed], ids=lambda f: f.__name__)
def test_batch_moves_itself_to_the_device(function: Any, tmp_path: Path) -> None:
    """A batch or a part of it that has a `to` of its own is moved by it."""
    with FakeCuda():
        finished = run(tmp_path, function).finished
    assert finished.cause == "completed", finished.message


@pytest.mark.parametrize(("kind", "blocking"), [("cuda", False), ("mps", True)])
def test_batches_are_moved_without_blocking_on_cuda_alone(kind: str, blocking: bool) -> None:
    """Metal does not keep the source of a copy that nobody waits for."""
    seen: list[bool] = []

    class Moved:
        def to(self, device: torch.device, non_blocking: bool = False) -> None:
            seen.append(not non_blocking)

    to_device([Moved()], torch.device(kind))
    assert seen == [blocking]


def test_samples_of_a_batch_that_is_no_dict_are_counted(tmp_path: Path) -> None:
    """The mean loss of an evaluation gives each sample of such batches the same weight."""
    plain = run(tmp_path, lambda: tasks.task(test=tasks.data(20, 1), collate=None), device="cpu")
    encoded = run(tmp_path, tasks.encoded, device="cpu")
    for done in (plain, encoded):
        assert done.state["progress"]["samples"] == 128


def test_images_stay_channels_last_in_every_batch() -> None:
    """With channels-last a shuffled batch has that format too: no step converts it again."""
    from stoker.engine.data.tensor_batches import TensorBatches

    images = torch.randn(12, 3, 4, 4)
    batches = TensorBatches((images,), 4, 0, torch.device("cpu"), shuffle=True, channels_last=True)
    for (batch,) in batches.epoch(0):
        assert batch.is_contiguous(memory_format=torch.channels_last)


def test_run_on_mps_completes(tmp_path: Path) -> None:
    """A run on Metal trains, evaluates and resumes exactly."""
    with FakeMps():
        whole = run(tmp_path, tasks.augmented, device="mps")
    with FakeMps():
        cut = run(tmp_path, tasks.augmented, stop_at(7), device="mps")
    with FakeMps():
        assert different(whole.state, cut.resume().state) == []


@pytest.mark.parametrize(("norm", "kernels"), [(False, 2), (True, 5)])
def test_guard_costs_two_operations_a_step(norm: bool, kernels: int, tmp_path: Path) -> None:
    """Keeping NaN from the weights takes two kernels a step, and three more with batch norm, however many layers."""
    layers = [part for _ in range(5) for part in (nn.Linear(6, 6), *([nn.BatchNorm1d(6)] if norm else []), nn.ReLU())]

    def kernels_of_a_step(on_nan: str) -> int:
        seen: list[int] = []
        with FakeCuda() as device:
            script = Script(dict.fromkeys((3, 4), lambda: seen.append(device.operations.total())))
            function = lambda: tasks.task(model=nn.Sequential(*copy.deepcopy(layers), nn.Linear(6, 3)))  # noqa: E731
            assert run(tmp_path, function, script, on_nan=on_nan).finished.cause == "completed"
        return seen[1] - seen[0]

    assert kernels_of_a_step("stop") - kernels_of_a_step("ignore") == kernels


def test_batches_of_a_loader_are_copied_on_a_stream_of_their_own(tmp_path: Path) -> None:
    """Each batch is copied beside the step before it; the computing stream waits for it and keeps its memory."""
    with FakeCuda() as device:
        done = run(tmp_path, lambda: tasks.task(train=tasks.Rows(64), test=tasks.Rows(16)), epochs=1)
    assert done.finished.cause == "completed", done.finished.message
    batches = 8 + 2
    assert device.streams == device.stream.waited_for == ["side"] * batches
    assert device.stream.recorded == 2 * batches


def test_batch_with_memory_of_its_own_is_copied_on_the_computing_stream(tmp_path: Path) -> None:
    """An object that moves itself may hold tensors that nobody else finds, so it is copied in the steps' own order."""
    with FakeCuda() as device:
        assert run(tmp_path, tasks.encoded, epochs=1).finished.cause == "completed"
    assert device.streams == []
