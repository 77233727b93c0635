"""Where the time of the dashboard's tick goes, at 140×42 and 50 steps a second."""

from __future__ import annotations

import argparse
import json
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .measure import told
from .process import family
from .terminal import Terminal

RATE = 50  # steps a second
BEGUN = 2.0  # seconds in which the writer has begun
LINES = 20  # functions in each table


def main(arguments: list[str]) -> dict[str, Any]:
    """Print the functions that take the most, and return the app's CPU a tick; the times are taken without profiler."""
    parser = argparse.ArgumentParser(prog="profile_tick", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--steps", type=int, default=5000, help="that the run has when it is opened")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"
        command = [sys.executable, "-m", f"{__package__}.writers", "stoker", place, str(given.steps), str(RATE)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as writer:
            try:
                time.sleep(BEGUN)
                plain = _watched(out, given.seconds, False, place)
                profiled = _watched(out, given.seconds, True, place)
            finally:
                for each in family(writer.pid):
                    each.kill()
        stats = pstats.Stats(f"{out}.pstats")
    for key, title in (("tottime", "own time"), ("cumtime", "cumulative time")):
        Console().print(
            _table(stats, key, f"by {title}, ms a tick of {len(profiled['ticks'])}", len(profiled["ticks"]))
        )
    ticks, between = ([1000 * seconds for seconds in plain[name]] for name in ("ticks", "between"))
    return {
        "tick_ms": told(ticks, 2),
        "tick_99th_ms": _99th(ticks),
        "tick_and_draw_ms": told(between, 2),
        "tick_and_draw_99th_ms": _99th(between),
        "percent_of_a_core": round(sum(between) / 10 / given.seconds, 2),
    }


def _watched(out: Path, seconds: float, profile: bool, place: str) -> dict[str, list[float]]:
    """Open the dashboard for a while, and return seconds of CPU of its ticks, alone and with the drawing after."""
    arguments = ["-m", f"{__package__}.profiled", str(out), str(seconds), str(int(profile)), "curve", place]
    with Terminal(arguments, columns=140, rows=42, program=sys.executable) as terminal:
        deadline = time.monotonic() + seconds + 30
        while terminal.process.isalive():
            if time.monotonic() > deadline:
                raise TimeoutError("the dashboard did not leave")
            time.sleep(0.1)
    found: dict[str, list[float]] = json.loads(out.with_suffix(".json").read_text())
    return found


def _table(stats: pstats.Stats, key: str, title: str, ticks: int) -> Table:
    """Return the functions that take the most; `key` is tottime or cumtime."""
    table = Table("ms", "calls", "function", title=title)
    rows = [(own if key == "tottime" else whole, calls, at) for at, (_, calls, own, whole, _) in stats.stats.items()]  # type: ignore[attr-defined]
    for seconds, calls, (file, line, name) in sorted(rows, reverse=True)[:LINES]:
        where = "" if file == "~" else f"{'/'.join(Path(file).parts[-2:])}:{line} "
        table.add_row(f"{1000 * seconds / ticks:.3f}", f"{calls / ticks:.1f}", f"{where}{name}")
    return table


def _99th(numbers: list[float]) -> float:
    return round(statistics.quantiles(numbers, n=100, method="inclusive")[98], 2)
