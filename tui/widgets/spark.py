"""A curve in one row of characters."""

from __future__ import annotations

from collections.abc import Sequence

HEIGHTS = "▁▂▃▄▅▆▇█"


def spark(values: Sequence[float], width: int) -> str:
    """Return the finite `values` as `width` bars at most, from the lowest to the highest; empty with fewer than two."""
    if len(values) < 2:
        return ""
    count = min(width, len(values))
    # The newest value of each part, so that the last bar is the last value.
    kept = [values[(part + 1) * len(values) // count - 1] for part in range(count)]
    low, high = min(kept), max(kept)
    span = high - low
    levels = (round((value - low) / span * (len(HEIGHTS) - 1)) if span > 0 else 0 for value in kept)
    return "".join(HEIGHTS[level] for level in levels)
