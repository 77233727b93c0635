"""Steps a second with a terminal that is never read for a minute, against headless."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ..harness import timed_run
from ..harness.measure import summary

THREADS = 1  # stoker's own choice for so small a model


def main(arguments: list[str]) -> dict[str, Any]:
    """Return steps a second of iris on a terminal that is never read, the same headless, and their ratio."""
    parser = argparse.ArgumentParser(prog="unread", description=__doc__)
    parser.add_argument("--epochs", type=int, default=600_000, help="the default takes about a minute")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    # A headless run has no buffer that fills up, so a quarter of the epochs is enough to measure its rate.
    headless_epochs = max(options.epochs // 4, 2000)
    unread, headless = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            arguments = ["--patience", str(options.epochs)]  # so that the runs do not stop early
            run = timed_run.dashboard("iris", options.epochs, THREADS, Path(folder), arguments, read=False)
            unread.append(run.steps_per_second)
            run = timed_run.headless("iris", headless_epochs, THREADS, Path(folder), arguments)
            headless.append(run.steps_per_second)
    return {
        "epochs": options.epochs,
        "unread_steps_a_second": summary(unread, 0),
        "headless_steps_a_second": summary(headless, 0),
        "unread_to_headless": summary([mine / other for mine, other in zip(unread, headless, strict=True)]),
    }
