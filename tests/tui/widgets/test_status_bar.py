"""The top line of the dashboard."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import msgspec

from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.widgets.status_bar import StatusBar
from tests.support.recorded import Recorded, started

Until = Callable[[Callable[[], object]], Awaitable[None]]


async def test_the_clock_counts_while_a_run_is_loading(run_folder: RunFolder, wait_until: Until) -> None:
    """It counts from the start of the run, later from the request of an engine; then it is the trained time."""
    now = [time.time()]
    run_folder.write_record(msgspec.structs.replace(run_folder.record(), started=now[0] - 79))
    source = Recorded([])
    app = StokerApp(run_folder, source=source, clock=lambda: now[0])
    async with app.run_test(size=(120, 40)):
        bar = app.dashboard.query_one(StatusBar)
        await wait_until(lambda: "loading" in bar.render_line(0).text and "1:19" in bar.render_line(0).text)
        now[0] += 600
        app.dashboard.engine_requested()
        now[0] += 4
        await wait_until(lambda: bar.render_line(0).text.split()[-1] == "4s")
        source.more(started(at=now[0]))
        await wait_until(lambda: "training" in bar.render_line(0).text and bar.render_line(0).text.split()[-1] == "0s")
