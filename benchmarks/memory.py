"""The memory of the dashboard of a very long run."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from . import process, recorded
from .measure import told
from .terminal import Terminal


def main(arguments: list[str]) -> dict[str, Any]:
    """Return MiB with the run shown and at the peak while it was read, beside those of a run of 1,000 steps."""
    parser = argparse.ArgumentParser(prog="memory", description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000_000, help="a multiple of 1,000")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    result: dict[str, Any] = {"steps": given.steps}
    with tempfile.TemporaryDirectory() as folder:
        for what, steps in (("short_run", 1000), ("long_run", given.steps)):
            run = recorded.finished(Path(folder), steps)
            measured = [_shown(folder, run.name, f"{steps:,} / {steps:,}") for _ in range(given.rounds)]
            result[f"{what}_file_MiB"] = round(run.events.stat().st_size / 2**20, 1)
            result[f"{what}_MiB"] = told([now for now, _ in measured], 1)
            result[f"{what}_peak_MiB"] = told([peak for _, peak in measured], 1)
    return result


def _shown(folder: str, name: str, last: str) -> tuple[float, float]:
    with Terminal(["attach", name, "--runs", folder]) as terminal:
        terminal.wait_for(lambda rows: any(last in row for row in rows))
        time.sleep(1)
        return process.memory(terminal.process.pid)
