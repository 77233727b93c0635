"""What is looked at before a Run makes its folder."""

from __future__ import annotations

from typing import Any

from ..config.specs import Every
from ..errors import RequestError
from .parts import Parts

OPEN: dict[str, Any] = {}
"""The loop that is open in this process, by its run's name: signals and the script's end can belong to one alone."""


def check_request(parts: Parts, settings: dict[str, Any], mode: str | None) -> None:
    """Refuse what a Run cannot do, before its folder is made. Raises RequestError, SettingError."""
    for name in OPEN:
        raise RequestError(f"run {name} is still open in this process: call run.finish() on it before the next Run")
    if not parts.optimizers:
        raise RequestError("Run(optimizer=…) must be a torch.optim.Optimizer: its steps are counted")
    if mode not in (None, "min", "max"):
        raise RequestError(f"Run(mode={mode!r}): choose min or max")
    for name, time_too in (("save_every", True), ("eval_every", False)):
        if settings[name] is not None:
            Every.parse(settings[name], what=name, time=time_too)
