"""Whether a checkpoint fits: its model, the environment it was saved in, and the task's files and settings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from ..errors import CheckpointError

MAX_NAMED = 6  # differences named in an error
FREE_TO_CHANGE = ("stoker",)  # versions that may differ without a warning: the checkpoint's format number covers stoker


def check_owner(saved: dict[str, Any], path: Path, run: str) -> None:
    """Raise CheckpointError if the checkpoint at `path` carries the name of another run than `run`.

    Its best value would be reported as this run's. Checkpoints of older versions carry no name.
    """
    if (owner := saved.get("run") or run) != run:
        raise CheckpointError(f"{path} belongs to run {owner}, not to {run}: resume {owner}, or give a file of {run}")


def load_model(model: torch.nn.Module, saved: dict[str, Any], what: str = "model") -> None:
    """Load parameters and buffers. Raises CheckpointError, which names the keys and shapes that differ."""
    own = model.state_dict()
    found = [f"{name} is missing" for name in own if name not in saved]
    found += [f"{name} is not in the {what}" for name in saved if name not in own]
    found += [
        f"{name} is {_shape(saved[name])}, the {what}'s is {_shape(value)}"
        for name, value in own.items()
        if name in saved and hasattr(value, "shape") and _shape(saved[name]) != _shape(value)
    ]
    if found:
        more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
        raise CheckpointError(f"the checkpoint belongs to another {what}: {'; '.join(found[:MAX_NAMED])}{more}")
    model.load_state_dict(saved)


def _shape(value: Any) -> Any:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else "no tensor"


def environment_changes(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the differences between two environments that may change the last bits of a resumed run."""
    # Another kind of device has other facts: that it is another one says enough.
    moved = then.get("device") != now.get("device")
    names = [name for name in then if name not in FREE_TO_CHANGE and (name in now or not moved)]
    names = [name for name in names if then[name] != now.get(name)]
    return [f"{name} {then[name]} → {now.get(name)}" for name in names]


def settings_changes(then: dict[str, Any], now: dict[str, Any], names: Iterable[str]) -> list[str]:
    """Return how the settings called `names` differ, where both sides have them."""
    both = [name for name in names if name in then and name in now]
    return [f"{name} {then[name]} → {now[name]}" for name in both if then[name] != now[name]]


def file_changes(then: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return which files of a task are new, gone or changed, by their sha256."""
    found = [f"{name} is new" for name in now if name not in then]
    found += [f"{name} is gone" for name in then if name not in now]
    return found + [f"{name} has changed" for name, value in now.items() if then.get(name, value) != value]
