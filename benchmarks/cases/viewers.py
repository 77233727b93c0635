"""Other terminal viewers of a run, at 140×42 with the same curve: time to open, bytes a second and CPU."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..harness import process_family
from ..harness.measure import summary
from ..harness.terminal import Terminal

RATE = 50  # steps a second
WRITER_START = 8.0  # seconds until a writer has started
SETTLE_TIME = 5.0  # seconds until a viewer has drawn the existing steps
STILL_TIME = 2.0  # seconds without a change after which a screen counts as complete


@dataclass(frozen=True)
class Viewer:
    """A program that shows a curve, the module that it belongs to, and its arguments.

    FOLDER in an argument is replaced by the run's folder.
    """

    program: str
    module: str
    arguments: tuple[str, ...]
    last: tuple[str, ...] = ("{steps}",)
    """The texts by which the last step may be shown."""


VIEWERS = {
    "stoker": Viewer("stoker", "stoker", ("attach", "curve", "--runs", "FOLDER"), ("{steps:,}",)),
    "leet": Viewer("wandb", "wandb", ("leet", "run", "FOLDER/wandb/latest-run")),
    "ltui": Viewer("ltui", "ltui", ("FOLDER",)),
    "terminalboard": Viewer("terminalboard", "terminalboard", ("FOLDER", "--reset-view")),
    "tlog": Viewer("tlog", "tlog", ("watch", "--dir", "FOLDER"), ("step {steps}", "step {thousands:.1f}k")),
}


def main(arguments: list[str]) -> dict[str, Any]:
    """Return the cost of each viewer; a viewer that is not installed is left out."""
    parser = argparse.ArgumentParser(prog="viewers", description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help="steps of the finished run, a multiple of 1,000")
    parser.add_argument("--seconds", type=float, default=10, help="length of one interval")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=VIEWERS, nargs="+", default=list(VIEWERS))
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {"steps": options.steps, "steps_a_second": RATE}
    for name in options.only:
        if importlib.util.find_spec(VIEWERS[name].module) is None:
            print(f"{name}: left out, not installed", file=sys.stderr)
            continue
        try:
            result[name] = _finished(name, options) | _live(name, options)
        except (TimeoutError, subprocess.SubprocessError) as error:
            print(f"{name}: left out, {error}", file=sys.stderr)
    return result


def _finished(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Open a finished run in several fresh processes, and measure the last one while it is idle."""
    last = [text.format(steps=options.steps, thousands=options.steps / 1000) for text in VIEWERS[name].last]
    opened, written, used = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            _writer_command(name, folder, options.steps, 0), stdout=subprocess.DEVNULL, check=True, timeout=200
        )
        for round_ in range(options.rounds):
            with _open(name, folder) as terminal:
                drawn_at = terminal.wait_for(lambda rows: any(text in row for text in last for row in rows))
                opened.append(terminal.wait_until_still(drawn_at, STILL_TIME) - terminal.started_at)
                if round_ == options.rounds - 1:
                    for _ in range(options.rounds):
                        one, other = _interval(terminal, options.seconds)
                        written.append(one)
                        used.append(other)
    return {
        "seconds_to_open": summary(opened, 3),
        "idle_bytes_a_second": summary(written, 0),
        "idle_percent_of_a_core": summary(used, 2),
    }


def _live(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure a viewer of a growing run."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(_writer_command(name, folder, 0, RATE), stdout=subprocess.DEVNULL) as writer,
    ):
        try:
            time.sleep(WRITER_START)
            with _open(name, folder) as terminal:
                time.sleep(SETTLE_TIME)
                intervals = [_interval(terminal, options.seconds) for _ in range(options.rounds)]
        finally:
            process_family.kill(writer.pid)
    return {
        "bytes_a_second": summary([written for written, _ in intervals], 0),
        "percent_of_a_core": summary([used for _, used in intervals], 2),
    }


def _interval(terminal: Terminal, seconds: float) -> tuple[float, float]:
    """Return bytes a second, and CPU use in percent of one core, over an interval."""
    start, before = time.time(), process_family.cpu(terminal.process.pid)
    time.sleep(seconds)
    end, used = time.time(), process_family.cpu(terminal.process.pid) - before
    return terminal.bytes_between(start, end) / (end - start), used / (end - start) * 100


def _open(name: str, folder: str) -> Terminal:
    viewer = VIEWERS[name]
    program = str(Path(sys.executable).with_name(viewer.program))
    arguments = [argument.replace("FOLDER", f"{folder}/data") for argument in viewer.arguments]
    return Terminal(arguments, columns=140, rows=42, program=program, environment=_environment(folder))


def _writer_command(name: str, folder: str, steps: int, rate: float) -> list[str]:
    (Path(folder) / "data").mkdir()
    return [sys.executable, "-m", "benchmarks.harness.curve_writers", name, f"{folder}/data", str(steps), str(rate)]


def _environment(folder: str) -> dict[str, str]:
    """Return an environment in which a viewer finds no settings and no state of earlier runs."""
    return {
        "XDG_STATE_HOME": f"{folder}/state",
        "XDG_CONFIG_HOME": f"{folder}/config",
        "WANDB_CONFIG_DIR": f"{folder}/config",
    }
