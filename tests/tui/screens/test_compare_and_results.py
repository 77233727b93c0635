"""The screens of comparison, results and export, also without data."""

from __future__ import annotations

import math
import statistics
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from stoker.engine.errors import RunError
from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.screens.compare import Compare
from stoker.tui.screens.export import Export
from stoker.tui.screens.results import Results
from stoker.tui.state import result_tables as tables
from stoker.tui.widgets.compare_table import CompareTable
from stoker.tui.widgets.plot import PlotWidget
from stoker.tui.widgets.screen_header import ScreenHeader
from tests.support.evaluations import FOLDS, ONE, answers, text_of
from tests.support.recorded import folds, footed, settled, started
from tests.support.run_folders import COMPLETED, several, write

Until = Callable[[Callable[[], object]], Awaitable[None]]


async def test_differing_settings_and_results_are_shown(tmp_path: Path, wait_until: Until) -> None:
    """Equal settings are left out; the best value of a row is highlighted."""
    app = StokerApp(first=Compare(several(tmp_path / "runs")))
    async with app.run_test(size=(160, 40)) as pilot:
        await wait_until(lambda: any(table._rows for table in app.screen.query(CompareTable)))
        table = app.screen.query_one(CompareTable)
        shown = {row[0][0]: row[1:] for row in table._rows}
        assert [text for text, _ in shown["dropout"]] == ["0.2", "0.5", "0.5", "0.2"]
        assert "epochs" not in shown and "task" not in shown
        assert [look for _, look in shown["test loss"]].count("success") == 1
        assert app.screen._shown == ("test", "loss"), "the monitored metric comes first"
        for key, name in (
            ("t", "train loss"),
            ("t", "test loss"),
            ("tab", "test accuracy"),
            ("shift+tab", "test loss"),
            ("t", "train loss"),
        ):
            await pilot.press(key)
            assert " ".join(app.screen._shown) == name
        await pilot.press("l")
        assert "log axis" in str(app.screen.query_one(ScreenHeader).render())


@pytest.mark.parametrize("key", ["t", "tab", "T"])
async def test_a_persons_choice_is_drawn_at_once(tmp_path: Path, wait_until: Until, key: str) -> None:
    """Another split, metric or theme is drawn at once, even when new points would wait."""
    app = StokerApp(first=Compare(several(tmp_path / "runs")))
    async with app.run_test(size=(160, 40)) as pilot:
        curve = app.screen.query_one(PlotWidget)
        await wait_until(lambda: app.screen.query_one(CompareTable)._rows)
        # A growing table makes the plot smaller.
        await pilot.pause()
        await wait_until(lambda: settled(curve) and curve._layout and curve._layout.lines and footed(app.screen))
        before, curve._next_draw = curve._layout, math.inf
        await pilot.press(key)
        await wait_until(lambda: curve._layout != before)


async def test_folds_are_compared_as_their_mean(tmp_path: Path, wait_until: Until) -> None:
    """The plot and the table show the mean of the folds, not the last fold."""
    runs = [write(tmp_path / "runs", "folds", folds(540, 540, 540)), write(tmp_path / "runs", "one", COMPLETED)]
    app = StokerApp(first=Compare(runs))
    async with app.run_test(size=(160, 40)):
        await wait_until(lambda: any(table._rows for table in app.screen.query(CompareTable)))
        shown = {row[0][0]: row[1:] for row in app.screen.query_one(CompareTable)._rows}
        followed = app.screen._runs[0]
        each = [fold.train.values[99] for fold in followed.history.folds.values()]
        assert followed.curve("train", "loss").values[99] == pytest.approx(statistics.fmean(each))
        lasts = [fold.evaluated["test", "loss"].last for fold in followed.history.folds.values()]
        assert shown["test loss"][0][0] == f"{statistics.fmean(lasts):.4g} ± {statistics.stdev(lasts):.2g}"
        assert "±" in shown["best loss"][0][0] and "at 225" in shown["best loss"][1][0]


async def test_the_best_value_follows_the_direction_of_the_event(tmp_path: Path, wait_until: Until) -> None:
    """The direction in `run_started` decides which value is marked; an unknown metric has no mark."""
    for name, directions, best in (
        ("told", {"zorp": "lower", "mae": "higher"}, {"zorp": 0, "mae": 1}),
        ("old", {}, {"mae": 0}),
    ):
        runs = []
        for number, value in enumerate((0.25, 0.5)):
            event = msgspec.structs.replace(started(), metrics=directions)
            measured = e.Evaluated(step=45, metrics={"zorp": value, "mae": value, "accuracy": value})
            runs.append(write(tmp_path / name, f"run-{number}", [event, measured]))
        app = StokerApp(first=Compare(runs))
        async with app.run_test(size=(120, 40)):
            await wait_until(lambda app=app: any(table._rows for table in app.screen.query(CompareTable)))
            rows = {row[0][0]: row[1:] for row in app.screen.query_one(CompareTable)._rows}
            marked = {metric: [cell[1] for cell in rows[f"test {metric}"]] for metric in ("zorp", "mae", "accuracy")}
        for metric, styles in marked.items():
            index = {"accuracy": 1, **best}.get(metric)
            assert styles == ["success" if place == index else "" for place in range(2)]


