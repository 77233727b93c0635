"""The entries of the command palette: the actions of the keys, and the runs by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from textual.app import App, SystemCommand
from textual.command import Hit, Hits, Provider
from textual.screen import Screen

from stoker.engine.runs.folder import RunFolder, list_runs


class OpensRuns(Protocol):
    """The interface of an app that opens runs."""

    runs: Path
    """The folder of runs."""

    def open_run(self, folder: RunFolder) -> None:
        """Open the dashboard of a run."""


HIDDEN = ("command_palette", "app.command_palette", "app.focus_next", "app.focus_previous")


def commands(app: App[Any], screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Yield the enabled actions of `screen`, each with its key."""
    seen: set[str] = set()
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        if enabled and tooltip and binding.action not in seen and binding.action not in HIDDEN:
            seen.add(binding.action)
            title = f"{binding.description} ({app.get_key_display(binding)})"
            yield SystemCommand(title, tooltip, partial(app.run_action, binding.action, node))
    yield SystemCommand("Choose a theme", "Any of Textual's themes", app.action_change_theme)


class RunProvider(Provider):
    """Finds a run by its name and opens it."""

    async def search(self, query: str) -> Hits:
        """Yield the runs in the runs folder whose names match `query`."""
        app = cast(OpensRuns, self.app)
        folders = await asyncio.to_thread(list_runs, app.runs)
        matcher = self.matcher(query)
        for folder in folders:
            title = f"Open {folder.name}"
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), partial(app.open_run, folder), help=str(folder.path))
