"""Saving on a device: it copies into pinned memory by itself, and only the writer thread waits for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine.checkpoints.snapshot_pool import SnapshotPool
from tests.support import device_tasks as tasks
from tests.support.device_runs import Script, different, run
from tests.support.fake_cuda import FakeCuda


def test_save_does_not_wait_for_the_device(tmp_path: Path) -> None:
    """A save of every step adds no synchronisation to the training thread; the writer thread waits for each copy."""
    with FakeCuda() as device:
        done = run(tmp_path, tasks.augmented, save_every="1steps", optimizer="adam")
    assert done.finished.cause == "completed"
    assert not [what for what in device.waits if "snapshot_pool" in what]
    assert set(device.event_waits) == {"stoker-checkpoint-writer"}


def test_snapshot_is_read_after_the_device_has_copied_it() -> None:
    """`wait` waits once for the event behind the copies, and a snapshot of the host's tensors has none."""
    pool = SnapshotPool()
    with FakeCuda() as device:
        snapshot = pool.acquire({"a": torch.ones(3, device="cuda"), "b": torch.zeros(2), "c": 1})
        assert device.is_pinned(snapshot["a"]) and not device.is_pinned(snapshot["b"])
        assert device.event_waits == []
        for _ in range(2):
            pool.wait(snapshot)
        assert device.event_waits == [threading.current_thread().name]
        pool.wait(pool.acquire({"b": torch.zeros(2)}))
        assert len(device.event_waits) == 1


def test_released_memory_is_used_again() -> None:
    """The next snapshot is made in the pinned memory of the released one."""
    pool = SnapshotPool()
    with FakeCuda():
        first = pool.acquire([torch.ones(3, device="cuda")])
        address = first[0].data_ptr()
        pool.release(first)
        second = pool.acquire([torch.full((3,), 2.0, device="cuda")])
        assert second[0].data_ptr() == address and second[0].tolist() == [2, 2, 2]


def test_without_pinned_memory_a_snapshot_is_made_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system pins no memory, copies wait, as before; it is not asked again."""
    asked: list[Any] = []

    def refuse(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments)
        raise RuntimeError("no pinned memory")

    with FakeCuda():
        plain = run(tmp_path, tasks.augmented, save_every="1steps")
    monkeypatch.setattr(torch, "empty_like", refuse)
    with FakeCuda() as device:
        done = run(tmp_path, tasks.augmented, Script(), save_every="1steps")
    assert len(asked) == 1
    assert [what for what in device.waits if "snapshot_pool" in what]
    assert different(plain.state["model"], done.state["model"]) == []


def test_snapshot_of_two_devices_waits_for_both() -> None:
    """A task may keep an object on another GPU: its copy is waited for too."""
    pool = SnapshotPool()
    with FakeCuda() as device:
        snapshot = pool.acquire([torch.ones(3, device="cuda:0"), torch.ones(3, device="cuda:1")])
        pool.wait(snapshot)
        assert len(device.event_waits) == 2
