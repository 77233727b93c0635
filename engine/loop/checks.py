"""What is looked at before a Run makes its folder."""

from __future__ import annotations

from typing import Any

from ..config.specs import Every
from ..errors import RequestError
from ..runtime.open_runs import check_none_open
from .parts import Parts


def check_request(parts: Parts, settings: dict[str, Any], mode: str | None) -> None:
    """Refuse what a Run cannot do, before its folder is made. Raises RequestError, SettingError."""
    check_none_open()
    if not parts.optimizers:
        raise RequestError("Run(optimizer=…) must be a torch.optim.Optimizer: its steps are counted")
    if mode not in (None, "min", "max"):
        raise RequestError(f"Run(mode={mode!r}): choose min or max")
    for name, time_too in (("save_every", True), ("eval_every", False)):
        if settings[name] is not None:
            Every.parse(settings[name], what=name, time=time_too)
