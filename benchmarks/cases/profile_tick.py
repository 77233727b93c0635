"""CPU time of the dashboard's tick by function, at 140×42 and 50 steps a second."""

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

from ..harness import process_family
from ..harness.measure import summary
from ..harness.terminal import Terminal

RATE = 50  # steps a second
WRITER_START = 2.0  # seconds until the writer has started
MAX_ROWS = 20  # functions in each table


def main(arguments: list[str]) -> dict[str, Any]:
    """Print the functions that take the most time, and return CPU time per tick, measured without the profiler."""
    parser = argparse.ArgumentParser(prog="profile_tick", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--steps", type=int, default=5000, help="steps of the run when it is opened")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as runs_folder:
        out = Path(runs_folder) / "out"
        command = [
            sys.executable,
            "-m",
            "benchmarks.harness.curve_writers",
            "stoker",
            runs_folder,
            str(options.steps),
            str(RATE),
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as writer:
            try:
                time.sleep(WRITER_START)
                plain = _measure(out, options.seconds, False, runs_folder)
                profiled = _measure(out, options.seconds, True, runs_folder)
            finally:
                process_family.kill(writer.pid)
        stats = pstats.Stats(f"{out}.pstats")
    for key, title in (("tottime", "own time"), ("cumtime", "cumulative time")):
        Console().print(
            _table(stats, key, f"by {title}, ms a tick of {len(profiled['ticks'])}", len(profiled["ticks"]))
        )
    ticks, between = ([1000 * seconds for seconds in plain[name]] for name in ("ticks", "between"))
    return {
        "tick_ms": summary(ticks, 2),
        "tick_99th_ms": _99th(ticks),
        "tick_and_draw_ms": summary(between, 2),
        "tick_and_draw_99th_ms": _99th(between),
        "percent_of_a_core": round(sum(between) / 10 / options.seconds, 2),
    }


def _measure(out: Path, seconds: float, profile: bool, runs_folder: str) -> dict[str, list[float]]:
    """Open the dashboard for `seconds`; return CPU seconds of its ticks, without and with the drawing that follows."""
    arguments = [
        "-m",
        "benchmarks.harness.profiled_dashboard",
        str(out),
        str(seconds),
        str(int(profile)),
        "curve",
        runs_folder,
    ]
    with Terminal(arguments, columns=140, rows=42, program=sys.executable) as terminal:
        deadline = time.monotonic() + seconds + 30
        while terminal.process.isalive():
            if time.monotonic() > deadline:
                raise TimeoutError("the dashboard did not close")
            time.sleep(0.1)
    found: dict[str, list[float]] = json.loads(out.with_suffix(".json").read_text())
    return found


def _table(stats: pstats.Stats, key: str, title: str, ticks: int) -> Table:
    """Return a table of the functions that take the most time; `key` is tottime or cumtime."""
    table = Table("ms", "calls", "function", title=title)
    rows = [(own if key == "tottime" else whole, calls, at) for at, (_, calls, own, whole, _) in stats.stats.items()]  # type: ignore[attr-defined]
    for seconds, calls, (file, line, name) in sorted(rows, reverse=True)[:MAX_ROWS]:
        where = "" if file == "~" else f"{'/'.join(Path(file).parts[-2:])}:{line} "
        table.add_row(f"{1000 * seconds / ticks:.3f}", f"{calls / ticks:.1f}", f"{where}{name}")
    return table


def _99th(numbers: list[float]) -> float:
    return round(statistics.quantiles(numbers, n=100, method="inclusive")[98], 2)
