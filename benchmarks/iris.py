"""iris with the dashboard open at 120×40, and headless, against the bare PyTorch loop with the same thread count."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from . import timed
from .measure import told

THREADS = 1  # what stoker chooses for so small a model


def main(arguments: list[str]) -> dict[str, Any]:
    """Return times in seconds and their ratios, each round's taken one after the other."""
    parser = argparse.ArgumentParser(prog="iris", description=__doc__)
    parser.add_argument("--epochs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for _ in range(given.rounds):
            before = timed.bare("iris", given.epochs, THREADS)
            shown = timed.dashboard("iris", given.epochs, place)
            alone = timed.headless("iris", given.epochs, place)
            after = timed.bare("iris", given.epochs, THREADS)
            rounds.append(((before.seconds + after.seconds) / 2, shown, alone.seconds))
    return {
        "epochs": given.epochs,
        "threads": THREADS,
        "bare_seconds": told([bare for bare, _, _ in rounds]),
        "dashboard_seconds": told([shown.seconds for _, shown, _ in rounds]),
        "headless_seconds": told([alone for _, _, alone in rounds]),
        "dashboard_to_bare": told([shown.seconds / bare for bare, shown, _ in rounds]),
        "headless_to_bare": told([alone / bare for bare, _, alone in rounds]),
        "dashboard_to_headless": told([shown.seconds / alone for _, shown, alone in rounds]),
        "frames_a_second": told([shown.frames / shown.seconds for _, shown, _ in rounds], 2),
        "bytes_a_second": told([shown.bytes / shown.seconds for _, shown, _ in rounds], 0),
    }
