"""The runs of a folder, listed repeatedly; an unchanged run is not read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from stoker.engine.runs.folder import RunFolder, scan_runs

from .run_summary import RunSummary, summarise

Signature = tuple[object, ...]


class RunIndex:
    """The summaries of the runs in one folder."""

    def __init__(self, runs: Path, clock: Callable[[], float]) -> None:
        """List the runs in `runs`, which need not exist yet; `clock` returns Unix seconds."""
        self.runs = runs
        self._clock = clock
        self.unreadable = 0
        """Folders that may not be read, at the last read."""
        self._known: dict[str, tuple[Signature, float, RunSummary]] = {}

    def read(self) -> list[RunSummary]:
        """Return one summary for each run, newest start first; this may take long, so call it in a thread."""
        now = self._clock()
        known: dict[str, tuple[Signature, float, RunSummary]] = {}
        folders, self.unreadable = scan_runs(self.runs)
        for folder in folders:
            signature = _signature(folder)
            before = self._known.get(folder.name)
            if before is None or before[0] != signature:
                before = (signature, now, summarise(folder, now))
            known[folder.name] = before
        self._known = known
        rows = [replace(row, age=row.age + now - read) for _, read, row in known.values()]
        return sorted(rows, key=lambda row: (row.started, row.run), reverse=True)


def _signature(folder: RunFolder) -> Signature:
    """Return a value that changes whenever the run changes: its lock, and time and size of its files."""
    found: list[object] = [folder.locked()]
    for path in (folder.events, folder.path / "run.json"):
        try:
            status = path.stat()
            found += (status.st_mtime_ns, status.st_size)
        except OSError:
            found.append(None)
    return tuple(found)
