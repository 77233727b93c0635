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
    bare, shown, alone = [], [], []
    shown_ratios, alone_ratios = [], []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for _ in range(given.rounds):
            before = timed.Bare("iris", given.epochs, THREADS)
            shown.append(timed.dashboard("iris", given.epochs, THREADS, place))
            between = timed.Bare("iris", given.epochs, THREADS)
            alone.append(timed.headless("iris", given.epochs, THREADS, place))
            after = timed.Bare("iris", given.epochs, THREADS)
            bare += [loop.since(1).whole for loop in (before, between, after)]
            shown_ratios.append(_ratio(shown[-1], before, between))
            alone_ratios.append(_ratio(alone[-1], between, after))
    return {
        "epochs": given.epochs,
        "threads": THREADS,
        "bare_seconds": told(bare),
        "dashboard_seconds": told([run.whole for run in shown]),
        "headless_seconds": told([run.whole for run in alone]),
        "dashboard_to_bare": told(shown_ratios),
        "headless_to_bare": told(alone_ratios),
        "frames_a_second": told([run.frames for run in shown], 2),
        "bytes_a_second": told([run.bytes for run in shown], 0),
    }


def _ratio(run: timed.Timed, *loops: timed.Bare) -> float:
    """Return the run's time over the mean of those of the loops just before and after it, from the same step on."""
    return run.seconds * len(loops) / sum(loop.since(run.since).seconds for loop in loops)
