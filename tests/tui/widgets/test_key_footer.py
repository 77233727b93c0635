"""The footer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import events
from textual.widgets._footer import FooterKey

from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from tests.support.recorded import Recorded, run, time_of

Until = Callable[[Callable[[], object]], Awaitable[None]]
NOW = time_of(330) + 0.5


async def test_the_footer_follows_without_focus(run_folder: RunFolder, wait_until: Until) -> None:
    """A run may be watched in a window that does not have the focus."""
    source = Recorded(run())
    app = StokerApp(run_folder, source=source, clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:

        def shown() -> list[str]:
            return [key.description for key in app.dashboard.query(FooterKey)]

        await wait_until(lambda: "Pause" in shown())
        app.post_message(events.AppBlur())
        await pilot.pause()
        source.more(e.Paused(at=NOW, step=330))
        await wait_until(lambda: "Continue" in shown() and "Pause" not in shown())
