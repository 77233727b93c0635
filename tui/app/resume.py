"""Going on with a run: at once where it was cut short, after a question where it had reached its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stoker.engine.errors import StokerError
from stoker.engine.runs.extend import prolong, reached
from stoker.engine.runs.folder import RunFolder

from ..screens.prompt import ask_more

if TYPE_CHECKING:
    from .app import StokerApp


def go_on(app: StokerApp, folder: RunFolder, start: Callable[[], object]) -> None:
    """Call `start` when it is settled how long the run in `folder` shall train; never where a person leaves it."""
    if app.screen.is_modal:
        return  # asked already
    try:
        limit = reached(folder)
    except StokerError as error:
        app.notify(str(error), severity="error", markup=False)
        return
    if limit is None:
        start()
        return
    name, now = limit

    def answered(more: int | None) -> None:
        if more is None:
            return
        try:
            app.before = prolong(folder, **{name: more})
        except StokerError as error:
            app.notify(str(error), severity="error", markup=False)
        else:
            start()

    app.push_screen(ask_more(name, now), answered)
