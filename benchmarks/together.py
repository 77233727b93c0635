"""Runs all benchmarks of the table, one after another; one that fails or hangs does not stop the others."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import psutil

from .process import family
from .targets import ROWS

LONGEST = 1800.0  # seconds that one benchmark may take: only what hangs takes longer
TIDYING = 20.0  # seconds to end what it started and to remove its files


def run_all() -> int:
    """Run each in a process of its own; returns 1 if any failed."""
    outcomes: dict[str, str] = {}
    for name in dict.fromkeys(name for row in ROWS for name in row.benchmarks):
        print(f"\n{name} …", flush=True)
        began = time.monotonic()
        outcomes[name] = f"{_run(name)} in {time.monotonic() - began:.0f} s"
    print(*("", *(f"{name}: {outcome}" for name, outcome in outcomes.items())), sep="\n")
    return int(any(not outcome.startswith("done") for outcome in outcomes.values()))


def _run(name: str) -> str:
    with subprocess.Popen([sys.executable, "-m", __package__, name]) as process:
        try:
            return "done" if process.wait(LONGEST) == 0 else "failed"
        except subprocess.TimeoutExpired:
            # It closes its terminals and removes its temporary files.
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TIDYING)
            return "stopped, it took too long,"
        finally:
            for left in family(process.pid) if process.poll() is None else []:
                with contextlib.suppress(psutil.NoSuchProcess):
                    left.kill()
