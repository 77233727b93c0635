"""The methods that a training loop needs, so that commands can be carried out on it.

`training/trainer.py` implements them for a Task, `loop/controller.py` for a loop of the user's own. A save goes from there
to `checkpoints/manager.py`.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch


class LoopActions(Protocol):
    """The interface of a training loop for commands. Any loop with these methods can take commands."""

    device: torch.device

    @property
    def position(self) -> dict[str, Any]:
        """`step` and `epoch` of the loop, as the fields of an event."""

    def flush(self) -> None:
        """Emit the losses so far."""

    def save(self, command_id: str) -> None:
        """Save a checkpoint; the checkpoint manager answers the command when the file is safe."""

    def poll_saves(self) -> None:
        """Emit the results of saves that have ended."""

    def evaluate(self, cause: str) -> dict[str, float]:
        """Evaluate the model and return its metrics. Raises RequestError where the loop cannot."""

    def set_learning_rate(self, lr: float) -> list[float]:
        """Set the first group's learning rate, and return that of each parameter group."""

    def offload(self) -> int:
        """Move the state to the host, and return the bytes freed. Raises RequestError where the loop cannot."""

    def reload(self) -> None:
        """Move the state back to the device. Raises torch.OutOfMemoryError."""

    def start_clock(self) -> None:
        """Count the training's time from here."""

    def stop_clock(self) -> None:
        """Stop counting the training's time."""
