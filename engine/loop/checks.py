"""What is looked at before a Run makes its folder."""

from __future__ import annotations

import sys
from typing import Any

from ..config.specs import Every
from ..errors import RequestError
from ..runs.script import in_notebook
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


def debugger_active() -> bool:
    """Return whether a debugger traces this process: an interrupt belongs to it."""
    return sys.gettrace() is not None or "debugpy" in sys.modules or "pydevd" in sys.modules


def notice() -> str | None:
    """Return a sentence where a run is not in a plain script: in a notebook, or under a debugger."""
    if in_notebook():
        return (
            "this is a notebook, where the run does not end by itself: call run.finish(), or write `with stoker.Run(…) as"
            " run:`. An interrupt saves and ends the run"
        )
    if debugger_active():
        return "a debugger is active: ctrl+c goes to it, and the run waits where it stops; nobody can command it there"
    return None
