"""The summary of what happened while the person was away, on attach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.app.preferences import PreferencesFile
from tests.support.recorded import Recorded, run, time_of

Until = Callable[[Callable[[], object]], Awaitable[None]]


async def test_a_run_that_moved_on_says_what_happened(run_folder: RunFolder, tmp_path: Path, wait_until: Until) -> None:
    """The second look shows what is new since the first, until a key is pressed."""
    path = tmp_path / "choices.json"
    first = StokerApp(
        run_folder, source=Recorded(run(200)), clock=lambda: time_of(200), preferences=PreferencesFile(path)
    )
    async with first.run_test(size=(120, 40)):
        await wait_until(lambda: first.dashboard.view.caught_up)
        assert not first.dashboard.query_one("#hints").display
    now = time_of(200) + 3600
    later = StokerApp(run_folder, source=Recorded(run(330)), clock=lambda: now, preferences=PreferencesFile(path))
    async with later.run_test(size=(120, 40)) as pilot:
        line = later.dashboard.query_one("#hints")
        await wait_until(lambda: line.display)
        assert str(line.render()).startswith("since you left, 1 h ago: step 195 → 330 · loss ")
        await pilot.press("left")
        await wait_until(lambda: not line.display)
