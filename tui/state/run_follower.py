"""A run that is read on from where the last reading ended, for screens that show several."""

from __future__ import annotations

from typing import Any

from stoker.engine.errors import RunError
from stoker.engine.history.series import Dense, Sparse
from stoker.engine.runs.folder import RunFolder

from ..backend.source import History
from ..plotting.curve_cache import Derived
from .charts import NOTHING
from .comparison import settings_of
from .run_view import RunView


class Following:
    """A run's folder, its settings, and the view of all that was said so far."""

    def __init__(self, folder: RunFolder) -> None:
        """Nothing is read yet."""
        self.folder = folder
        self.view = RunView(folder.name)
        self.settings: dict[str, Any] = {}
        self._history = History(folder)
        self._derived = Derived()

    def read(self) -> None:
        """Take in what is new, however long that takes."""
        try:
            self.settings = settings_of(self.folder)
        except RunError:
            # Deleted meanwhile: what was read stays.
            return
        # Before reading: an engine that is gone by now has said everything it had to say.
        self.view.alive = self.folder.locked()
        while events := self._history.read():
            for event in events:
                self.view.apply(event)

    def curve(self, split: str, metric: str) -> Dense | Sparse:
        """Return a curve, an empty one where there is none; of several folds their mean."""
        folds = list(self.view.folds.values())
        if (split, metric) == ("train", "loss"):
            curves: list[Dense | Sparse] = [fold.train for fold in folds]
        else:
            curves = [fold.evaluated.get((split, metric), NOTHING) for fold in folds]
        return curves[0] if len(curves) == 1 else self._derived.band(curves)[0]
