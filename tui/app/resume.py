"""Resuming a run: at once if it was interrupted, after a question for a new limit if it reached its limit.

A script with a loop of its own runs again in a process of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual.app import App

from stoker.engine.errors import StokerError
from stoker.engine.launch.script import ScriptProcess
from stoker.engine.runs.extend import extend_run, limit_reached
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.record import Record

from ..screens.dashboard import Dashboard
from ..screens.prompt import ask_limit

WATCH_INTERVAL = 0.25  # seconds between two looks at a script's process


def resume(
    app: App[Any],
    folder: RunFolder,
    start: Callable[[Record | None], object],
    open_run: Callable[[RunFolder], Dashboard],
) -> None:
    """Call `start` when the run in `folder` may train; if the user cancels the question, it is never called.

    `start` gets the record to write back if the engine refuses the new limit, or None without a new limit. A script
    starts by itself, and `open_run` shows its dashboard. An error is shown as a notification.
    """
    if app.screen.is_modal:
        return  # the question is on the screen
    try:
        if folder.record().script is not None:
            _start_script(app, folder, open_run)
            return
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


def _start_script(app: App[Any], folder: RunFolder, open_run: Callable[[RunFolder], Dashboard]) -> None:
    """Run the script again, and show its dashboard. Raises StokerError."""
    process = ScriptProcess(folder)
    open_run(folder).view.engine_requested(time.time())

    async def watch() -> None:
        while not process.ended:
            await asyncio.sleep(WATCH_INTERVAL)
        # Recorded as an event where the script never opened its run; the dashboard shows it.
        process.settle()

    app.run_worker(watch(), name="script", exit_on_error=False)
