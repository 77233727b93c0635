"""A terminal that nobody reads for a minute: steps a second against headless."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from . import timed
from .measure import told

THREADS = 1


def main(arguments: list[str]) -> dict[str, Any]:
    """Return steps a second of iris on a terminal that is never read, headless, and their ratio."""
    parser = argparse.ArgumentParser(prog="unread", description=__doc__)
    parser.add_argument("--epochs", type=int, default=600_000, help="about a minute")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    # Headless nothing fills up with time: a part is enough to know its rate.
    part = max(given.epochs // 4, 2000)
    unread, alone = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(given.rounds):
            options = ("--patience", str(given.epochs))
            shown = timed.dashboard("iris", given.epochs, THREADS, Path(folder), options, read=False)
            unread.append((shown.steps - shown.since) / shown.seconds)
            run = timed.headless("iris", part, THREADS, Path(folder), options)
            alone.append((run.steps - run.since) / run.seconds)
    return {
        "epochs": given.epochs,
        "unread_steps_a_second": told(unread, 0),
        "headless_steps_a_second": told(alone, 0),
        "unread_to_headless": told([mine / other for mine, other in zip(unread, alone, strict=True)]),
    }
