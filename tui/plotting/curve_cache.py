"""Curves made from other curves, kept between frames: running means, and bands of several folds."""

from __future__ import annotations

from collections.abc import Sequence

from stoker.engine.history.bands import Edges, FoldBand
from stoker.engine.history.series import Series, StepSeries
from stoker.engine.history.smoothing import SmoothPoints, SmoothSteps


class CurveCache:
    """A cache keyed by `id()` of the source curves. It keeps them alive, so that an id is never reused."""

    def __init__(self) -> None:
        """Start without a running mean."""
        self.width = 0
        """The steps of the running mean; 0 for none."""
        self.smooth_points = True
        """Smooth the evaluated curves too, and not only the curves with one value for each step."""
        self._means: dict[tuple[int, int], SmoothSteps | SmoothPoints] = {}
        self._bands: dict[tuple[int, ...], FoldBand] = {}

    def mean(self, curve: Series) -> Series:
        """Return the running mean; `curve` itself without smoothing, or if no two points fall into one window."""
        if not self.width or not curve.length or not (self.smooth_points or isinstance(curve, StepSeries)):
            return curve
        key = id(curve), self.width
        if key not in self._means:
            new = SmoothSteps(curve, self.width) if isinstance(curve, StepSeries) else SmoothPoints(curve, self.width)
            self._means = {old: mean for old, mean in self._means.items() if old[1] == self.width} | {key: new}
        return self._means[key].curve()

    def band(self, curves: Sequence[Series]) -> Edges:
        """Return the mean, the lower and the upper edge of `curves`."""
        key = tuple(map(id, curves))
        if key not in self._bands:
            self._bands[key] = FoldBand(curves)
        return self._bands[key].edges()
