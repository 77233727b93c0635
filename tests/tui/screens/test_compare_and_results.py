"""Comparison, results and export: what they show, and what they say where there is nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from stoker.engine.errors import RunError
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.screens.compare import Compare
from stoker.tui.screens.export import Export
from stoker.tui.screens.results import Results
from stoker.tui.state import result_tables as scores
from stoker.tui.widgets.compare_table import CompareTable
from stoker.tui.widgets.plot import Curve
from stoker.tui.widgets.screen_header import Title
from tests.support.evaluations import FOLDS, ONE, answers, text_of
from tests.support.recorded import folds, footed, settled
from tests.support.run_folders import COMPLETED, several, write

Until = Callable[[Callable[[], object]], Awaitable[None]]


async def test_what_differs_and_what_came_of_it(tmp_path: Path, until: Until) -> None:
    """The same settings are left out; the best of a row stands out."""
    app = StokerApp(first=Compare(several(tmp_path / "runs")))
    async with app.run_test(size=(160, 40)) as pilot:
        await until(lambda: any(table._rows for table in app.screen.query(CompareTable)))
        table = app.screen.query_one(CompareTable)
        shown = {row[0][0]: row[1:] for row in table._rows}
        assert [text for text, _ in shown["dropout"]] == ["0.2", "0.5", "0.5", "0.2"]
        assert "epochs" not in shown and "task" not in shown
        assert [look for _, look in shown["test loss"]].count("success") == 1
        assert "train loss" in str(app.screen.query_one(Title).render())
        for key, name in (
            ("t", "test loss"),
            ("tab", "test accuracy"),
            ("shift+tab", "test loss"),
            ("t", "train loss"),
        ):
            await pilot.press(key)
            assert " ".join(app.screen._shown) == name
        await pilot.press("l")
        assert "log axis" in str(app.screen.query_one(Title).render())


@pytest.mark.parametrize("key", ["t", "tab", "T"])
async def test_what_a_person_asked_for_is_drawn_at_once(tmp_path: Path, until: Until, key: str) -> None:
    """Other data, another metric, other colours: even where new points would wait."""
    app = StokerApp(first=Compare(several(tmp_path / "runs")))
    async with app.run_test(size=(160, 40)) as pilot:
        curve = app.screen.query_one(Curve)
        await until(lambda: app.screen.query_one(CompareTable)._rows)
        # The table takes its room from the plot.
        await pilot.pause()
        await until(lambda: settled(curve) and curve._picture and curve._picture.lines and footed(app.screen))
        before, curve._next = curve._picture, math.inf
        await pilot.press(key)
        await until(lambda: curve._picture != before)


async def test_folds_are_compared_as_their_mean(tmp_path: Path, until: Until) -> None:
    """In the plot and in the table; the run's last fold says little."""
    runs = [write(tmp_path / "runs", "folds", folds(540, 540, 540)), write(tmp_path / "runs", "one", COMPLETED)]
    app = StokerApp(first=Compare(runs))
    async with app.run_test(size=(160, 40)):
        await until(lambda: any(table._rows for table in app.screen.query(CompareTable)))
        shown = {row[0][0]: row[1:] for row in app.screen.query_one(CompareTable)._rows}
        followed = app.screen._runs[0]
        each = [fold.train.values[99] for fold in followed.view.folds.values()]
        assert followed.curve("train", "loss").values[99] == pytest.approx(statistics.fmean(each))
        lasts = [fold.evaluated["test", "loss"].last for fold in followed.view.folds.values()]
        assert shown["test loss"][0][0] == f"{statistics.fmean(lasts):.4g} ± {statistics.stdev(lasts):.2g}"
        assert "±" in shown["best loss"][0][0] and "at 225" in shown["best loss"][1][0]


@pytest.mark.parametrize("size", [(40, 12), (24, 12), (80, 24)])
async def test_a_screen_keeps_its_name_and_what_is_chosen(tmp_path: Path, until: Until, size: tuple[int, int]) -> None:
    """However narrow; and where the table has no room the plot says whose the curves are."""
    app = StokerApp(first=Compare(several(tmp_path / "runs")))
    async with app.run_test(size=size) as pilot:
        await until(lambda: any(table._rows for table in app.screen.query(CompareTable)))
        await pilot.press("t")
        await until(lambda: "test loss" in text_of(app).split("\n")[0])
        assert "compare" in text_of(app).split("\n")[0]
        await until(lambda: "━ digits" in text_of(app))


async def test_runs_without_a_word_and_deleted_ones_are_compared(tmp_path: Path, until: Until) -> None:
    """Nothing is drawn, nothing raises."""
    folders = [write(tmp_path / "runs", name, []) for name in ("a", "b")]
    (folders[1].path / "run.json").unlink()
    app = StokerApp(first=Compare(folders))
    async with app.run_test(size=(80, 24)):
        await until(lambda: "no run has train loss: m shows other metrics" in text_of(app))


async def test_a_classifier(folder: RunFolder, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics, classes and the matrix; the newest checkpoint is another key."""
    asked = answers(monkeypatch, ONE)
    app = StokerApp(first=Results(folder))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: "predicted" in text_of(app))
        text = text_of(app)
        for words in ("best.pt · step 540", "test data", "0.7500", "0.8570", "cat", "dog", "samples"):
            assert words in text, words
        assert "f" not in app.screen.active_bindings
        await pilot.press("l")
        await until(lambda: len(asked) == 2)
        assert asked[0] == ("evaluate", str(folder.path), "--json") and asked[1][-2] == "latest"


async def test_folds(folder: RunFolder, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """All together first, their counts added; then each."""
    answers(monkeypatch, FOLDS)
    app = StokerApp(first=Results(folder))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: "all 2 folds" in text_of(app))
        assert "± std" in text_of(app) and scores.choices(FOLDS)[0]["confusion"] == [[6, 2], [0, 8]]
        for words in ("fold 1 of 2", "fold 2 of 2", "all 2 folds"):
            await pilot.press("f")
            await until(lambda words=words: words in text_of(app))


async def test_what_cannot_be_measured_is_said(
    folder: RunFolder, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what can be done about it."""
    answers(monkeypatch, RunError("run one has no checkpoint [best]"))
    app = StokerApp(first=Results(folder))
    async with app.run_test(size=(80, 24)):
        await until(lambda: "run one has no checkpoint [best]" in text_of(app))
        assert "measures the latest" in text_of(app)


async def test_an_export_is_chosen_and_written(
    folder: RunFolder, until: Until, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Into a folder of the run's name; what comes of it is said."""
    asked = answers(monkeypatch, ONE)
    monkeypatch.chdir(tmp_path)
    app = StokerApp(first=Results(folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: "x" in app.screen.active_bindings)
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, Export))
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, Results))
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, Export))
        await pilot.press("down", "enter")
        await until(lambda: app._notifications)
    assert asked[-1] == ("export", str(folder.path), "--to", f"exports/{folder.name}/curves.png")


async def test_a_real_export_and_a_real_complaint(tmp_path: Path) -> None:
    """In a process of its own."""
    from stoker.tui.backend.cli_process import output

    folder = write(tmp_path / "runs", "one", COMPLETED)
    target = tmp_path / "metrics.csv"
    assert "wrote" in await output("export", str(folder.path), "--to", str(target)) and target.exists()
    with pytest.raises(RunError, match="no run"):
        await output("export", str(tmp_path / "none"), "--to", str(target))
