"""Curves made from others, kept from one look to the next: running means, and bands of several folds."""

from __future__ import annotations

from collections.abc import Sequence

from stoker.engine.history.bands import Band, Edges
from stoker.engine.history.series import Dense, Sparse
from stoker.engine.history.smoothing import Smooth, SmoothPoints


class Derived:
    """Makes each once; what it is made from is held, so that no other takes its place."""

    def __init__(self) -> None:
        """Start without a running mean."""
        self.width = 0
        """Steps of the running mean; 0 is none."""
        self._means: dict[tuple[int, int], Smooth | SmoothPoints] = {}
        self._bands: dict[tuple[int, ...], Band] = {}

    def mean(self, curve: Dense | Sparse) -> Dense | Sparse:
        """Return the running mean, or `curve` itself where there is none or where no two points share one."""
        if not self.width or not curve.length:
            return curve
        key = id(curve), self.width
        if key not in self._means:
            new = Smooth(curve, self.width) if isinstance(curve, Dense) else SmoothPoints(curve, self.width)
            self._means = {old: mean for old, mean in self._means.items() if old[1] == self.width} | {key: new}
        return self._means[key].curve()

    def band(self, curves: Sequence[Dense | Sparse]) -> Edges:
        """Return mean, low and high of `curves`."""
        key = tuple(map(id, curves))
        if key not in self._bands:
            self._bands[key] = Band(curves)
        return self._bands[key].edges()
