"""What was measured as tables: of one benchmark for the terminal, of all in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from .targets import ROWS, Row

RESULTS = Path(__file__).parent / "results"
SPREAD = ("median", "min", "max", "times")


def listed(known: dict[str, str]) -> str:
    """Return the benchmarks, a line each."""
    width = max(map(len, known))
    return "\n".join(f"{name:{width}}  {line}" for name, line in known.items())


def table(result: dict[str, Any]) -> Table:
    """Return a line for each figure: median, range and how often it was taken."""
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    drawn = Table(title=result["benchmark"], caption=f"{result['date']}, commit {result['commit']}\n{machine}")
    drawn.add_column("")
    for name in SPREAD:
        drawn.add_column(name, justify="right", no_wrap=True)
    for cells in _lines("", result["figures"]):
        drawn.add_row(*cells)
    return drawn


def results() -> dict[str, dict[str, Any]]:
    """Return what the benchmarks wrote last, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}


def markdown(found: dict[str, dict[str, Any]]) -> str:
    """Return the table of all targets, and what machine, commit and day the figures are of."""
    lines = ["| what | measured against | to reach | median (min–max) | reached |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(_cells(row, found))} |" for row in ROWS]
    wanted = dict.fromkeys(name for row in ROWS for name in row.benchmarks)
    taken: dict[str, list[str]] = {}
    for name in wanted:
        if name in found:
            taken.setdefault(_circumstances(found[name]), []).append(name)
    return "\n".join([*lines, "", *(f"{', '.join(names)}: {words}." for words, names in taken.items())])


def _cells(row: Row, found: dict[str, dict[str, Any]]) -> tuple[str, str, str, str, str]:
    figure = found.get(row.benchmark, {}).get("figures", {}).get(row.figure)
    against = row.against
    if row.peers and (others := found.get(row.peers[0], {}).get("figures")):
        names = [name for name, value in others.items() if isinstance(value, dict)]
        told = ", ".join(f"{name} {_spread(others[name].get(row.peers[1]), row.unit)}" for name in names)
        against = f"{against} {told}" if against.endswith(":") else f"{against}; side by side: {told}"
    against = "" if against.endswith(":") else against
    if figure is None:
        return row.what, against, row.to_reach, "not measured", "–"
    median = figure["median"] if isinstance(figure, dict) else figure
    reached = "yes" if row.least <= median <= row.most else "**no**"
    return row.what, against, row.to_reach, _spread(figure, row.unit), reached


def _spread(figure: Any, unit: str) -> str:
    if not isinstance(figure, dict):
        return "–" if figure is None else f"{figure}{unit}"
    low, middle, high = (_number(figure[name]) for name in ("min", "median", "max"))
    return f"{middle}{unit} ({low}–{high})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if value < 0.9 or value >= 10 else f"{value:.2f}"


def _circumstances(result: dict[str, Any]) -> str:
    m = result["machine"]
    libraries = ", ".join(f"{name} {m[name]}" for name in ("python", "torch", "textual", "plotext"))
    where = f"{m['cores']} cores of {m['processor']}, {m['memory_GiB']:g} GiB, {m['system']}"
    return f"{result['date'][:10]}, commit {result['commit']}, {where}, {libraries}"


def _lines(prefix: str, figures: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    for name, value in figures.items():
        words = f"{prefix}{name.replace('_', ' ')}"
        if not isinstance(value, dict):
            yield words, str(value), "", "", ""
        elif set(value) == set(SPREAD):
            low, middle, high = (f"{value[key]:,g}" for key in ("min", "median", "max"))
            yield words, middle, low, high, str(value["times"])
        else:
            yield from _lines(f"{words}: ", value)
