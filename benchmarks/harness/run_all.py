"""Run all benchmarks of the table, one after another; one that fails or hangs does not stop the others."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

from . import process_family
from .targets import ROWS

TIME_LIMIT = 1800.0  # seconds that one benchmark may take: no healthy one takes as long
SHUTDOWN_TIME = 20.0  # seconds that a terminated benchmark has to end its processes and to remove its files


def run_all() -> int:
    """Run each benchmark in a process of its own; return 1 if any failed, else 0."""
    outcomes: dict[str, str] = {}
    for name in dict.fromkeys(name for row in ROWS for name in row.benchmarks):
        print(f"\n{name} …", flush=True)
        start = time.monotonic()
        outcomes[name] = f"{_run(name)} {time.monotonic() - start:.0f} s"
    print(*("", *(f"{name}: {outcome}" for name, outcome in outcomes.items())), sep="\n")
    return int(any(not outcome.startswith("done") for outcome in outcomes.values()))


def _run(name: str) -> str:
    with subprocess.Popen([sys.executable, "-m", "benchmarks", name]) as process:
        try:
            return "done in" if process.wait(TIME_LIMIT) == 0 else "failed after"
        except subprocess.TimeoutExpired:
            # SIGTERM lets the benchmark close its terminals and remove its temporary files.
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(SHUTDOWN_TIME)
            return "stopped: over the time limit after"
        finally:
            if process.poll() is None:
                process_family.kill(process.pid)
