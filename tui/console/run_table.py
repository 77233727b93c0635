"""The runs of a folder as plain text, for `stoker ls`."""

from __future__ import annotations

from collections.abc import Sequence

from stoker.engine.runs.status import label
from stoker.engine.tasks.parameters import shorten

from ..formatting import ago
from ..state.run_summary import RunSummary
from .table import table

NAME_WIDTH = 40  # characters of a run's name at most


def run_table(rows: Sequence[RunSummary]) -> str:
    """Return the runs as aligned lines under a header."""
    lines = [("RUN", "STATE", "EPOCH", "STEP", "BEST", "AGE")]
    for row in rows:
        best = f"{row.monitor} {row.best:.4g}" if row.best is not None else "-"
        epochs = f"{row.epoch}/{row.epochs}" if row.epochs else str(row.epoch)
        lines.append((shorten(row.run, NAME_WIDTH), label(row.state), epochs, str(row.step), best, ago(row.age)))
    return table(lines)
