"""What the command palette offers: everything that a key of the screen does, and the runs by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.command import Hit, Hits, Provider
from textual.screen import Screen

from stoker.engine.runs import folder as runs

if TYPE_CHECKING:
    from .app import StokerApp

HIDDEN = ("command_palette", "app.command_palette", "app.focus_next", "app.focus_previous")


def commands(app: StokerApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Yield what the keys of `screen` do now, each with its key."""
    seen: set[str] = set()
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        if enabled and tooltip and binding.action not in seen and binding.action not in HIDDEN:
            seen.add(binding.action)
            title = f"{binding.description} ({app.get_key_display(binding)})"
            yield SystemCommand(title, tooltip, partial(app.run_action, binding.action, node))
    yield SystemCommand("Choose a theme", "One of all that there are", app.action_change_theme)


class Runs(Provider):
    """Opens a run by its name."""

    async def search(self, query: str) -> Hits:
        """Yield the runs beside the one that is shown whose names match."""
        app: StokerApp = self.app  # type: ignore[assignment]
        folders = await asyncio.to_thread(runs.list_runs, app.runs)
        matcher = self.matcher(query)
        for folder in folders:
            title = f"Open {folder.name}"
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), partial(app.open_run, folder), help=str(folder.path))
