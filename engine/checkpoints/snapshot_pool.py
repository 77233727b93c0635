"""Copies of the training's state in the host's memory, made into the memory of an earlier copy where one is free."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten


class SnapshotPool:
    """Makes snapshots, and reuses the memory of released ones.

    The first touch of fresh memory takes several times as long as the copy itself, so one spare copy is kept.

    A CUDA device copies into pinned memory by itself while the training goes on: in the order of its stream, so that no
    later step reaches the copy. The writer thread calls `wait` before it reads.
    """

    def __init__(self) -> None:
        """Start without a spare copy."""
        self._spare: list[Tensor] = []
        self._copying: dict[int, list[torch.cuda.Event]] = {}
        """By the id of a snapshot: the event that each of its devices reaches after the last copy."""
        self._can_pin = True

    def acquire(self, state: Any) -> Any:
        """Return a copy of `state`, any nest of dicts and lists, whose tensors are on the host and share no memory."""
        leaves, structure = tree_flatten(state)
        spare, self._spare = self._spare[::-1], []
        copies = [self._copy(leaf, spare) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        snapshot = tree_unflatten(copies, structure)
        devices = {leaf.device for leaf in leaves if isinstance(leaf, Tensor) and leaf.device.type == "cuda"}
        if devices:
            self._copying[id(snapshot)] = [_event(device) for device in devices]
        return snapshot

    def wait(self, snapshot: Any) -> None:
        """Return when the device has copied all of `snapshot`."""
        for event in self._copying.pop(id(snapshot), ()):
            event.synchronize()

    def release(self, snapshot: Any) -> None:
        """Take back the memory of `snapshot`; the caller must not read it again."""
        # Without waiting: the next copies into this memory come later in the same stream.
        self._copying.pop(id(snapshot), None)
        self._spare = [leaf for leaf in tree_leaves(snapshot) if isinstance(leaf, Tensor)]

    def _copy(self, tensor: Tensor, spare: list[Tensor]) -> Tensor:
        tensor = tensor.detach()
        room = spare.pop() if spare else None
        if room is None or room.dtype != tensor.dtype or room.shape != tensor.shape or room.stride() != tensor.stride():
            room = self._pinned_like(tensor) if tensor.device.type == "cuda" else None
        return tensor.to("cpu", copy=True) if room is None else room.copy_(tensor, non_blocking=self._can_pin)

    def _pinned_like(self, tensor: Tensor) -> Tensor | None:
        """Return pinned memory for a copy of `tensor`; None where the system gives none, and then never again."""
        if self._can_pin:
            try:
                return torch.empty_like(tensor, device="cpu", pin_memory=True)
            except RuntimeError:
                self._can_pin = False
        return None


def _event(device: torch.device) -> torch.cuda.Event:
    """Return an event that `device` reaches after all that was asked of it so far."""
    event = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record(torch.cuda.current_stream(device))
    return event
