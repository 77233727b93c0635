"""Keep a loss that is not finite away from the weights, without making a GPU wait for a number each step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

MAX_STATISTICS = 1 << 14  # elements; a larger buffer is not a running statistic, so it is not copied


class NanGuard:
    """Checks every loss before it is used. On a GPU the check runs on the GPU and does not synchronise."""

    def __init__(self, model: nn.Module, optimizer: Optimizer, device: torch.device, *, ignore: bool) -> None:
        """Guard the updates of `optimizer`; with `ignore` all updates are made, as in plain PyTorch."""
        # A forward pass changes running statistics before its loss is known. On a GPU the loss is known too late to undo it.
        small = (buffer for buffer in model.buffers() if buffer.numel() <= MAX_STATISTICS)
        self._buffers = list(small) if device.type == "cpu" else []
        self._copies = [buffer.clone() for buffer in self._buffers]
        self._model, self._device = model, device
        self.protects = not ignore
        self.found = False
        """True from the first non-finite loss until it is reported."""
        # Fused optimizers take `found_inf` and skip the update on the device, as torch.amp does.
        fused = all(group.get("fused") for group in optimizer.param_groups)
        self._on_device = device.type != "cpu" and fused
        self._optimizer = optimizer
        self._bad: Tensor | None = None
        self._skip = False
        self._reported = False

    def keep_buffers(self) -> None:
        """Copy the model's buffers before a forward pass."""
        if self._buffers:
            torch._foreach_copy_(self._copies, self._buffers)

    def restore_buffers(self) -> None:
        """Undo the changes of a forward pass to the model's buffers."""
        now = {id(buffer) for buffer in self._model.buffers()}
        for buffer, copy in zip(self._buffers, self._copies, strict=True):
            if id(buffer) in now:  # a buffer that the model replaced by another tensor has no copy
                buffer.copy_(copy)

    def resume(self, window: list[Tensor | float]) -> None:
        """Continue inside an accumulation window: a non-finite loss in it counts as just found."""
        bad = not all(math.isfinite(loss) for loss in window)
        if self.protects and self._on_device:
            self._bad = torch.tensor(bad, device=self._device)
        elif self.protects:
            self.found = self._skip = bad

    def passes(self, loss: Tensor | float) -> bool:
        """Return whether to run backward from `loss` (). On a GPU always: the GPU skips the update instead."""
        if not self.protects:
            return True
        if self._on_device and isinstance(loss, Tensor):
            bad = ~torch.isfinite(loss)
            self._bad = bad if self._bad is None else self._bad | bad
            return True
        # If the optimizer cannot skip an update on the GPU, wait for the loss here.
        if math.isfinite(loss):
            return True
        self.found = self._skip = True
        self.restore_buffers()
        return False

    def allows(self) -> bool:
        """Return whether to step the optimizer at the end of an accumulation window."""
        if self._bad is not None:
            optimizer: Any = self._optimizer
            optimizer.found_inf = self._bad.float()
            self._bad = None
        skip, self._skip = self._skip, False
        return not skip

    def should_report(self) -> bool:
        """Return whether to warn of the losses found: each time, or with `ignore` once."""
        self.found = False
        reported, self._reported = self._reported, True
        return self.protects or not reported
