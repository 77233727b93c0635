"""The device of one run: chosen before its task is built, current while it trains, and free of it afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Self

import torch

from ..accelerator import determinism, memory
from ..devices import choose_device
from ..runs.events import Event, Warned


class RunDevice:
    """Chooses the device of a run; at the end of the `with` block the process is as it was."""

    def __init__(self) -> None:
        """Start with the CPU."""
        self._device, self._name = torch.device("cpu"), "cpu"
        self._leave = contextlib.ExitStack()

    def __enter__(self) -> Self:
        if _started():
            self._leave.callback(torch.cuda.set_device, torch.cuda.current_device())
        return self

    def __exit__(self, *error: Any) -> None:
        self._leave.close()
        memory.collect(self._device)

    def choose(self, name: str) -> torch.device:
        """Return the device called `name`, and let "cuda" in the task's code mean it. Raises SettingError.

        Call it before the task is built, and again with the task's own setting: the same name gives the same device.
        """
        if name != self._name:
            self._device, self._name = choose_device(name), name
            determinism.prepare(self._device)
            # Not for the first GPU, which is current in any case: the call would start CUDA.
            if self._device.type == "cuda" and (self._device.index or _started()):
                torch.cuda.set_device(self._device)
        return self._device

    def be_deterministic(self, wanted: bool, emit: Callable[[Event], None]) -> None:
        """Use deterministic algorithms from now on, if `wanted`; a warning names each operation that has none."""

        def warn(message: str) -> None:
            emit(Warned(kind="inexact", message=message))

        self._leave.enter_context(determinism.deterministic(self._device, wanted, warn))


def _started() -> bool:
    """Return whether this process uses CUDA already."""
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
