"""From a key to its answer on the screen, with batches of 10 ms: in the process that trains, and attached to it."""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from . import slow
from .terminal import PROGRAM, Terminal

BATCH = 0.01  # seconds


def main(arguments: list[str]) -> dict[str, Any]:
    """Return milliseconds from pressing space until `paused` or `training` stands on the screen."""
    parser = argparse.ArgumentParser(prog="latency", description=__doc__)
    parser.add_argument("--presses", type=int, default=150)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        command = ["run", slow.task(Path(folder)), f"seconds={BATCH}", "--runs", folder, "--name"]
        with Terminal([*command, "here"]) as terminal:
            here = _presses(terminal, given.presses)
        subprocess.run([PROGRAM, *command, "elsewhere", "--background"], stdout=subprocess.DEVNULL, check=True)
        try:
            with Terminal(["attach", "elsewhere", "--runs", folder]) as terminal:
                attached = _presses(terminal, given.presses)
        finally:
            stop = [PROGRAM, "send", "elsewhere", "stop", "--runs", folder]
            subprocess.run(stop, stdout=subprocess.DEVNULL, check=False)
    return {"batch_seconds": BATCH, "in_process_ms": here, "attached_ms": attached}


def _presses(terminal: Terminal, presses: int) -> dict[str, float]:
    chance = random.Random(1)
    terminal.wait_for(lambda rows: "training" in rows[0])
    time.sleep(1)
    taken = []
    for press in range(presses):
        time.sleep(0.3 + chance.random() * 0.3)
        wanted = "training" if press % 2 else "paused"
        pressed = terminal.press(" ")
        taken.append((terminal.wait_for(lambda rows, wanted=wanted: wanted in rows[0]) - pressed) * 1000)  # type: ignore[misc]
    quantiles = statistics.quantiles(taken, n=100, method="inclusive")
    return {
        "median": round(quantiles[49], 1),
        "99th": round(quantiles[98], 1),
        "max": round(max(taken), 1),
        "presses": presses,
    }
