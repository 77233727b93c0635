"""MNIST with the dashboard open, and headless, against the plain script with torchvision's dataset and DataLoader."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

from . import timed
from .measure import told


def main(arguments: list[str]) -> dict[str, Any]:
    """Return times in seconds and their ratios; the data is looked for in $STOKER_DATA."""
    parser = argparse.ArgumentParser(prog="mnist", description=__doc__)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    threads = torch.get_num_threads()
    options = ("--threads", str(threads))
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for _ in range(given.rounds):
            bare = timed.bare("mnist", given.epochs, threads)
            shown = timed.dashboard("mnist", given.epochs, place, options)
            alone = timed.headless("mnist", given.epochs, place, options)
            rounds.append((bare.seconds, shown.seconds, alone.seconds))
    return {
        "epochs": given.epochs,
        "threads": threads,
        "bare_seconds": told([bare for bare, _, _ in rounds], 2),
        "dashboard_seconds": told([shown for _, shown, _ in rounds], 2),
        "headless_seconds": told([alone for _, _, alone in rounds], 2),
        "dashboard_to_bare": told([shown / bare for bare, shown, _ in rounds]),
        "headless_to_bare": told([alone / bare for bare, _, alone in rounds]),
        "dashboard_to_headless": told([shown / alone for _, shown, alone in rounds]),
    }
