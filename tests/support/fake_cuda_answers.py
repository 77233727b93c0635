"""What torch's functions about devices answer while the fake device is there."""

from __future__ import annotations

import contextlib
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import torch

if TYPE_CHECKING:
    from tests.support.fake_cuda import FakeCuda

GROUPED = "_group_tensors_by_device_and_dtype"
NAME = "Fake GPU"


class FakeEvent:
    """An event that the device has always reached; who waits for it is noted in `event_waits`."""

    def __init__(self, fake: FakeCuda) -> None:
        self._fake = fake

    def record(self, stream: Any) -> None:
        """Do nothing."""

    def synchronize(self) -> None:
        """Note the thread that waits."""
        self._fake.event_waits.append(threading.current_thread().name)


def check_torch() -> None:
    """Skip the test, and name torch's version, where torch's private functions have moved."""
    private = [
        (torch._C, GROUPED),
        (torch.utils._foreach_utils, GROUPED),
        (torch, "accelerator"),
        (torch, "AcceleratorError"),
        (torch.cuda, "default_generators"),
        (torch._C, "_cuda_clearCublasWorkspaces"),
        (torch.utils.data._utils.pin_memory, "pin_memory"),
    ]
    if missing := [f"{owner.__name__}.{name}" for owner, name in private if not hasattr(owner, name)]:
        pytest.skip(f"the fake device does not know torch {torch.__version__}: {', '.join(missing)} moved")


def answers(fake: FakeCuda) -> list[contextlib.AbstractContextManager[Any]]:
    """Return the patches of torch that make `fake` visible."""
    owners = (torch._C, torch.utils._foreach_utils)
    grouped = [mock.patch.object(owner, GROUPED, _grouped(fake, getattr(owner, GROUPED))) for owner in owners]
    stream = mock.Mock(**{"is_capturing.return_value": False})
    common = [
        *grouped,
        mock.patch.object(torch, "autocast", _autocast(torch.autocast)),
        mock.patch.object(torch.accelerator, "current_stream", lambda *_: stream),
        mock.patch.object(torch.accelerator, "current_device_index", lambda: fake.current),
        mock.patch.object(torch.accelerator, "set_device_index", lambda *_: None),
        # torch pins in a thread of its own, which the fake device does not reach.
        mock.patch.object(torch.utils.data._utils.pin_memory, "pin_memory", lambda data, *_: data),
    ]
    return common + (_of_mps(fake) if fake.kind == "mps" else _of_cuda(fake))


def _of_cuda(fake: FakeCuda) -> list[contextlib.AbstractContextManager[Any]]:
    values: dict[str, Any] = {
        "is_available": lambda: True,
        "device_count": lambda: fake.count,
        "_lazy_init": lambda: None,
        "is_initialized": lambda: True,
        "current_device": lambda: fake.current,
        "set_device": lambda device: setattr(fake, "current", fake.number(device)),
        "get_device_name": lambda device=None: NAME,
        "get_device_capability": lambda device=None: (9, 0),
        "get_device_properties": lambda device=None: SimpleNamespace(
            name=NAME, major=9, minor=0, multi_processor_count=132, uuid=f"fake-{fake.number(device)}"
        ),
        "mem_get_info": lambda device=None: _memory(fake, device),
        "memory_reserved": fake.held,
        "memory_allocated": fake.held,
        "is_bf16_supported": lambda *_: True,
        "is_current_stream_capturing": lambda: False,
        "empty_cache": fake.check,
        "synchronize": lambda *_: fake.wait("synchronize"),
        "Event": lambda **_: FakeEvent(fake),
        "current_stream": lambda *_: fake.stream,
        "Stream": lambda *_: "side",
        "stream": fake.on_stream,
        "default_generators": fake.generators,
    }
    patches: list[Any] = [mock.patch.object(torch.cuda, name, value) for name, value in values.items()]
    patches.append(mock.patch.object(torch.Tensor, "record_stream", lambda tensor, stream: stream.record(tensor)))
    patches.append(mock.patch.object(torch._C, "_cuda_clearCublasWorkspaces", lambda: None))
    patches.append(mock.patch.object(torch.cuda.random, "device_count", lambda: fake.count))
    patches.append(mock.patch.object(torch.backends.cudnn, "is_acceptable", lambda _: False))
    return patches


def _of_mps(fake: FakeCuda) -> list[contextlib.AbstractContextManager[Any]]:
    values: dict[str, Any] = {
        "manual_seed": fake.generators[0].manual_seed,
        "empty_cache": lambda: None,
        "driver_allocated_memory": lambda: fake.held(0),
        "synchronize": lambda: fake.wait("synchronize"),
    }
    patches: list[Any] = [mock.patch.object(torch.mps, name, value) for name, value in values.items()]
    return [*patches, mock.patch.object(torch.backends.mps, "is_available", lambda: True)]


def _memory(fake: FakeCuda, device: Any) -> tuple[int, int]:
    room = 1 << 36 if fake.room is None else fake.room
    return max(0, room - fake.held(device)), room


def _grouped(fake: FakeCuda, real: Any) -> Any:
    # torch's C++ reads the device of a tensor past this mode.
    def grouped(lists: Any, *args: Any, **kwargs: Any) -> Any:
        found = real(lists, *args, **kwargs)
        return {(fake.place(value[0][0][0]), key[1]): value for key, value in found.items()}

    return grouped


def _autocast(real: Any) -> Any:
    return lambda kind, *args, **kwargs: real("cpu" if kind in ("cuda", "mps") else kind, *args, **kwargs)
