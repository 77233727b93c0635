"""How much is sent to the terminal of 140×42 while a run makes 50 steps a second."""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from . import slow
from .measure import told
from .terminal import Terminal

STEP = 0.02  # seconds
SETTLED = 5.0  # seconds after the first step, when the frame has been sent


def main(arguments: list[str]) -> dict[str, Any]:
    """Return bytes and frames a second, each of several stretches of one run."""
    parser = argparse.ArgumentParser(prog="bytes", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of one stretch")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        task = slow.task(Path(folder))
        with Terminal(["run", task, f"seconds={STEP}", "--runs", folder], columns=140, rows=42) as terminal:
            terminal.wait_for(lambda rows: "training" in rows[0])
            time.sleep(min(SETTLED, given.seconds))
            marks = [time.time()]
            for _ in range(given.rounds):
                time.sleep(given.seconds)
                marks.append(time.time())
    stretches = list(pairwise(marks))
    return {
        "steps_a_second": 1 / STEP,
        "bytes_a_second": told([terminal.bytes_between(a, b) / (b - a) for a, b in stretches], 0),
        "frames_a_second": told([terminal.frames_between(a, b) / (b - a) for a, b in stretches], 2),
    }
