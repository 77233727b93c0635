"""Iris with the dashboard open at 120×40, and headless, against the bare PyTorch loop with as many threads."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ..harness import timed_run
from ..harness.measure import summary

THREADS = 1  # stoker's own choice for so small a model


def main(arguments: list[str]) -> dict[str, Any]:
    """Return times in seconds and their ratios; the trainings of a round follow one another."""
    parser = argparse.ArgumentParser(prog="iris", description=__doc__)
    parser.add_argument("--epochs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    bare_seconds, dashboard, headless = [], [], []
    dashboard_ratios, headless_ratios = [], []
    with tempfile.TemporaryDirectory() as folder:
        runs_folder = Path(folder)
        for _ in range(options.rounds):
            before = timed_run.BareLoop("iris", options.epochs, THREADS)
            dashboard.append(timed_run.dashboard("iris", options.epochs, THREADS, runs_folder))
            between = timed_run.BareLoop("iris", options.epochs, THREADS)
            headless.append(timed_run.headless("iris", options.epochs, THREADS, runs_folder))
            after = timed_run.BareLoop("iris", options.epochs, THREADS)
            bare_seconds += [loop.since(1).total for loop in (before, between, after)]
            dashboard_ratios.append(_ratio(dashboard[-1], before, between))
            headless_ratios.append(_ratio(headless[-1], between, after))
    return {
        "epochs": options.epochs,
        "threads": THREADS,
        "bare_seconds": summary(bare_seconds),
        "dashboard_seconds": summary([run.total for run in dashboard]),
        "headless_seconds": summary([run.total for run in headless]),
        "dashboard_to_bare": summary(dashboard_ratios),
        "headless_to_bare": summary(headless_ratios),
        "frames_a_second": summary([run.frames for run in dashboard], 2),
        "bytes_a_second": summary([run.bytes for run in dashboard], 0),
    }


def _ratio(run: timed_run.Timing, *loops: timed_run.BareLoop) -> float:
    """Return the run's time over the mean time of `loops`, all from the same step on."""
    return run.seconds * len(loops) / sum(loop.since(run.since).seconds for loop in loops)
