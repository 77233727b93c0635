"""Time from a key to its effect on the screen, with batches of 10 ms: in the training process, and attached to it."""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from ..harness import paced_task
from ..harness.measure import summary
from ..harness.terminal import PROGRAM, Terminal

BATCH_TIME = 0.01  # seconds


def main(arguments: list[str]) -> dict[str, Any]:
    """Return milliseconds from pressing space until `paused` or `training` is on the screen, for each round."""
    parser = argparse.ArgumentParser(prog="latency", description=__doc__)
    parser.add_argument("--presses", type=int, default=150, help="key presses in one round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        task = paced_task.write_task(Path(folder))
        command = ["run", task, f"seconds={BATCH_TIME}", "--runs", folder, "--name"]
        with Terminal([*command, "here"]) as terminal:
            in_process = _rounds(terminal, options.rounds, options.presses)
        subprocess.run([PROGRAM, *command, "remote", "--background"], stdout=subprocess.DEVNULL, check=True)
        try:
            with Terminal(["attach", "remote", "--runs", folder]) as terminal:
                attached = _rounds(terminal, options.rounds, options.presses)
        finally:
            stop = [PROGRAM, "send", "remote", "stop", "--runs", folder]
            subprocess.run(stop, stdout=subprocess.DEVNULL, check=False)
    result: dict[str, Any] = {"batch_seconds": BATCH_TIME, "presses": options.presses}
    for where, rounds in (("in_process", in_process), ("attached", attached)):
        for rank_name, rank in (("median", 49), ("99th", 98)):
            result[f"{where}_{rank_name}_ms"] = summary([percentiles[rank] for percentiles in rounds], 1)
    return result


def _rounds(terminal: Terminal, rounds: int, presses: int) -> list[list[float]]:
    """Return the 99 percentiles of each round, in milliseconds."""
    terminal.wait_for(lambda rows: "training" in rows[0])
    time.sleep(1)
    chance = random.Random(1)
    return [statistics.quantiles(_presses(terminal, presses, chance), n=100, method="inclusive") for _ in range(rounds)]


def _presses(terminal: Terminal, presses: int, chance: random.Random) -> list[float]:
    """Return the milliseconds from each of an even number of presses to its effect."""
    milliseconds = []
    for press in range(presses):
        time.sleep(0.2 + chance.random() * 0.3)
        pressed_at = terminal.press(" ")
        shown_at = terminal.wait_for(partial(_has_state, "training" if press % 2 else "paused"))
        milliseconds.append((shown_at - pressed_at) * 1000)
    return milliseconds


def _has_state(state: str, rows: list[str]) -> bool:
    return state in rows[0]
