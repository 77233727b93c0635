"""Bytes sent to a terminal of 140×42 while a run makes 50 steps a second."""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..harness import paced_task
from ..harness.measure import summary
from ..harness.terminal import Terminal

STEP_TIME = 0.02  # seconds
SETTLE_TIME = 5.0  # seconds after the first step; by then the first full frame has been sent


def main(arguments: list[str]) -> dict[str, Any]:
    """Return bytes and frames a second, measured over several intervals of one run."""
    parser = argparse.ArgumentParser(prog="terminal_bytes", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="length of one interval")
    parser.add_argument("--rounds", type=int, default=3, help="number of intervals")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as runs_folder:
        task = paced_task.write_task(Path(runs_folder))
        command = ["run", task, f"seconds={STEP_TIME}", "--runs", runs_folder]
        with Terminal(command, columns=140, rows=42) as terminal:
            terminal.wait_for(lambda rows: "training" in rows[0])
            time.sleep(min(SETTLE_TIME, options.seconds))
            marks = [time.time()]
            for _ in range(options.rounds):
                time.sleep(options.seconds)
                marks.append(time.time())
    intervals = list(pairwise(marks))
    return {
        "steps_a_second": 1 / STEP_TIME,
        "bytes_a_second": summary([terminal.bytes_between(a, b) / (b - a) for a, b in intervals], 0),
        "frames_a_second": summary([terminal.frames_between(a, b) / (b - a) for a, b in intervals], 2),
    }
