"""Resuming a run: at once if it was interrupted, after a question for a new limit if it reached its limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from stoker.engine.errors import StokerError
from stoker.engine.runs.extend import extend_run, limit_reached
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.record import Record

from ..screens.prompt import ask_limit


def resume(app: App[Any], folder: RunFolder, start: Callable[[Record | None], object]) -> None:
    """Call `start` when the run in `folder` may train; if the user cancels the question, it is never called.

    `start` gets the record to write back if the engine refuses the new limit, or None without a new limit. An error is
    shown as a notification.
    """
    if app.screen.is_modal:
        return  # the question is on the screen
    try:
        limit = limit_reached(folder)
    except StokerError as error:
        app.notify(str(error), severity="error", markup=False)
        return
    if limit is None:
        start(None)
        return
    name, value = limit

    def answered(new_value: int | None) -> None:
        if new_value is None:
            return
        try:
            before = extend_run(folder, **{name: new_value})
        except StokerError as error:
            app.notify(str(error), severity="error", markup=False)
        else:
            start(before)

    app.push_screen(ask_limit(name, value), answered)
