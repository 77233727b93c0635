"""Several runs side by side as plain text, for `stoker compare` without a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stoker.engine.history.history import RunHistory
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.status import label

from ..state.comparison import differing, results, settings_of
from .table import table

CELL_WIDTH = 40  # characters of a cell at most


def comparison_table(folders: Sequence[RunFolder]) -> str:
    """Return the runs as columns; the rows are the settings that differ and the results."""
    settings = [settings_of(folder) for folder in folders]
    outcomes = [results(RunHistory.read(folder)) for folder in folders]
    for outcome in outcomes:
        outcome["state"] = label(outcome["state"])
    rows = [["", *(_cell(folder.name) for folder in folders)]]
    rows += [[name, *(_cell(one.get(name)) for one in settings)] for name in differing(settings)]
    names = dict.fromkeys(name for one in outcomes for name in one)
    rows += [[name, *(one.get(name, "-") for one in outcomes)] for name in names]
    return table(rows)


def _cell(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 1] + "…"
