"""MNIST with the dashboard open, and headless, against the plain script with torchvision's dataset and DataLoader."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

from stoker.engine.errors import RequestError
from stoker.engine.tasks.builtin import mnist

from ..harness import timed_run
from ..harness.measure import BenchmarkError, summary


def main(arguments: list[str]) -> dict[str, Any]:
    """Return times in seconds and their ratios; the data comes from $STOKER_DATA or is downloaded once."""
    parser = argparse.ArgumentParser(prog="mnist", description=__doc__)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    try:
        mnist.load()
    except RequestError as error:
        raise BenchmarkError(str(error)) from error
    threads = torch.get_num_threads()
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        runs_folder = Path(folder)
        for _ in range(options.rounds):
            bare = timed_run.BareLoop("mnist", options.epochs, threads)
            dashboard = timed_run.dashboard("mnist", options.epochs, threads, runs_folder)
            headless = timed_run.headless("mnist", options.epochs, threads, runs_folder)
            rounds.append((bare, dashboard, headless))
    return {
        "epochs": options.epochs,
        "threads": threads,
        "bare_seconds": summary([bare.since(1).total for bare, _, _ in rounds], 2),
        "dashboard_seconds": summary([run.total for _, run, _ in rounds], 2),
        "headless_seconds": summary([run.total for _, _, run in rounds], 2),
        "dashboard_to_bare": summary([run.seconds / bare.since(run.since).seconds for bare, run, _ in rounds]),
        "headless_to_bare": summary([run.seconds / bare.since(run.since).seconds for bare, _, run in rounds]),
        "frames_a_second": summary([run.frames for _, run, _ in rounds], 2),
    }
