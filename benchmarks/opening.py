"""How long `stoker attach` takes until the last step of a long finished run stands on the screen."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from . import recorded
from .measure import told
from .terminal import Terminal


def main(arguments: list[str]) -> dict[str, Any]:
    """Return seconds from the start of the process, by the number of the run's steps."""
    parser = argparse.ArgumentParser(prog="opening", description=__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=[100_000, 1_000_000], help="multiples of 1,000")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    result: dict[str, Any] = {"steps_an_event": recorded.TOGETHER}
    with tempfile.TemporaryDirectory() as folder:
        for steps in given.steps:
            name = recorded.finished(Path(folder), steps).name
            seconds = [_opened(folder, name, f"{steps:,} / {steps:,}") for _ in range(given.rounds)]
            result[f"seconds_of_{steps}_steps"] = told(seconds)
    return result


def _opened(folder: str, name: str, last: str) -> float:
    with Terminal(["attach", name, "--runs", folder]) as terminal:
        return terminal.wait_for(lambda rows: any(last in row for row in rows)) - terminal.began
