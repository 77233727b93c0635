"""Tables of results: of one benchmark for the terminal, of all of them in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from .targets import ROWS, Row

RESULTS = Path(__file__).parents[1] / "results"
SUMMARY_KEYS = ("median", "min", "max", "times")
HEADER = ("what", "measured against", "target", "median (min–max)", "met")


def listed(known: dict[str, str]) -> str:
    """Return one line of text for each benchmark."""
    width = max(map(len, known))
    return "\n".join(f"{name:{width}}  {line}" for name, line in known.items())


def table(result: dict[str, Any]) -> Table:
    """Return a table of one benchmark with a row for each figure: median, range and number of measurements."""
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    drawn = Table(title=result["benchmark"], caption=f"{result['date']}, commit {result['commit']}\n{machine}")
    drawn.add_column("")
    for name in SUMMARY_KEYS:
        drawn.add_column(name, justify="right", no_wrap=True)
    for cells in _rows("", result["figures"]):
        drawn.add_row(*cells)
    return drawn


def results() -> dict[str, dict[str, Any]]:
    """Return the newest result of each benchmark that has one, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}


def markdown(found: dict[str, dict[str, Any]]) -> str:
    """Return the table of all targets, and below it the machine, commit and day of the figures."""
    lines = [f"| {' | '.join(HEADER)} |", f"| {' | '.join('---' for _ in HEADER)} |"]
    lines += [f"| {' | '.join(_cells(row, found))} |" for row in ROWS]
    names_by_context: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for row in ROWS for name in row.benchmarks):
        if name in found:
            names_by_context.setdefault(_context(found[name]), []).append(name)
    return "\n".join([*lines, "", *(f"{', '.join(names)}: {words}." for words, names in names_by_context.items())])


def _cells(row: Row, found: dict[str, dict[str, Any]]) -> tuple[str, str, str, str, str]:
    figure = found.get(row.benchmark, {}).get("figures", {}).get(row.figure)
    against = row.against
    if row.peers and (others := found.get(row.peers[0], {}).get("figures")):
        names = [name for name, value in others.items() if isinstance(value, dict)]
        peers = ", ".join(f"{name} {_range(others[name].get(row.peers[1]), row.unit)}" for name in names)
        against = f"{against} {peers}" if against.endswith(":") else f"{against}; side by side: {peers}"
    against = "" if against.endswith(":") else against
    if figure is None:
        return row.what, against, row.target, "not measured", "–"
    median = figure["median"] if isinstance(figure, dict) else figure
    met = "yes" if row.least <= median <= row.most else "**no**"
    return row.what, against, row.target, _range(figure, row.unit), met


def _range(figure: Any, unit: str) -> str:
    if not isinstance(figure, dict):
        return "–" if figure is None else f"{figure}{unit}"
    low, middle, high = (_number(figure[name]) for name in ("min", "median", "max"))
    return f"{middle}{unit} ({low}–{high})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if value < 0.9 or value >= 10 else f"{value:.2f}"


def _context(result: dict[str, Any]) -> str:
    m = result["machine"]
    libraries = ", ".join(f"{name} {m[name]}" for name in ("python", "torch", "textual", "plotext"))
    where = f"{m['cores']} cores of {m['processor']}, {m['memory_GiB']:g} GiB, {m['system']}"
    return f"{result['date'][:10]}, commit {result['commit']}, {where}, {libraries}"


def _rows(prefix: str, figures: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    for name, value in figures.items():
        words = f"{prefix}{name.replace('_', ' ')}"
        if not isinstance(value, dict):
            yield words, str(value), "", "", ""
        elif set(value) == set(SUMMARY_KEYS):
            low, middle, high = (f"{value[key]:,g}" for key in ("min", "median", "max"))
            yield words, middle, low, high, str(value["times"])
        else:
            yield from _rows(f"{words}: ", value)
