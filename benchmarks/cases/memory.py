"""Memory of a dashboard attached to a run of ten million steps."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from ..harness import process_family, recorded_run
from ..harness.measure import summary
from ..harness.terminal import Terminal

SETTLE_TIME = 1.0  # seconds after the last step is on the screen


def main(arguments: list[str]) -> dict[str, Any]:
    """Return MiB with the run on the screen and at the peak, beside those of a run of 1,000 steps."""
    parser = argparse.ArgumentParser(prog="memory", description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000_000, help="a multiple of 1,000")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {"steps": options.steps}
    with tempfile.TemporaryDirectory() as runs_folder:
        for key, steps in (("short_run", 1000), ("long_run", options.steps)):
            run = recorded_run.write_run(Path(runs_folder), steps)
            measured = [_memory(runs_folder, run.name, f"{steps:,} / {steps:,}") for _ in range(options.rounds)]
            result[f"{key}_file_MiB"] = round(run.events.stat().st_size / 2**20, 1)
            result[f"{key}_MiB"] = summary([now for now, _ in measured], 1)
            result[f"{key}_peak_MiB"] = summary([peak for _, peak in measured], 1)
    return result


def _memory(runs_folder: str, name: str, last_step: str) -> tuple[float, float]:
    with Terminal(["attach", name, "--runs", runs_folder]) as terminal:
        terminal.wait_for(lambda rows: any(last_step in row for row in rows))
        time.sleep(SETTLE_TIME)
        return process_family.memory(terminal.process.pid)
