"""The run that is open in this process."""

from __future__ import annotations

import os
from typing import Any

from ..errors import RequestError

OPEN: dict[str, Any] = {}
"""The open run by its name: signals and the script's end can belong to one alone."""


def check_none_open() -> None:
    """Refuse a second run in this process. Raises RequestError."""
    for name in OPEN:
        raise RequestError(f"run {name} is still open in this process: call run.finish() on it before the next Run")


def _leave_to_parent() -> None:
    for run in OPEN.values():
        run.forked()
    OPEN.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
