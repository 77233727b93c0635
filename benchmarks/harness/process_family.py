"""CPU and memory of a running process and its children."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil


def family(pid: int) -> list[psutil.Process]:
    """Return the process and its children, or an empty list if the process has ended."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kill(pid: int) -> None:
    """Kill the process and its children."""
    for process in family(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def cpu(pid: int) -> float:
    """Return the CPU time in seconds of the process and its children."""
    seconds = 0.0
    for process in family(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system
    return seconds


def memory(pid: int) -> tuple[float, float]:
    """Return the process's resident memory now and at its peak, in MiB. Linux only."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, peak = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak
