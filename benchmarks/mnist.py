"""MNIST with the dashboard open, and headless, against the plain script with torchvision's dataset and DataLoader."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

from stoker.engine.errors import RequestError
from stoker.engine.tasks.builtin import mnist

from . import timed
from .measure import Failed, told


def main(arguments: list[str]) -> dict[str, Any]:
    """Return times in seconds and their ratios; the data is looked for in $STOKER_DATA, and downloaded once."""
    parser = argparse.ArgumentParser(prog="mnist", description=__doc__)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    try:
        mnist.load()
    except RequestError as error:
        raise Failed(str(error)) from error
    threads = torch.get_num_threads()
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for _ in range(given.rounds):
            bare = timed.Bare("mnist", given.epochs, threads)
            shown = timed.dashboard("mnist", given.epochs, threads, place)
            alone = timed.headless("mnist", given.epochs, threads, place)
            rounds.append((bare, shown, alone))
    return {
        "epochs": given.epochs,
        "threads": threads,
        "bare_seconds": told([bare.since(1).whole for bare, _, _ in rounds], 2),
        "dashboard_seconds": told([shown.whole for _, shown, _ in rounds], 2),
        "headless_seconds": told([alone.whole for _, _, alone in rounds], 2),
        "dashboard_to_bare": told([shown.seconds / bare.since(shown.since).seconds for bare, shown, _ in rounds]),
        "headless_to_bare": told([alone.seconds / bare.since(alone.since).seconds for bare, _, alone in rounds]),
        "frames_a_second": told([shown.frames for _, shown, _ in rounds], 2),
    }