@pytest.mark.parametrize("size", [(40, 12), (24, 12), (80, 24)])
async def test_the_header_keeps_its_name_and_the_choice(
    tmp_path: Path, wait_until: Until, size: tuple[int, int]
) -> None:
    """The header keeps both on a narrow screen; without the table the plot names the curves."""
    app = StokerApp(first=Compare(several(tmp_path / "runs")))
    async with app.run_test(size=size) as pilot:
        await wait_until(lambda: any(table._rows for table in app.screen.query(CompareTable)))
        await pilot.press("t")
        await wait_until(lambda: "train loss" in text_of(app).split("\n")[0])
        assert "compare" in text_of(app).split("\n")[0]
        await wait_until(lambda: "━ digits" in text_of(app))


async def test_runs_without_events_and_deleted_runs_are_compared(tmp_path: Path, wait_until: Until) -> None:
    """The screen shows a note and raises nothing."""
    folders = [write(tmp_path / "runs", name, []) for name in ("a", "b")]
    (folders[1].path / "run.json").unlink()
    app = StokerApp(first=Compare(folders))
    async with app.run_test(size=(80, 24)):
        await wait_until(lambda: "No run has train loss. Press m for another metric" in text_of(app))


async def test_a_classifier(run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics, classes and the confusion matrix are shown; `l` evaluates the latest checkpoint."""
    asked = answers(monkeypatch, ONE)
    app = StokerApp(first=Results(run_folder))
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: "predicted" in text_of(app))
        text = text_of(app)
        for words in ("best.pt · step 540", "test data", "0.7500", "0.8570", "cat", "dog", "samples"):
            assert words in text, words
        assert "f" not in app.screen.active_bindings
        await pilot.press("l")
        await wait_until(lambda: len(asked) == 2)
        assert asked[0] == ("evaluate", str(run_folder.path), "--json") and asked[1][-2] == "latest"


async def test_folds(run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """First all folds with their counts added, then each fold."""
    answers(monkeypatch, FOLDS)
    app = StokerApp(first=Results(run_folder))
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: "all 2 folds" in text_of(app))
        assert "± std" in text_of(app) and tables.views(FOLDS)[0]["confusion"] == [[6, 2], [0, 8]]
        for words in ("fold 1 of 2", "fold 2 of 2", "all 2 folds"):
            await pilot.press("f")
            await wait_until(lambda words=words: words in text_of(app))


async def test_a_failed_evaluation_is_shown(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note says which keys evaluate another checkpoint."""
    answers(monkeypatch, RunError("run one has no checkpoint [best]"))
    app = StokerApp(first=Results(run_folder))
    async with app.run_test(size=(80, 24)):
        await wait_until(lambda: "run one has no checkpoint [best]" in text_of(app))
        assert "Press l for the latest" in text_of(app)


async def test_an_export_is_chosen_and_written(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file goes to a folder with the run's name; a notification shows the result."""
    asked = answers(monkeypatch, ONE)
    monkeypatch.chdir(tmp_path)
    app = StokerApp(first=Results(run_folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(lambda: "x" in app.screen.active_bindings)
        await pilot.press("x")
        await wait_until(lambda: isinstance(app.screen, Export))
        await pilot.press("escape")
        await wait_until(lambda: isinstance(app.screen, Results))
        await pilot.press("x")
        await wait_until(lambda: isinstance(app.screen, Export))
        await pilot.press("down", "enter")
        await wait_until(lambda: app._notifications)
    assert asked[-1] == ("export", str(run_folder.path), "--to", f"exports/{run_folder.name}/curves.png")


async def test_a_real_export_and_a_real_error(tmp_path: Path) -> None:
    """The export runs in a separate process."""
    from stoker.tui.backend.cli_process import run_command

    folder = write(tmp_path / "runs", "one", COMPLETED)
    target = tmp_path / "metrics.csv"
    assert "wrote" in await run_command("export", str(folder.path), "--to", str(target)) and target.exists()
    with pytest.raises(RunError, match="no run"):
        await run_command("export", str(tmp_path / "none"), "--to", str(target))
