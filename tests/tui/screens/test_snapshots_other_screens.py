"""Pictures of the screens around the dashboard; look at each before `pytest --snapshot-update` accepts it."""

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
from stoker.tui.screens.runs import Runs
from stoker.tui.widgets.compare_table import CompareTable
from stoker.tui.widgets.plot import Curve
from stoker.tui.widgets.runs_table import RunsTable
from tests.support.evaluations import FOLDS, answers
from tests.support.recorded import footed, settled
from tests.support.run_folders import NOW, several

Until = Callable[[Callable[[], object]], Awaitable[None]]
SIZES = [(80, 24), (120, 40), (200, 60)]
THEMES = ["textual-dark", "textual-light"]
LEAST_TABLE = 40  # columns of the table once it has any
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
    """Takes a picture of a screen that has settled."""

    def __init__(self, snap_compare: Callable[..., bool], until: Until) -> None:
        self._compare, self._until = snap_compare, until

    def __call__(
        self,
        first: Screen[Any],
        size: tuple[int, int],
        ready: Callable[[Screen[Any]], object],
        *keys: str,
        theme: str = "",
    ) -> bool:
        app = StokerApp(first=first, runs=Path("runs"))
        app.theme = theme or THEMES[0]

        async def settle(pilot: Pilot[None]) -> None:
            await self._until(lambda: app.screen is first and ready(first))
            await self._settled(app, pilot)
            for key in keys:
                await pilot.press(key)
            await self._settled(app, pilot)

        return self._compare(app, terminal_size=size, run_before=settle)

    async def _settled(self, app: StokerApp, pilot: Pilot[None]) -> None:
        # What was read may move a table, and that a plot, which is drawn once more: so it takes several looks.
        for _ in range(3):
            await app.workers.wait_for_complete()
            await pilot.pause()
            await self._until(lambda: footed(app.screen) and all(map(settled, app.screen.query(Curve))))


@pytest.fixture
def picture_of(snap_compare: Callable[..., bool], until: Until) -> Photographer:
    """Compares a screen with its picture."""
    return Photographer(snap_compare, until)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[RunFolder]:
    """Runs in ./runs."""
    monkeypatch.chdir(tmp_path)
    return several(Path("runs"))


def four(screen: Screen[Any]) -> bool:
    """Say whether all runs are listed."""
    return screen.query_one(RunsTable).row_count == 4


def compared(screen: Screen[Any]) -> bool:
    """Say whether the runs were read, and the table has its place: beside the plot where it takes less than half."""
    wide = screen.query_one(CompareTable).virtual_size.width
    return wide > LEAST_TABLE and screen.has_class("-beside") == (wide <= screen.size.width * 0.45)


def measured(screen: Screen[Any]) -> bool:
    """Say whether the results are there."""
    return bool(screen.query_one("#measured").display)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_runs(picture_of: Photographer, folders: list[RunFolder], size: tuple[int, int], theme: str) -> None:
    """Two are marked."""
    keys = ("space", "down", "space")
    assert picture_of(Runs(Path("runs"), lambda: NOW), size, four, *keys, theme=theme)


def test_no_runs(picture_of: Photographer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to do then."""
    monkeypatch.chdir(tmp_path)
    screen = Runs(Path("runs"), lambda: NOW)
    assert picture_of(screen, (80, 24), lambda screen: screen.query_one("#empty").display)


def test_runs_filtered(picture_of: Photographer, folders: list[RunFolder]) -> None:
    """While it is typed."""
    assert picture_of(Runs(Path("runs"), lambda: NOW), (80, 24), four, "slash", *"dropout")


def test_delete_is_asked(picture_of: Photographer, folders: list[RunFolder]) -> None:
    """With its name."""
    assert picture_of(Runs(Path("runs"), lambda: NOW), (80, 24), four, "x")


@pytest.mark.parametrize(("run", "theme"), [(2, THEMES[0]), (3, THEMES[1])])
def test_more_is_asked_for(picture_of: Photographer, folders: list[RunFolder], run: int, theme: str) -> None:
    """Of a run that was stopped early, and of one that is complete."""
    keys = (*["down"] * run, "r")
    assert picture_of(Runs(Path("runs"), lambda: NOW), (80, 24), four, *keys, theme=theme)


def test_help_of_the_runs(picture_of: Photographer, folders: list[RunFolder]) -> None:
    """In groups."""
    assert picture_of(Runs(Path("runs"), lambda: NOW), (80, 40), four, "question_mark")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(40, 12), *SIZES])
def test_compare(picture_of: Photographer, folders: list[RunFolder], size: tuple[int, int], theme: str) -> None:
    """Test losses."""
    assert picture_of(Compare(folders), size, compared, "t", theme=theme)


@pytest.mark.parametrize("theme", [*THEMES, "high-contrast"])
@pytest.mark.parametrize("size", SIZES)
def test_results(
    picture_of: Photographer, folder: RunFolder, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], theme: str
) -> None:
    """Of ten classes."""
    answers(monkeypatch, DIGITS)
    assert picture_of(Results(folder), size, measured, theme=theme)


@pytest.mark.parametrize(("keys", "theme"), [((), THEMES[0]), (("f",), THEMES[1])])
def test_results_of_folds(
    picture_of: Photographer, folder: RunFolder, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], theme: str
) -> None:
    """All of them, and the first."""
    answers(monkeypatch, FOLDS)
    assert picture_of(Results(folder), (80, 24), measured, *keys, theme=theme)


@pytest.mark.parametrize("theme", THEMES)
def test_export(picture_of: Photographer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    """What there is to write."""
    answers(monkeypatch, DIGITS)
    folder = runs.create(tmp_path, "digits", "digits-recorded", {})
    assert picture_of(Results(folder), (80, 24), measured, "x", theme=theme)


def test_what_cannot_be_measured(picture_of: Photographer, folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the engine's words."""
    answers(monkeypatch, ValueError("run digits-recorded has no checkpoint best"))
    screen = Results(folder)
    assert picture_of(
        screen, (80, 24), lambda screen: "no checkpoint" in str(screen.query_one("#waiting", Static).render())
    )
