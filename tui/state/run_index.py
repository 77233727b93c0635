"""The rows of a folder of runs, read again and again: a run that did not change is not read twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from stoker.engine.runs.folder import RunFolder, list_runs

from .run_summary import Row, summarise

Signature = tuple[object, ...]


class Catalogue:
    """The runs in one folder."""

    def __init__(self, runs: Path, clock: Callable[[], float]) -> None:
        """List the runs in `runs`, which need not exist yet; `clock` is in Unix seconds."""
        self.runs = runs
        self._clock = clock
        self._known: dict[str, tuple[Signature, float, Row]] = {}

    def read(self) -> list[Row]:
        """Return a row each run, the newest begun first; it may take long, so not in the screen's thread."""
        now = self._clock()
        known: dict[str, tuple[Signature, float, Row]] = {}
        for folder in list_runs(self.runs):
            signature = _signature(folder)
            before = self._known.get(folder.name)
            if before is None or before[0] != signature:
                before = (signature, now, summarise(folder, now))
            known[folder.name] = before
        self._known = known
        rows = [replace(row, age=row.age + now - read) for _, read, row in known.values()]
        return sorted(rows, key=lambda row: (row.started, row.run), reverse=True)


def _signature(folder: RunFolder) -> Signature:
    found: list[object] = [folder.locked()]
    for path in (folder.events, folder.path / "run.json"):
        try:
            status = path.stat()
            found += (status.st_mtime_ns, status.st_size)
        except OSError:
            found.append(None)
    return tuple(found)
