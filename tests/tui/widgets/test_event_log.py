"""The rows of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, chop_cells

from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.widgets.event_log import EventLog, wrapped
from tests.support.recorded import Recorded, run

Until = Callable[[Callable[[], object]], Awaitable[None]]


@given(st.text(st.sampled_from("ab 学习é"), max_size=60), st.integers(2, 30))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    """Rows fit, join to the whole line, and cut no word that fits; only the first has the time."""
    rows = wrapped((5.0, "info", text), width)
    words = [word for _, _, part in rows for word in part.split()]
    assert words == [piece for word in text.split() for piece in chop_cells(word, width)]
    assert all(cell_len(part) <= width for _, _, part in rows)
    assert [at for at, _, _ in rows] == [5.0] + [0.0] * (len(rows) - 1)


def test_a_number_stays_whole() -> None:
    """A row ends before the word that does not fit; the indentation stays."""
    text = "  test accuracy 0.9667  f1 0.01748  loss 0.0537"
    assert [part for _, _, part in wrapped((0.0, "info", text), 32)] == [
        "  test accuracy 0.9667  f1",
        "0.01748  loss 0.0537",
    ]


async def test_it_follows_the_end_until_a_person_scrolls_away(run_folder: RunFolder, wait_until: Until) -> None:
    """The log follows again after a person scrolls back to its end."""
    source = Recorded(run())
    app = StokerApp(run_folder, source=source)
    async with app.run_test(size=(80, 24)) as pilot:
        log = app.dashboard.query_one(EventLog)

        async def hear(number: int) -> None:
            lines = len(log._rows)
            source.more(*(e.Warned(message=f"warning {number}") for number in range(number)))
            await wait_until(lambda: len(log._rows) == lines + number)
            await pilot.pause()

        await wait_until(lambda: log._rows)
        await hear(30)
        await wait_until(lambda: log.scroll_y == log.max_scroll_y > 0)
        log.scroll_to(y=3, animate=False)
        await wait_until(lambda: log.scroll_y == 3)
        await hear(5)
        assert log.scroll_y == 3
        log.scroll_end(animate=False)
        await wait_until(lambda: log.scroll_y == log.max_scroll_y)
        await hear(5)
        await pilot.resize_terminal(120, 40)
        await wait_until(lambda: log.size.height > 4 and log.scroll_y == log.max_scroll_y)


async def test_it_can_be_scrolled_by_keys(run_folder: RunFolder, wait_until: Until) -> None:
    """A traceback may be longer than the log; a person without a mouse reads it too."""
    traceback = [e.Warned(at=0.0, message=f"line {number}") for number in range(100)]
    app = StokerApp(run_folder, source=Recorded([*run(), *traceback]))
    async with app.run_test(size=(80, 24)) as pilot:
        log = app.dashboard.query_one(EventLog)
        await wait_until(lambda: log.max_scroll_y > 50 and log.scroll_offset.y == log.max_scroll_y)
        end, page = log.max_scroll_y, log.scrollable_content_region.height
        for key, place in (("pageup", end - page), ("home", 0), ("pagedown", page), ("end", end)):
            await pilot.press(key)
            assert log.scroll_offset.y == place, key
        await pilot.press("L", "up", "up")
        assert (log.has_focus, log.scroll_offset.y) == (True, end - 2)
        await pilot.press("down", "escape")
        assert (log.has_focus, log.scroll_offset.y) == (False, end - 1)
        await pilot.press("L", "L")
        assert app.focused is None
        await pilot.press("up")
        assert "Reset view" in [active.binding.description for active in app.screen.active_bindings.values()]
        assert log.scroll_offset.y == end - 1


async def test_a_hidden_log_says_why_it_cannot_be_scrolled(run_folder: RunFolder, wait_until: Until) -> None:
    """A narrow terminal has no log."""
    app = StokerApp(run_folder, source=Recorded(run()))
    async with app.run_test(size=(40, 12)) as pilot:
        await wait_until(lambda: app.dashboard.view.caught_up)
        await pilot.press("L")
        assert "hidden" in "".join(notice.message for notice in app._notifications)
