"""Cost of a dashboard that shows a finished run: bytes to the terminal and CPU."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from ..harness import process_family, recorded_run
from ..harness.measure import summary
from ..harness.terminal import Terminal

SETTLE_TIME = 2.0  # seconds after the last step is on the screen


def main(arguments: list[str]) -> dict[str, Any]:
    """Return bytes a second to the terminal, and CPU use in percent of one core."""
    parser = argparse.ArgumentParser(prog="idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="length of one interval")
    parser.add_argument("--rounds", type=int, default=3, help="number of intervals")
    parser.add_argument("--steps", type=int, default=100_000, help="steps of the run, a multiple of 1,000")
    options = parser.parse_args(arguments)
    bytes_a_second, percent = [], []
    with tempfile.TemporaryDirectory() as runs_folder:
        name = recorded_run.write_run(Path(runs_folder), options.steps).name
        last_step = f"{options.steps:,} / {options.steps:,}"
        with Terminal(["attach", name, "--runs", runs_folder]) as terminal:
            terminal.wait_for(lambda rows: any(last_step in row for row in rows))
            time.sleep(SETTLE_TIME)
            for _ in range(options.rounds):
                start, cpu_before = time.time(), process_family.cpu(terminal.process.pid)
                time.sleep(options.seconds)
                end = time.time()
                bytes_a_second.append(terminal.bytes_between(start, end) / (end - start))
                percent.append((process_family.cpu(terminal.process.pid) - cpu_before) / (end - start) * 100)
    return {
        "steps": options.steps,
        "bytes_a_second": summary(bytes_a_second, 1),
        "percent_of_a_core": summary(percent, 2),
    }
