"""The run folder of a training of another library, and its newest checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..loop.folder import Resume, open_folder
from ..runs.events import CheckpointSaved
from ..runs.folder import RunFolder
from ..runs.journal import EventFollower
from ..runtime.open_runs import check_none_open


@dataclass
class Opening:
    """Where the run of a training is, and what is recorded about it."""

    name: str | None = None
    runs: str | os.PathLike[str] = "runs"
    resume: Resume = "never"
    config: Mapping[str, Any] | None = None
    _found: tuple[RunFolder, bool] | None = field(default=None, repr=False)

    def folder(self) -> tuple[RunFolder, bool]:
        """Return the run's folder, made once, and whether it may hold an earlier part of the run."""
        if self._found is None:
            check_none_open()
            settings = {"seed": None}
            self._found = open_folder(Path(self.runs), self.name, self.resume, dict(self.config or {}), settings)
        return self._found

    def checkpoint(self) -> str | None:
        """Return the newest complete checkpoint of an earlier part of the run, as its events record it, or None."""
        folder, resumes = self.folder()
        found = EventFollower(folder.events) if resumes else None
        paths = []
        while found is not None and (events := found.read_events()):
            paths += [event.path for event in events if isinstance(event, CheckpointSaved)]
        existing = [path for path in paths if (folder.path / path).exists()]
        return str(folder.path / existing[-1]) if existing else None
