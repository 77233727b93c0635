"""What all benchmarks share: medians with their spread, the machine they ran on, the commit, and when."""

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


class Failed(Exception):
    """A benchmark cannot be made here; the message says why."""


def told(numbers: Sequence[float], digits: int = 4) -> dict[str, float]:
    """Return what a list of measurements comes to."""
    low, middle, high = min(numbers), statistics.median(numbers), max(numbers)
    return {
        "median": round(middle, digits),
        "min": round(low, digits),
        "max": round(high, digits),
        "times": len(numbers),
    }


def context() -> dict[str, Any]:
    """Return what a figure depends on: when, of which commit, and on which machine."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"date": now.isoformat(timespec="seconds"), "commit": _commit(), "machine": machine()}


def machine() -> dict[str, Any]:
    """Return the machine and the libraries; `load` is that of the minute before."""
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
    """Return the short commit of this repository, with a + where files of it, other than results, were changed."""
    git = ["git", "-C", str(Path(__file__).parents[1])]
    changed = [*git, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results"]
    try:
        commit, changes = (
            subprocess.check_output(ask, text=True, stderr=subprocess.DEVNULL).strip()
            for ask in ([*git, "rev-parse", "--short", "HEAD"], changed)
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
