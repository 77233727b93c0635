"""`stoker attach RUN --runs FOLDER` with its ticks watched: `python -m benchmarks.profiled OUT SECONDS PROFILE RUN FOLDER`.

Writes OUT.json: what each tick took, and what the app's thread took from one tick to the next; with PROFILE 1, OUT.pstats.
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

SETTLED = 3.0  # seconds until the dashboard is drawn and at rest


class Watch:
    """Stands in the place of the dashboard's tick."""

    def __init__(self, seconds: float, profile: cProfile.Profile | None) -> None:
        """Watch for `seconds`, once the dashboard has settled, then leave."""
        self.ticks: list[float] = []
        self.between: list[float] = []
        self._seconds, self._profile = seconds, profile
        self._tick = Dashboard.tick
        self._began = time.monotonic() + SETTLED
        self._used: float | None = None

    def tick(self, dashboard: Any) -> None:
        """Tick, and keep the seconds of CPU that it took."""
        now, used = time.monotonic(), time.thread_time()
        if now < self._began:
            self._tick(dashboard)
            return
        if self._used is not None:
            self.between.append(used - self._used)
        elif self._profile:
            self._profile.enable()
        self._used = used
        self._tick(dashboard)
        self.ticks.append(time.thread_time() - used)
        if now > self._began + self._seconds:
            if self._profile:
                self._profile.disable()
            dashboard.app.exit()


if __name__ == "__main__":
    out, seconds, wanted, run, folder = sys.argv[1:]
    # In CPU time: waiting for the next tick is no work.
    profile = cProfile.Profile(time.thread_time) if wanted == "1" else None
    watch = Watch(float(seconds), profile)

    def tick(dashboard: Dashboard) -> None:
        """Tick under watch."""
        watch.tick(dashboard)

    Dashboard.tick = tick  # type: ignore[method-assign]
    sys.argv[1:] = ["attach", run, "--runs", folder]
    try:
        main()
    finally:
        Path(f"{out}.json").write_text(json.dumps({"ticks": watch.ticks, "between": watch.between}))
        if profile:
            profile.dump_stats(f"{out}.pstats")
