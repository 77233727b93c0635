"""Notice when the user's script ends, and by which error."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from typing import Any


def on_script_end(finish: Callable[[BaseException | None], None]) -> Callable[[], None]:
    """Call `finish` with the error that ends the script, or None, at its end; returns a function that undoes it."""
    previous = sys.excepthook
    errors: list[BaseException] = []

    def note(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
        errors.append(error)
        previous(kind, error, traceback)

    def end() -> None:
        finish(errors[-1] if errors else None)

    def undo() -> None:
        atexit.unregister(end)
        if sys.excepthook is note:
            sys.excepthook = previous

    sys.excepthook = note
    atexit.register(end)
    return undo
