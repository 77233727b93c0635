"""What lies on the fake device: a table of storages, weak, with their sizes and the lines that made them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

import stoker.engine

ENGINE = str(Path(stoker.engine.__file__).resolve().parent)
CPU = torch.device("cpu")


class FakeMemory:
    """The memory of the fake device, and pinned memory of the host."""

    kind = "cuda"

    def __init__(self, *, room: int | None) -> None:
        self.room = room
        self.current = 0
        """Number of the current device, as `torch.cuda.set_device` sets it."""
        self._table: dict[int, tuple[StorageWeakRef, torch.device, int, str]] = {}
        self._pinned: dict[int, StorageWeakRef] = {}

    def place(self, tensor: Tensor) -> torch.device:
        """Return the device that `tensor` pretends to be on."""
        try:
            found = self._table.get(tensor.untyped_storage()._cdata)
        except (NotImplementedError, RuntimeError):  # a tensor without a storage
            return CPU
        return found[1] if found else CPU

    def put(self, tensor: Tensor, device: torch.device) -> Tensor:
        """Mark the storage of `tensor` as on `device`. Raises OutOfMemoryError if it has no room."""
        storage = tensor.untyped_storage()
        device = torch.device(self.kind, self.number(device))
        if self.room is not None and self.held(device) + storage.nbytes() > self.room:
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {storage.nbytes()} bytes.")
        self._table[storage._cdata] = (StorageWeakRef(storage), device, storage.nbytes(), engine_line())
        return tensor

    def forget(self, tensor: Tensor) -> Tensor:
        """Mark `tensor` as on the host: its memory was another tensor's before."""
        self._table.pop(tensor.untyped_storage()._cdata, None)
        return tensor

    def alive(self) -> list[tuple[int, str, str]]:
        """Return (bytes, device, line that made it) of everything on a device now, the largest first."""
        self._table = {key: row for key, row in self._table.items() if not row[0].expired()}
        return sorted(((size, str(device), line) for _, device, size, line in self._table.values()), reverse=True)

    def held(self, device: Any = None) -> int:
        """Return the bytes on `device`."""
        name = f"{self.kind}:{self.number(device)}"
        return sum(size for size, where, _ in self.alive() if where == name)

    def number(self, device: Any = None) -> int:
        """Return the number of a device given as number, name, torch.device, or None for the current one."""
        if device is None:
            return self.current
        index = device if isinstance(device, int) else torch.device(device).index
        return self.current if index is None else index

    def pin(self, tensor: Tensor) -> Tensor:
        """Mark `tensor`, of the host, as in pinned memory."""
        storage = tensor.untyped_storage()
        self._pinned[storage._cdata] = StorageWeakRef(storage)
        return tensor

    def is_pinned(self, tensor: Tensor) -> bool:
        """Return whether `tensor` is in pinned memory."""
        found = self._pinned.get(tensor.untyped_storage()._cdata)
        return found is not None and not found.expired()


class FakeStream:
    """Notes which streams it waited for, and how many tensors of others it was told that it reads."""

    def __init__(self) -> None:
        self.waited_for: list[str] = []
        self.recorded = 0

    def wait_stream(self, other: str) -> None:
        """Note the other stream."""
        self.waited_for.append(other)

    def record(self, tensor: Tensor) -> None:
        """Count a tensor."""
        self.recorded += 1


def engine_line() -> str:
    """Return the innermost line of the engine on the stack: `train_step.py:61`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith(ENGINE):
            return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        frame = frame.f_back
    return "elsewhere"
