"""A terminal that nobody reads: steps a second against headless."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from . import timed
from .measure import told


def main(arguments: list[str]) -> dict[str, Any]:
    """Return steps a second of iris on a terminal that is never read, headless, and their ratio."""
    parser = argparse.ArgumentParser(prog="unread", description=__doc__)
    parser.add_argument("--epochs", type=int, default=500_000, help="a minute or so")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    unread, alone = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(given.rounds):
            for rates, shown in ((unread, True), (alone, False)):
                options = ("--patience", str(given.epochs))
                run = (
                    timed.dashboard("iris", given.epochs, Path(folder), options, read=False)
                    if shown
                    else timed.headless("iris", given.epochs, Path(folder), options)
                )
                rates.append(run.steps / run.seconds)
    return {
        "epochs": given.epochs,
        "unread_steps_a_second": told(unread, 0),
        "headless_steps_a_second": told(alone, 0),
        "unread_to_headless": told([mine / other for mine, other in zip(unread, alone, strict=True)]),
    }
