"""Every terminal size: less important panels are hidden first, and shown panels and words are not cut."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.screen import Screen

from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.screens.compare import Compare
from stoker.tui.screens.dashboard import Dashboard
from stoker.tui.screens.help import Help
from stoker.tui.screens.results import Results
from stoker.tui.screens.runs import RunsScreen
from stoker.tui.widgets.panel import Panel
from stoker.tui.widgets.sidebar import MIN_ROWS, Sidebar
from stoker.tui.widgets.system_panel import SystemPanel
from tests.support.evaluations import ONE, answers
from tests.support.recorded import Recorded, footed, run, time_of

Until = Callable[[Callable[[], object]], Awaitable[None]]
NOW = time_of(330) + 0.5
ALL = ["progress", "early", "checkpoints", "rate", "machine"]
SIZES = {
    (20, 6): ["progress"],
    (40, 12): ["progress"],
    (80, 16): ["progress", "checkpoints"],  # early stopping needs more rows than are left
    (80, 20): ["progress", "early"],
    (80, 24): ["progress", "early", "checkpoints", "rate"],
    (100, 28): ALL,
    (100, 30): ALL,
    (120, 40): ALL,
    (200, 60): ALL,
    (300, 80): ALL,
}

OF_A_RUN = {Dashboard: ["E", "X"], RunsScreen: ["e"], Compare: [], Results: ["x X", "E"]}  # keys in the help


def seen(app: StokerApp) -> list[str]:
    """Return the ids of the visible panels."""
    return [str(panel.id) for panel in app.dashboard.query_one(Sidebar).query(Panel) if panel.display]


def whole(app: StokerApp) -> bool:
    """Return True when every visible panel is whole; only the last one may be cut."""
    side = app.dashboard.query_one(Sidebar)
    panels = [panel for panel in side.query(Panel) if panel.display]
    inside = side.content_region.bottom
    return all(panel.region.bottom <= inside or panel is panels[0] for panel in panels) and all(
        panel.content_size.height == len(panel._rows) > 0 or panel in (panels[0], panels[-1]) for panel in panels
    )


@pytest.mark.parametrize("size", SIZES)
async def test_less_important_panels_are_hidden_first(
    run_folder: RunFolder, wait_until: Until, size: tuple[int, int]
) -> None:
    """Only the panel of the machine may be cut."""
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=size):
        await wait_until(lambda: app.dashboard.view.step == 330 and seen(app) == SIZES[size] and whole(app))
        machine = app.dashboard.query_one(SystemPanel)
        if SIZES[size] == ALL:
            await wait_until(
                lambda: machine._reading is not None and machine.content_size.height >= MIN_ROWS and whole(app)
            )
            assert "GPU" in "".join(text for text, _ in machine._rows[0])


@pytest.mark.parametrize("columns", [20, 40, 60, 71, 72])
async def test_the_way_out_stays_in_the_footer(run_folder: RunFolder, wait_until: Until, columns: int) -> None:
    """The footer keeps the Quit key when it is too narrow for all keys."""
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(columns, 24)) as pilot:
        await wait_until(lambda: app.dashboard.view.step == 330 and footed(app.screen))
        await pilot.pause()
        *_, last = app.screen._compositor.render_strips()
        assert last.text.rstrip().endswith(" q Quit")


async def test_resized_at_any_time(run_folder: RunFolder, wait_until: Until) -> None:
    """The screen is resized from the largest size to the smallest and back."""
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(40, 12)) as pilot:
        await wait_until(lambda: seen(app) == SIZES[40, 12])
        for size in ((300, 80), (80, 24), (20, 6), (300, 80), (40, 12), (100, 30), (1, 1), (120, 40)):
            await pilot.resize_terminal(*size)
            if size in SIZES:
                await wait_until(lambda size=size: seen(app) == SIZES[size] and whole(app))


@pytest.mark.parametrize("kind", [Dashboard, RunsScreen, Compare, Results])
async def test_help_has_no_row_of_two_lines(
    run_folder: RunFolder, wait_until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type
) -> None:
    """At 80 columns no row wraps; every screen has a title and a help text."""
    answers(monkeypatch, ONE)
    made: dict[type, Callable[[], Screen[None]]] = {
        RunsScreen: lambda: RunsScreen(tmp_path),
        Compare: lambda: Compare([run_folder]),
        Results: lambda: Results(run_folder),
    }
    app = StokerApp(run_folder, source=Recorded(run())) if kind is Dashboard else StokerApp(first=made[kind]())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(lambda: isinstance(app.screen, kind))
        assert app.screen.TITLE and app.screen.HELP
        await pilot.press("question_mark")
        await wait_until(lambda: isinstance(app.screen, Help) and app.screen.query("Static"))
        await pilot.pause()
        for part in app.screen.query("Static"):
            rows = str(part.render()).split("\n")
            assert part.id == "about" or part.content_size.height == len(rows), rows
        listed = {words: " ".join(keys) for rows in app.screen._groups.values() for words, keys in rows.items()}
        assert [keys for (words, _), keys in listed.items() if words in ("Results", "Export", "Back")] == OF_A_RUN[kind]
        rows = "\n".join(str(part.render()) for part in app.screen.query("Static")).split("\n")
        begin = {row.index(f" {about}") for _, about in listed for row in rows if row.endswith(f" {about}")}
        assert len(begin) == 1
