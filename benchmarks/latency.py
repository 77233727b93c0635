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
from .measure import told
from .terminal import PROGRAM, Terminal

BATCH = 0.01  # seconds


def main(arguments: list[str]) -> dict[str, Any]:
    """Return milliseconds from pressing space until `paused` or `training` stands on the screen, of each round."""
    parser = argparse.ArgumentParser(prog="latency", description=__doc__)
    parser.add_argument("--presses", type=int, default=150, help="of one round")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        command = ["run", slow.task(Path(folder)), f"seconds={BATCH}", "--runs", folder, "--name"]
        with Terminal([*command, "here"]) as terminal:
            here = _rounds(terminal, given.rounds, given.presses)
        subprocess.run([PROGRAM, *command, "elsewhere", "--background"], stdout=subprocess.DEVNULL, check=True)
        try:
            with Terminal(["attach", "elsewhere", "--runs", folder]) as terminal:
                attached = _rounds(terminal, given.rounds, given.presses)
        finally:
            stop = [PROGRAM, "send", "elsewhere", "stop", "--runs", folder]
            subprocess.run(stop, stdout=subprocess.DEVNULL, check=False)
    result: dict[str, Any] = {"batch_seconds": BATCH, "presses": given.presses}
    for where, rounds in (("in_process", here), ("attached", attached)):
        for what, rank in (("median", 49), ("99th", 98)):
            result[f"{where}_{what}_ms"] = told([cuts[rank] for cuts in rounds], 1)
    return result


def _rounds(terminal: Terminal, rounds: int, presses: int) -> list[list[float]]:
    """Return the 99 percentiles of each round, in milliseconds."""
    terminal.wait_for(lambda rows: "training" in rows[0])
    time.sleep(1)
    chance = random.Random(1)
    return [statistics.quantiles(_presses(terminal, presses, chance), n=100, method="inclusive") for _ in range(rounds)]


def _presses(terminal: Terminal, presses: int, chance: random.Random) -> list[float]:
    """Return the milliseconds until each of an even number of presses was answered."""
    taken = []
    for press in range(presses):
        time.sleep(0.2 + chance.random() * 0.3)
        wanted = "training" if press % 2 else "paused"
        pressed = terminal.press(" ")
        taken.append((terminal.wait_for(lambda rows, wanted=wanted: wanted in rows[0]) - pressed) * 1000)  # type: ignore[misc]
    return taken
