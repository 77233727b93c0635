"""Keeps a loss that is not finite away from the weights, without making a GPU wait for a number each step."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.optim import Optimizer


class NanGuard:
    """Looks at every loss before it is used; on a device the look stays on the device."""

    def __init__(self, optimizer: Optimizer, device: torch.device, *, ignore: bool) -> None:
        """Guard the updates of `optimizer`; with `ignore` they are made as in plain PyTorch."""
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


def finite(model: torch.nn.Module) -> bool:
    """Say whether every parameter and buffer is finite."""
    tensors = [t.detach() for t in (*model.parameters(), *model.buffers()) if t.is_floating_point()]
    return not tensors or bool(torch.stack([torch.isfinite(t).all().cpu() for t in tensors]).all())
