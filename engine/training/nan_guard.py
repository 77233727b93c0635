"""Keeps a loss that is not finite away from the weights, without making a GPU wait for a number each step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

STATISTICS = 1 << 14  # numbers; a larger buffer is a table, and no copy of it is kept


class NanGuard:
    """Looks at every loss before it is used; on a device the look stays on the device."""

    def __init__(self, model: nn.Module, optimizer: Optimizer, device: torch.device, *, ignore: bool) -> None:
        """Guard the updates of `optimizer`; with `ignore` they are made as in plain PyTorch."""
        # A forward pass changes running statistics before its loss is known; on a device the loss is known too late.
        small = (buffer for buffer in model.buffers() if buffer.numel() <= STATISTICS)
        self._buffers = list(small) if device.type == "cpu" else []
        self._copies = [buffer.clone() for buffer in self._buffers]
        self._model, self._device = model, device
        self.protects = not ignore
        self.found = False
        """A loss was found that is not finite, and nobody was told yet."""
        # Fused optimizers take `found_inf` and skip the update on the device (torch.amp's own way to do it).
        fused = all(group.get("fused") for group in optimizer.param_groups)
        self._on_device = device.type != "cpu" and fused
        self._optimizer = optimizer
        self._bad: Tensor | None = None
        self._skip = False
        self._told = False

    def keep_buffers(self) -> None:
        """Remember the model's buffers as they are before a forward pass."""
        if self._buffers:
            torch._foreach_copy_(self._copies, self._buffers)

    def put_back_buffers(self) -> None:
        """Undo what a forward pass that is left out did to the model's buffers."""
        now = {id(buffer) for buffer in self._model.buffers()}
        for buffer, copy in zip(self._buffers, self._copies, strict=True):
            if id(buffer) in now:  # one that was replaced by another tensor has no copy
                buffer.copy_(copy)

    def resume(self, window: list[Tensor | float]) -> None:
        """Go on inside an accumulation window: a loss in it that is not finite counts as if it had just been found."""
        bad = not all(math.isfinite(loss) for loss in window)
        if self.protects and self._on_device:
            self._bad = torch.tensor(bad, device=self._device)
        elif self.protects:
            self.found = self._skip = bad

    def passes(self, loss: Tensor | float) -> bool:
        """Say whether to go backward from `loss` (); on a device always, the update is skipped there instead."""
        if not self.protects:
            return True
        if self._on_device and isinstance(loss, Tensor):
            bad = ~torch.isfinite(loss)
            self._bad = bad if self._bad is None else self._bad | bad
            return True
        # A device whose optimizer cannot skip an update has to wait for the number here.
        if math.isfinite(loss):
            return True
        self.found = self._skip = True
        self.put_back_buffers()
        return False

    def allows(self) -> bool:
        """Say whether to step the optimizer at the end of an accumulation window."""
        if self._bad is not None:
            self._optimizer.found_inf = self._bad.float()  # type: ignore[attr-defined]
            self._bad = None
        skip, self._skip = self._skip, False
        return not skip

    def news(self) -> bool:
        """Say whether to tell of losses that were found: each time, or with `ignore` once."""
        self.found = False
        told, self._told = self._told, True
        return self.protects or not told


def all_finite(values: Iterable[Any]) -> bool:
    """Say whether every number in the tensors among `values` is finite."""
    tensors = (value for value in values if isinstance(value, Tensor) and value.is_floating_point())
    # A sum reads the memory once and is finite unless something in it is not, or it overflows.
    return all(bool(torch.isfinite(t.sum())) or bool(torch.isfinite(t).all()) for t in tensors)
