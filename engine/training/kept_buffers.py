"""Copies of a model's small buffers, so that a forward pass can be undone: it changes running statistics."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

MAX_STATISTICS = 1 << 14  # elements; a larger buffer is not a running statistic, so it is not copied
ALIGNMENT = 512  # bytes; torch's CUDA allocator aligns every tensor so, and kernels may depend on it


class KeptBuffers:
    """Keeps the small buffers of a model as they were before the current batch, and before the current window.

    On a device the buffers become views of one tensor for each type, so that keeping them takes one kernel and not one
    for each buffer.
    """

    def __init__(self, model: nn.Module, device: torch.device, *, windows: bool) -> None:
        """Copy the buffers of `model`, which is on `device`; with `windows` also those at the start of each window."""
        self._model, self._join, self._windows = model, device.type != "cpu", windows
        self._live: list[Tensor] = []
        """The tensors to keep: buffers, or the tensors that hold several."""
        self._flat: set[int] = set()
        self._kept: list[Tensor] = []
        self._start: list[Tensor] | None = None
        self.collect()

    def __bool__(self) -> bool:
        return bool(self._live)

    def collect(self) -> None:
        """Find the buffers again: moving a model replaces them."""
        buffers = [buffer for buffer in self._model.buffers() if 0 < buffer.numel() <= MAX_STATISTICS]
        joined = joinable(buffers, self._model) if self._join else []
        flat = join(joined)
        self._flat = set(map(id, flat))
        others = set(map(id, joined))
        self._live = [*flat, *(buffer for buffer in buffers if id(buffer) not in others)]
        self._kept = [tensor.clone() for tensor in self._live]

    def forget(self) -> None:
        """Hold no tensor any more, until `collect`."""
        self._live, self._kept, self._start = [], [], None

    def keep(self, *, window_starts: bool) -> None:
        """Copy the buffers, before a forward pass; `window_starts` before the first one of an accumulation window."""
        if not self._live:
            return
        torch._foreach_copy_(self._kept, self._live)
        if self._windows and window_starts:
            if self._start is None:
                self._start = [tensor.clone() for tensor in self._kept]
            else:
                torch._foreach_copy_(self._start, self._kept)

    def restore(self) -> None:
        """Undo the last forward pass."""
        self._put_back(self._kept)

    def restore_where(self, bad: Tensor) -> None:
        """Undo the last forward pass where `bad` (), a bool on the device, is true, without waiting for it."""
        for live, kept in zip(self._live, self._kept, strict=True):
            # By `data`: autograd would take it for a change of what the backward pass needs.
            torch.where(bad, kept, live, out=live.data)

    def restore_window(self, batches: int) -> bool:
        """Undo the window, of which `batches` ended before the last forward pass; return whether that was possible.

        It is not in a window that an earlier process has begun.
        """
        if not self._live or not batches:
            self.restore()
            return True
        if self._start is None:
            return False
        self._put_back(self._start)
        return True

    def _put_back(self, copies: list[Tensor]) -> None:
        now = {id(buffer) for buffer in self._model.buffers()} | self._flat
        for live, copy in zip(self._live, copies, strict=True):
            if id(live) in now:  # a buffer that the model replaced by another tensor has no copy
                live.copy_(copy)


def joinable(buffers: Iterable[Tensor], model: nn.Module) -> list[Tensor]:
    """Return those buffers that may become views: dense, and sharing their memory with no other tensor of the model."""
    owners: dict[int, int] = {}
    for tensor in (*model.parameters(), *model.buffers()):
        storage = tensor.untyped_storage()._cdata
        owners[storage] = owners.get(storage, 0) + 1
    return [
        buffer
        for buffer in buffers
        if buffer.layout == torch.strided
        and buffer.is_contiguous()
        and not buffer.requires_grad
        and buffer.untyped_storage().nbytes() == buffer.numel() * buffer.element_size()
        and owners[buffer.untyped_storage()._cdata] == 1
    ]


def join(buffers: list[Tensor]) -> list[Tensor]:
    """Make the buffers views of one tensor for each type, and return those tensors. Their values stay."""
    flats = []
    for dtype in dict.fromkeys(buffer.dtype for buffer in buffers):
        same = [buffer for buffer in buffers if buffer.dtype == dtype]
        step = ALIGNMENT // same[0].element_size()
        starts, end = [], 0
        for buffer in same:
            starts.append(end)
            end += -(-buffer.numel() // step) * step
        flat = torch.zeros(end, dtype=dtype, device=same[0].device)
        for start, buffer in zip(starts, same, strict=True):
            view = flat[start : start + buffer.numel()].view(buffer.shape)
            view.copy_(buffer)
            buffer.data = view  # the same object, which the task's code may hold
        flats.append(flat)
    return flats
