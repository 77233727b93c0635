"""What all benchmarks share: the machine they ran on, medians with their spread, and the table that is printed."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any


def told(numbers: Sequence[float], digits: int = 4) -> dict[str, float]:
    """Return what a list of measurements comes to."""
    low, middle, high = min(numbers), statistics.median(numbers), max(numbers)
    return {
        "median": round(middle, digits),
        "min": round(low, digits),
        "max": round(high, digits),
        "times": len(numbers),
    }


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": _processor(),
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("torch", "textual", "plotext")},
        "load": round(os.getloadavg()[0], 2),
    }


def table(result: dict[str, Any]) -> str:
    """Return a line for each figure: median, range and how often it was taken."""
    rows = [("", "median", "min", "max", "times"), *_rows("", result)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _rows(prefix: str, result: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    for name, value in result.items():
        words = f"{prefix}{name.replace('_', ' ')}"
        if not isinstance(value, dict):
            yield words, str(value), "", "", ""
        elif value.keys() == {"median", "min", "max", "times"}:
            yield words, f"{value['median']:g}", f"{value['min']:g}", f"{value['max']:g}", str(value["times"])
        else:
            yield from _rows(f"{words}: ", value)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
