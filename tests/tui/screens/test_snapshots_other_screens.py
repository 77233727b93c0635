"""Snapshots of the other screens. Inspect each snapshot before you accept it by `pytest --snapshot-update`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.screens.compare import Compare
from stoker.tui.screens.results import Results
from stoker.tui.screens.runs import RunsScreen
from stoker.tui.widgets.compare_table import CompareTable
from stoker.tui.widgets.plot import PlotWidget
from stoker.tui.widgets.runs_table import RunsTable
from tests.support.evaluations import FOLDS, answers
from tests.support.recorded import footed, settled
from tests.support.run_folders import NOW, several

Until = Callable[[Callable[[], object]], Awaitable[None]]
SIZES = [(80, 24), (120, 40), (200, 60)]
THEMES = ["textual-dark", "textual-light"]
LEAST_TABLE = 40  # columns of the table once it has content
NUMBERS = [str(number) for number in range(10)]
MATRIX = [
    [36 - (number == 8) * 9 if at == number else int((number * 7 + at * 3) % 19 == 0) * 2 for at in range(10)]
    for number in range(10)
]
DIGITS = {
    "run": "digits-dropout-0.2", "checkpoint": "best.pt", "step": 225, "split": "test",
    "metrics": {"loss": 0.1242, "accuracy": 0.9639, "f1": 0.9632}, "classes": NUMBERS, "confusion": MATRIX,
    "per_class": [{"precision": 1 - n / 40, "recall": row[n] / sum(row), "f1": 0.97, "support": sum(row)}
                  for n, row in enumerate(MATRIX)],
}  # fmt: skip


class Photographer:
    """Compares a screen with its snapshot once the screen no longer changes."""

    def __init__(self, snap_compare: Callable[..., bool], wait_until: Until) -> None:
        self._compare, self._until = snap_compare, wait_until

    def __call__(
        self,
        first: Screen[Any],
        size: tuple[int, int],
        ready: Callable[[Screen[Any]], object],
        *keys: str,
        theme: str = "",
        after: Callable[[Screen[Any]], object] | None = None,
    ) -> bool:
        app = StokerApp(first=first, runs=Path("runs"))
        app.theme = theme or THEMES[0]

        async def settle(pilot: Pilot[None]) -> None:
            await self._until(lambda: app.screen is first and ready(first))
            await self._settled(app, pilot)
            for key in keys:
                await pilot.press(key)
            await self._settled(app, pilot)
            # A key may change a table's width, and with it the place of the table.
            if after is not None:
                await self._until(lambda: after(first))
                await self._settled(app, pilot)

        return self._compare(app, terminal_size=size, run_before=settle)

    async def _settled(self, app: StokerApp, pilot: Pilot[None]) -> None:
        # New rows move the table and the plot, which is drawn again: check several times.
        for _ in range(3):
            await app.workers.wait_for_complete()
            await pilot.pause()
            await self._until(lambda: footed(app.screen) and all(map(settled, app.screen.query(PlotWidget))))


@pytest.fixture
def picture_of(snap_compare: Callable[..., bool], wait_until: Until) -> Photographer:
    """Return a function that compares a screen with its snapshot."""
    return Photographer(snap_compare, wait_until)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[RunFolder]:
    """Return recorded runs in ./runs."""
    monkeypatch.chdir(tmp_path)
    return several(Path("runs"))


def four(screen: Screen[Any]) -> bool:
    """Return True when all runs are listed."""
    return screen.query_one(RunsTable).row_count == 4


def compared(screen: Screen[Any]) -> bool:
    """Return True when the runs are read and the table is at its place: beside the plot if narrow."""
    wide = screen.query_one(CompareTable).virtual_size.width
    return wide > LEAST_TABLE and screen.has_class("-beside") == (wide <= screen.size.width * 0.45)


def measured(screen: Screen[Any]) -> bool:
    """Return True when the results are shown."""
    return bool(screen.query_one("#measured").display)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_runs(picture_of: Photographer, folders: list[RunFolder], size: tuple[int, int], theme: str) -> None:
    """The list with two marked runs."""
    keys = ("space", "down", "space")
    assert picture_of(RunsScreen(Path("runs"), lambda: NOW), size, four, *keys, theme=theme)


def test_no_runs(picture_of: Photographer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder shows how to start a run."""
    monkeypatch.chdir(tmp_path)
    screen = RunsScreen(Path("runs"), lambda: NOW)
    assert picture_of(screen, (80, 24), lambda screen: screen.query_one("#empty").display)


def test_runs_filtered(picture_of: Photographer, folders: list[RunFolder]) -> None:
    """The list while a person types a filter."""
    assert picture_of(RunsScreen(Path("runs"), lambda: NOW), (80, 24), four, "slash", *"dropout")


def test_delete_is_asked(picture_of: Photographer, folders: list[RunFolder]) -> None:
    """The question names the run."""
    assert picture_of(RunsScreen(Path("runs"), lambda: NOW), (80, 24), four, "ctrl+d")


@pytest.mark.parametrize(("run", "theme"), [(2, THEMES[0]), (3, THEMES[1])])
def test_more_is_asked_for(picture_of: Photographer, folders: list[RunFolder], run: int, theme: str) -> None:
    """The questions for a run that stopped early and for a completed one."""
    keys = (*["down"] * run, "r")
    assert picture_of(RunsScreen(Path("runs"), lambda: NOW), (80, 24), four, *keys, theme=theme)


def test_help_of_the_runs(picture_of: Photographer, folders: list[RunFolder]) -> None:
    """The help in groups of keys."""
    assert picture_of(RunsScreen(Path("runs"), lambda: NOW), (80, 40), four, "question_mark")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(40, 12), *SIZES])
def test_compare(picture_of: Photographer, folders: list[RunFolder], size: tuple[int, int], theme: str) -> None:
    """The test losses of four runs."""
    assert picture_of(Compare(folders), size, compared, "t", theme=theme, after=compared)


@pytest.mark.parametrize("theme", [*THEMES, "high-contrast"])
@pytest.mark.parametrize("size", SIZES)
def test_results(
    picture_of: Photographer, run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], theme: str
) -> None:
    """The results of a classifier with ten classes."""
    answers(monkeypatch, DIGITS)
    assert picture_of(Results(run_folder), size, measured, theme=theme)


@pytest.mark.parametrize(("keys", "theme"), [((), THEMES[0]), (("f",), THEMES[1])])
def test_results_of_folds(
    picture_of: Photographer, run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], theme: str
) -> None:
    """The results of all folds, and of the first fold."""
    answers(monkeypatch, FOLDS)
    assert picture_of(Results(run_folder), (80, 24), measured, *keys, theme=theme)


@pytest.mark.parametrize("theme", THEMES)
def test_export(picture_of: Photographer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    """The question with all export formats."""
    answers(monkeypatch, DIGITS)
    folder = runs.create(tmp_path, "digits", "digits-recorded", {})
    assert picture_of(Results(folder), (80, 24), measured, "x", theme=theme)


def test_what_cannot_be_measured(
    picture_of: Photographer, run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The screen shows the error of the engine."""
    answers(monkeypatch, ValueError("run digits-recorded has no checkpoint best"))
    screen = Results(run_folder)
    assert picture_of(
        screen, (80, 24), lambda screen: "no checkpoint" in str(screen.query_one("#waiting", Static).render())
    )
