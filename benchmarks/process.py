"""What a running process and its children have used so far."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil


def family(pid: int) -> list[psutil.Process]:
    """Return the process and its children; none if it is gone."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu(pid: int) -> float:
    """Return the seconds of CPU that the process and its children have used."""
    used = 0.0
    for process in family(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system
    return used


def memory(pid: int) -> tuple[float, float]:
    """Return the process's memory now and at its peak, in MiB, as Linux tells it."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, peak = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak
