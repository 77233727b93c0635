"""Which device a run takes, and how its GPU is named to other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine.accelerator import nvml
from stoker.engine.devices import choose_device
from stoker.engine.runs.events import RunStarted
from tests.support import device_tasks as tasks
from tests.support.device_runs import Script, run
from tests.support.fake_cuda import FakeCuda
from tests.support.fake_nvml import FakeNvml


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    """NVML with three GPUs, of which the one with the most free memory is the second of torch's order."""
    library = FakeNvml({"GPU-fake-2": 10, "GPU-fake-0": 20, "GPU-fake-1": 30})
    monkeypatch.setitem(sys.modules, "pynvml", library)
    return library


def test_auto_takes_the_gpu_with_the_most_free_memory(library: FakeNvml, tmp_path: Path) -> None:
    """`auto` asks by UUID, because NVML's order is another one than torch's, and the run says so."""
    with FakeCuda(3):
        assert choose_device("auto") == torch.device("cuda:1")
        done = run(tmp_path, tasks.augmented, device="auto")
    assert "Of 3 GPUs cuda:1 was chosen: it had the most free memory." in done.warnings("note")
    started = next(event for event in done.events if isinstance(event, RunStarted))
    assert started.gpu == "fake-1" and started.device == "cuda:1 (Fake GPU)"


def test_gpu_that_does_not_tell_is_not_chosen(library: FakeNvml, tmp_path: Path) -> None:
    """A GPU that refuses to answer hides no other; where none answers, the first one is taken."""
    library.lost.add("GPU-fake-1")
    with FakeCuda(3):
        assert choose_device("auto") == torch.device("cuda:0")
        library.lost |= {"GPU-fake-0", "GPU-fake-2"}
        assert choose_device("auto") == torch.device("cuda:0")
        (note,) = (text for text in run(tmp_path, tasks.augmented, device="auto").warnings("note") if "GPUs" in text)
        assert "does not tell" in note


def test_part_of_a_gpu_is_found_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """NVML finds a MIG instance by the UUID of torch, which lacks its prefix."""
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml({"MIG-a": 7, "GPU-b": 8}))
    assert nvml.free_memory(["a", "b", "c"]) == [7, 8, None]


def test_machine_without_a_driver_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NVIDIA's library there is no driver, and no GPU that tells its memory."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml.driver_version() is None
    assert nvml.free_memory(["a"]) == [None]


@pytest.mark.parametrize("name", ["cuda:3", "cuda:7"])
def test_gpu_that_is_not_there_is_refused(name: str) -> None:
    """The error says how many there are."""
    with FakeCuda(3), pytest.raises(Exception, match="has 3 CUDA device"):
        choose_device(name)


def test_broken_device_is_explained(tmp_path: Path) -> None:
    """After a failed assertion on the device the run says that the process cannot use CUDA any more."""
    with FakeCuda() as device:

        def break_it() -> None:
            device.broken = True

        done: Any = run(tmp_path, tasks.augmented, Script({5: break_it}))
    assert done.finished.cause == "failed"
    assert "--background" in done.finished.message and "--device cpu" in done.finished.message
