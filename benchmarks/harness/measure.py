"""What every benchmark's result holds: medians with their range, the machine, the commit and the date."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).parents[2]


class BenchmarkError(Exception):
    """A benchmark cannot be made on this machine; the message says why."""

    exit_code = 1


class MissingDeviceError(BenchmarkError):
    """The machine lacks the device that the benchmark measures."""

    exit_code = 2


def summary(numbers: Sequence[float], digits: int = 4) -> dict[str, float]:
    """Return median, minimum, maximum and number of some measurements, rounded to `digits`."""
    low, middle, high = min(numbers), statistics.median(numbers), max(numbers)
    return {
        "median": round(middle, digits),
        "min": round(low, digits),
        "max": round(high, digits),
        "times": len(numbers),
    }


def context() -> dict[str, Any]:
    """Return the circumstances of a measurement: date, commit and machine."""
    now = datetime.datetime.now(datetime.UTC)
    return {"date": now.isoformat(timespec="seconds"), "commit": _commit(), "machine": machine()}


def machine() -> dict[str, Any]:
    """Return the machine and the versions of libraries; `load` is the load average of the last minute."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": cores,
        "processor": _processor(),
        "memory_GiB": round(psutil.virtual_memory().total / 2**30, 1),
        "system": _system(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("torch", "textual", "plotext")},
        "load": round(os.getloadavg()[0], 2),
    }


def _commit() -> str:
    """Return the repository's short commit, with a + if tracked files other than the results have changes."""
    git = ["git", "-C", str(REPOSITORY)]
    status = [*git, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results"]
    try:
        commit, changes = (
            subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL).strip()
            for command in ([*git, "rev-parse", "--short", "HEAD"], status)
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}+" if changes else commit


def _system() -> str:
    with contextlib.suppress(OSError):
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {platform.release()}, {platform.machine()}"
    return platform.platform()


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
