"""The fake device notices what a real one would, and what it is there to notice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from stoker.engine import seeding
from stoker.engine.data import batches
from stoker.engine.training import train_step
from tests.support import device_tasks as tasks
from tests.support.device_runs import different, run, stop_at
from tests.support.fake_cuda import FakeCuda, FakeMps


def test_operation_on_two_devices_raises() -> None:
    """A tensor of the host and one of the device cannot be added, but a number of the host can."""
    with FakeCuda():
        tensor = torch.ones(3, device="cuda")
        assert (tensor + torch.tensor(1.0)).device == torch.device("cuda:0")
        with pytest.raises(RuntimeError, match="same device, but found cpu, cuda:0"):
            tensor + torch.ones(3)
        with pytest.raises(RuntimeError, match="cuda:0, cuda:1"):
            tensor + torch.ones(3, device="cuda:1")


def test_results_and_gradients_are_on_the_device() -> None:
    """What operations and the backward pass make is on the device of what they read."""
    with FakeCuda():
        model = nn.Linear(4, 2).to("cuda:1")
        model(torch.ones(3, 4, device="cuda:1")).sum().backward()
        assert all(p.is_cuda and str(p.grad.device) == "cuda:1" for p in model.parameters())
        assert model.cpu().weight.device.type == "cpu"


def test_each_synchronisation_is_counted() -> None:
    """Reading a number, copying to the host and selecting by a mask wait; adding and copying to the device do not."""
    with FakeCuda() as device:
        tensor = torch.arange(4.0).to("cuda")
        tensor.add_(tensor)
        assert not device.waits
        assert tensor.sum().item() == 12
        assert tensor.cpu().tolist() == [0, 2, 4, 6]
        assert len(tensor[tensor > 3]) == 2
        assert [what.partition(" <")[0] for what in device.waits] == [
            "_local_scalar_dense",
            "copy to the host",
            "index",
        ]


def test_copy_without_blocking_waits_unless_the_memory_is_pinned() -> None:
    """A copy to the host without blocking is asynchronous only into pinned memory."""
    with FakeCuda() as device:
        tensor = torch.ones(4, device="cuda")
        torch.empty(4, pin_memory=True).copy_(tensor, non_blocking=True)
        assert not device.waits
        torch.empty(4).copy_(tensor, non_blocking=True)
        assert device.waits.total() == 1


def test_operations_are_counted_without_views() -> None:
    """Each kernel counts once, a view not at all."""
    with FakeCuda() as device:
        torch.ones(2, 3, device="cuda").t().reshape(-1).add_(1).view(3, 2)
        assert device.operations["add_"] == 1 and "t" not in device.operations


def test_random_numbers_come_from_the_devices_generator() -> None:
    """Draws on the device leave the generator of the host alone, and repeat under the device's own seed."""
    with FakeCuda():
        before = torch.get_rng_state()
        drawn = []
        for _ in range(2):
            torch.cuda.default_generators[0].manual_seed(3)
            drawn += [
                nn.functional.dropout(torch.ones(64, device="cuda")).tolist(),
                torch.rand(2, device="cuda").tolist(),
            ]
        assert drawn[:2] == drawn[2:]
        assert torch.equal(before, torch.get_rng_state())


def test_tensor_that_does_not_fit_raises() -> None:
    """A device with 100 bytes has no room for 200, and has room again for what was freed."""
    with FakeCuda(room=100) as device:
        tensor = torch.ones(20, device="cuda")
        assert device.alive()[0][:2] == (80, "cuda:0")
        with pytest.raises(torch.OutOfMemoryError):
            tensor.repeat(2)
        del tensor
        assert not device.alive()
        torch.ones(20, device="cuda")


def test_broken_device_raises_at_a_synchronisation() -> None:
    """After a failed assertion on the device only a synchronisation raises."""
    with FakeCuda() as device:
        tensor = torch.ones(2, device="cuda")
        device.broken = True
        tensor.add_(1)
        with pytest.raises(RuntimeError, match="device-side assert"):
            tensor.tolist()


def test_unknown_torch_is_skipped_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a private function of torch has moved, the tests are skipped, and say which one and in which version."""
    monkeypatch.delattr(torch._C, "_group_tensors_by_device_and_dtype")
    with pytest.raises(pytest.skip.Exception, match=re.escape(torch.__version__) + ".*_group_tensors"):
        FakeCuda()


def test_nothing_is_left_after_the_block() -> None:
    """Outside the block torch is as before."""
    real = torch.cuda.is_available, torch.autocast
    with FakeCuda():
        assert torch.cuda.device_count() == 2
    assert (torch.cuda.is_available, torch.autocast) == real
    with FakeMps():
        assert str(torch.ones(2, device="mps").device) == "mps:0"
        assert torch.backends.mps.is_available()


def test_resume_without_reseeding_the_device_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the engine did not seed the device's generator, a resumed run on the fake device would differ."""

    def host_only(value: int, device: torch.device | None = None) -> None:
        torch.default_generator.manual_seed(value)

    for module in (seeding, train_step, batches):
        for name in {"reseed", "reseed_torch"} & vars(module).keys():
            monkeypatch.setattr(module, name, host_only)
    with FakeCuda():
        whole = run(tmp_path, tasks.augmented)
    with FakeCuda():
        cut = run(tmp_path, tasks.augmented, stop_at(7))
    with FakeCuda():
        assert different(whole.state["model"], cut.resume().state["model"])
