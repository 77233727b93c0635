"""A measured `stoker attach`: `python -m benchmarks.harness.profiled_dashboard OUT SECONDS PROFILE RUN FOLDER`.

Writes OUT.json: CPU seconds of each tick, and of the app's thread from one tick to the next. With PROFILE 1 it also
writes OUT.pstats.
"""

from __future__ import annotations

import cProfile
import json
import sys
import time
from pathlib import Path
from typing import Any

from stoker.tui.cli.main import main
from stoker.tui.screens.dashboard import Dashboard

SETTLE_TIME = 3.0  # seconds until the dashboard is drawn completely


class TickTimer:
    """Replaces the dashboard's tick and measures it."""

    def __init__(self, seconds: float, profile: cProfile.Profile | None) -> None:
        """Measure for `seconds` after the dashboard has settled, then close it."""
        self.ticks: list[float] = []
        self.between: list[float] = []
        self._seconds, self._profile = seconds, profile
        self._tick = Dashboard.tick
        self._start = time.monotonic() + SETTLE_TIME
        self._last: float | None = None

    def tick(self, dashboard: Any) -> None:
        """Run the dashboard's own tick and record its CPU seconds."""
        now, used = time.monotonic(), time.thread_time()
        if now < self._start:
            self._tick(dashboard)
            return
        if self._last is not None:
            self.between.append(used - self._last)
        elif self._profile:
            self._profile.enable()
        self._last = used
        self._tick(dashboard)
        self.ticks.append(time.thread_time() - used)
        if now > self._start + self._seconds:
            if self._profile:
                self._profile.disable()
            dashboard.app.exit()


if __name__ == "__main__":
    out, seconds, wanted, run, folder = sys.argv[1:]
    # The profiler counts CPU time, because waiting for the next tick is not work.
    profile = cProfile.Profile(time.thread_time) if wanted == "1" else None
    timer = TickTimer(float(seconds), profile)

    def tick(dashboard: Dashboard) -> None:
        """Run a measured tick."""
        timer.tick(dashboard)

    Dashboard.tick = tick  # type: ignore[assignment]
    sys.argv[1:] = ["attach", run, "--runs", folder]
    try:
        main()
    finally:
        Path(f"{out}.json").write_text(json.dumps({"ticks": timer.ticks, "between": timer.between}))
        if profile:
            profile.dump_stats(f"{out}.pstats")
