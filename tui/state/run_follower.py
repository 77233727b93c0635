"""A run that is read repeatedly; each reading starts at the end of the last one."""

from __future__ import annotations

from typing import Any

from stoker.engine.errors import RunError
from stoker.engine.history.history import RunHistory
from stoker.engine.history.series import Series
from stoker.engine.runs.folder import RunFolder

from ..backend.source import EventReader
from ..plotting.curve_cache import CurveCache
from .charts import EMPTY
from .comparison import settings_of


class RunFollower:
    """A run's folder, settings and history, for screens with several runs."""

    def __init__(self, folder: RunFolder) -> None:
        """Read nothing yet."""
        self.folder = folder
        self.history = RunHistory(folder.name)
        self.settings: dict[str, Any] = {}
        self._events = EventReader(folder)
        self._cache = CurveCache()

    def read(self) -> None:
        """Apply all new events; this may take long, so call it in a thread."""
        try:
            self.settings = settings_of(self.folder)
        except RunError:
            # The run was deleted meanwhile: keep the history read so far.
            return
        # Ask before reading: an engine that has ended by now has written all its events.
        self.history.alive = self.folder.locked()
        while events := self._events.read():
            for event in events:
                self.history.apply(event)

    def curve(self, split: str, metric: str) -> Series:
        """Return a curve, the mean of several folds; an empty curve if there is none."""
        folds = list(self.history.folds.values())
        if (split, metric) == ("train", "loss"):
            curves: list[Series] = [fold.train for fold in folds]
        else:
            curves = [fold.evaluated.get((split, metric), EMPTY) for fold in folds]
        return curves[0] if len(curves) == 1 else self._cache.band(curves)[0]
