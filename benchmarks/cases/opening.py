"""Time from `stoker attach` until the last step of a long finished run is on the screen."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ..harness import recorded_run
from ..harness.measure import summary
from ..harness.terminal import Terminal


def main(arguments: list[str]) -> dict[str, Any]:
    """Return seconds from the start of the process, for each number of steps."""
    parser = argparse.ArgumentParser(prog="opening", description=__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=[100_000, 1_000_000], help="multiples of 1,000")
    parser.add_argument("--rounds", type=int, default=5, help="number of starts for each run")
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {"steps_an_event": recorded_run.STEPS_PER_EVENT}
    with tempfile.TemporaryDirectory() as runs_folder:
        for steps in options.steps:
            name = recorded_run.write_run(Path(runs_folder), steps).name
            seconds = [_open(runs_folder, name, f"{steps:,} / {steps:,}") for _ in range(options.rounds)]
            result[f"seconds_of_{steps}_steps"] = summary(seconds)
    return result


def _open(runs_folder: str, name: str, last_step: str) -> float:
    with Terminal(["attach", name, "--runs", runs_folder]) as terminal:
        return terminal.wait_for(lambda rows: any(last_step in row for row in rows)) - terminal.started_at
