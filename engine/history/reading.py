"""A run as it stands in its folder, folded once: for exports and comparisons."""

from __future__ import annotations

from stoker.tui.backend.source import History
from stoker.tui.state.run_view import RunView

from ..runs.folder import RunFolder


def read(folder: RunFolder) -> RunView:
    """Return the view of everything that was said so far."""
    view = RunView(folder.name)
    view.alive = folder.locked()
    history = History(folder)
    while events := history.read():
        for event in events:
            view.apply(event)
    return view
