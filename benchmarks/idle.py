"""What a dashboard costs that shows a finished run and has nothing to do."""

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
    """Return bytes a second to the terminal, and the share of one core in percent."""
    parser = argparse.ArgumentParser(prog="idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=100_000)
    given = parser.parse_args(arguments)
    written, used = [], []
    with tempfile.TemporaryDirectory() as folder:
        name = recorded.finished(Path(folder), given.steps).name
        last = f"{given.steps:,} / {given.steps:,}"
        with Terminal(["attach", name, "--runs", folder]) as terminal:
            terminal.wait_for(lambda rows: any(last in row for row in rows))
            time.sleep(2)
            for _ in range(given.rounds):
                began, before = time.time(), process.cpu(terminal.process.pid)
                time.sleep(given.seconds)
                ended = time.time()
                written.append(terminal.bytes_between(began, ended) / (ended - began))
                used.append((process.cpu(terminal.process.pid) - before) / (ended - began) * 100)
    return {"steps": given.steps, "bytes_a_second": told(written, 1), "percent_of_a_core": told(used, 2)}
