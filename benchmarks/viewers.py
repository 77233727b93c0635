"""Other viewers of a run in a terminal of 140×42, each on the same curve: until it stands, bytes a second, idle."""

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

from . import process
from .measure import told
from .terminal import Terminal

RATE = 50  # steps a second
BEGUN = 8.0  # seconds in which a writer has begun
SETTLED = 5.0  # seconds until a viewer has drawn what was there
STILL = 2.0  # seconds in which nothing changes on a screen that stands


@dataclass(frozen=True)
class Viewer:
    """A program that shows a curve, the module it comes with, and its arguments; FOLDER stands for the run's folder."""

    program: str
    module: str
    arguments: tuple[str, ...]
    last: tuple[str, ...] = ("{steps}",)
    """How the last step may stand on the screen."""


VIEWERS = {
    "stoker": Viewer("stoker", "stoker", ("attach", "curve", "--runs", "FOLDER"), ("{steps:,}",)),
    "leet": Viewer("wandb", "wandb", ("leet", "run", "FOLDER/wandb/latest-run")),
    "ltui": Viewer("ltui", "ltui", ("FOLDER",)),
    "terminalboard": Viewer("terminalboard", "terminalboard", ("FOLDER", "--reset-view")),
    "tlog": Viewer("tlog", "tlog", ("watch", "--dir", "FOLDER"), ("step {steps}", "step {thousands:.1f}k")),
}


def main(arguments: list[str]) -> dict[str, Any]:
    """Return what each viewer costs; those that are not installed are left out."""
    parser = argparse.ArgumentParser(prog="viewers", description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help="of the finished run, a multiple of 1,000")
    parser.add_argument("--seconds", type=float, default=10, help="of one stretch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=VIEWERS, nargs="+", default=list(VIEWERS))
    given = parser.parse_args(arguments)
    result: dict[str, Any] = {"steps": given.steps, "steps_a_second": RATE}
    for name in given.only:
        if importlib.util.find_spec(VIEWERS[name].module) is None:
            print(f"{name}: not installed, left out", file=sys.stderr)
            continue
        try:
            result[name] = _finished(name, given) | _live(name, given)
        except (TimeoutError, subprocess.SubprocessError) as error:
            print(f"{name}: left out, {error}", file=sys.stderr)
    return result


def _finished(name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Open a finished run, each time in a fresh process, and watch the last one stand idle."""
    last = [text.format(steps=given.steps, thousands=given.steps / 1000) for text in VIEWERS[name].last]
    opened, written, used = [], [], []
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(_writer(name, place, given.steps, 0), stdout=subprocess.DEVNULL, check=True, timeout=200)
        for round_ in range(given.rounds):
            with _shown(name, place) as terminal:
                stood = terminal.wait_for(lambda rows: any(text in row for text in last for row in rows))
                opened.append(terminal.wait_until_still(stood, STILL) - terminal.began)
                if round_ == given.rounds - 1:
                    for _ in range(given.rounds):
                        one, other = _stretch(terminal, given.seconds)
                        written.append(one)
                        used.append(other)
    return {
        "seconds_to_open": told(opened, 3),
        "idle_bytes_a_second": told(written, 0),
        "idle_percent_of_a_core": told(used, 2),
    }


def _live(name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Watch a run that grows."""
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen(_writer(name, place, 0, RATE), stdout=subprocess.DEVNULL) as writer,
    ):
        try:
            time.sleep(BEGUN)
            with _shown(name, place) as terminal:
                time.sleep(SETTLED)
                stretches = [_stretch(terminal, given.seconds) for _ in range(given.rounds)]
        finally:
            # A child of its own may be at work for it.
            for each in process.family(writer.pid):
                each.kill()
    return {
        "bytes_a_second": told([written for written, _ in stretches], 0),
        "percent_of_a_core": told([used for _, used in stretches], 2),
    }


def _stretch(terminal: Terminal, seconds: float) -> tuple[float, float]:
    """Return bytes a second and the share of a core, in percent, of a stretch."""
    began, before = time.time(), process.cpu(terminal.process.pid)
    time.sleep(seconds)
    ended, used = time.time(), process.cpu(terminal.process.pid) - before
    return terminal.bytes_between(began, ended) / (ended - began), used / (ended - began) * 100


def _shown(name: str, place: str) -> Terminal:
    viewer = VIEWERS[name]
    program = str(Path(sys.executable).with_name(viewer.program))
    arguments = [argument.replace("FOLDER", f"{place}/data") for argument in viewer.arguments]
    return Terminal(arguments, columns=140, rows=42, program=program, environment=_homes(place))


def _writer(name: str, place: str, steps: int, rate: float) -> list[str]:
    (Path(place) / "data").mkdir()
    return [sys.executable, "-m", f"{__package__}.writers", name, f"{place}/data", str(steps), str(rate)]


def _homes(place: str) -> dict[str, str]:
    """Return an environment in which a viewer remembers nothing beyond this run."""
    return {
        "XDG_STATE_HOME": f"{place}/state",
        "XDG_CONFIG_HOME": f"{place}/config",
        "WANDB_CONFIG_DIR": f"{place}/config",
    }
