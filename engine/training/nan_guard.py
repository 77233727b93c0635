"""Keep a loss that is not finite away from the weights, without making a GPU wait for a number each step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from .kept_buffers import KeptBuffers
from .optimizers import skips_on_device


class NanGuard:
    """Checks every loss before it is used. On a GPU the check runs on the GPU and does not synchronise."""

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, device: torch.device, *, ignore: bool, windows: bool = False
    ) -> None:
        """Guard the updates of `optimizer`; with `ignore` all updates are made, as in plain PyTorch.

        With `windows` the gradients of several batches make one update.
        """
        # A forward pass changes running statistics before its loss is known.
        self.buffers = KeptBuffers(model, device, windows=windows)
        self._device = device
        self.protects = not ignore
        self.found = False
        """True from the first non-finite loss until it is reported."""
        # Such an optimizer takes `found_inf` and skips the update on the device, as torch.amp does.
        self._on_device = device.type != "cpu" and skips_on_device(optimizer)
        self._optimizer: Any = optimizer
        self._difference: Tensor | None = None
        """Sum () of `loss - loss` over the window: 0, or NaN after a loss that is not finite."""
        self._found_inf = torch.zeros((), device=device) if self._on_device else None
        self._skip = False
        self._reported = False

    @property
    def waits(self) -> bool:
        """Whether each step waits for the device, because the optimizer cannot skip an update there."""
        return self.protects and self._device.type != "cpu" and not self._on_device

    def resume(self, window: list[Tensor | float]) -> None:
        """Continue inside an accumulation window: a non-finite loss in it counts as just found."""
        bad = not all(math.isfinite(loss) for loss in window)
        if self.protects and self._on_device:
            self._difference = torch.tensor(math.nan if bad else 0.0, device=self._device)
        elif self.protects:
            self.found = self._skip = bad

    def passes(self, loss: Tensor | float) -> bool:
        """Return whether to run backward from `loss` (). On a GPU always: the GPU skips the update instead."""
        if not self.protects:
            return True
        if self._on_device and isinstance(loss, Tensor):
            difference = loss - loss
            if self.buffers:
                self.buffers.restore_where(difference != difference)  # noqa: PLR0124 - NaN is unequal to itself
            self._difference = difference if self._difference is None else self._difference + difference
            return True
        # If the optimizer cannot skip an update on the GPU, wait for the loss here.
        if math.isfinite(loss):
            return True
        self.found = self._skip = True
        self.buffers.restore()
        return False

    def spoil(self, loss: Tensor) -> Tensor:
        """Return `loss` (), with gradients that are NaN if a loss of the window was not finite; on a GPU only.

        A gradient scaler decides by the gradients alone, and a loss that is not finite may have finite gradients.
        """
        return loss if self._difference is None else loss * (self._difference + 1)

    def allows(self) -> bool:
        """Return whether to step the optimizer at the end of an accumulation window."""
        if self._difference is not None:
            torch.ne(self._difference, self._difference, out=self._found_inf)
            self._optimizer.found_inf = self._found_inf
            self._difference = None
        skip, self._skip = self._skip, False
        return not skip

    def undo_window(self, batches: int) -> bool:
        """Forget the window, of which `batches` had ended, and its forward passes; return whether that was possible."""
        self._difference, self._skip, self.found = None, False, False
        return self.buffers.restore_window(batches)

    def should_report(self) -> bool:
        """Return whether to warn of the losses found: each time, or with `ignore` once."""
        self.found = False
        reported, self._reported = self._reported, True
        return self.protects or not reported
