"""Inputs that break similar tools: spikes, NaN, one point, long names, tiny terminals, long runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.widgets.panel import Panel
from stoker.tui.widgets.plot import PlotWidget
from tests.support.deadlines import scaled
from tests.support.recorded import BEGAN, Recorded, run, time_of

Until = Callable[[Callable[[], object]], Awaitable[None]]
NAN = float("nan")


def run_of(losses: list[float], metrics: dict[str, float] | None = None, **fields: object) -> list[e.Event]:
    """Return a run of these losses with one evaluation at its end."""
    last = len(losses)
    given: dict[str, Any] = {
        "run": "r",
        "task": "t",
        "device": "cpu",
        "epochs": 2,
        "steps_per_epoch": max(1, last),
        **fields,
    }
    events: list[e.Event] = [e.RunStarted(at=BEGAN, **given)]
    for first in range(0, last, 500):
        part = losses[first : first + 500]
        step = first + len(part)
        events.append(e.Steps(at=BEGAN + step / 1e3, first=first + 1, step=step, losses=part, lr=[0.1]))
    return [*events, e.Evaluated(at=BEGAN + last / 1e3, step=last, metrics=metrics or {"loss": 0.5})]


def app_of(folder: RunFolder, events: list[e.Event]) -> StokerApp:
    return StokerApp(folder, source=Recorded(events), clock=lambda: time_of(400))


def drawn(curve: PlotWidget) -> list[str]:
    """Return the rows of a plot."""
    return ["".join(text for text, _ in row) for row in curve._rows]


def dots(row: str) -> list[int]:
    return [column for column, mark in enumerate(row) if "⠀" < mark <= "⣿" or mark == "▲"]


async def large_of(app: StokerApp, wait_until: Until) -> PlotWidget:
    curve = app.dashboard.query_one("#large", PlotWidget)
    await wait_until(lambda: len(drawn(curve)) > 2 or (drawn(curve) and drawn(curve)[-1].strip()))
    return curve


@pytest.mark.parametrize("smoothed", [False, True])
async def test_a_spike_of_one_step_in_a_hundred_thousand(
    run_folder: RunFolder, wait_until: Until, smoothed: bool
) -> None:
    """A loss of 25 at 61 % of the run is visible, also behind a running mean."""
    losses = [0.3] * 100_000
    losses[61_000] = 25.0
    app = app_of(run_folder, run_of(losses))
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: app.dashboard.view.step == 100_000)
        if smoothed:
            await pilot.press("m", "m", "m", "m")
        curve = await large_of(app, wait_until)
        await wait_until(lambda: "mean of 1,000" in str(curve.border_title) or not smoothed)
        await wait_until(lambda: any(map(dots, drawn(curve)[:2])))
        (column,) = next(found for row in drawn(curve) if (found := dots(row)))
        assert column / len(drawn(curve)[0]) == pytest.approx(0.61, abs=0.04)


async def test_nan_is_a_gap_and_the_rest_stays(run_folder: RunFolder, wait_until: Until) -> None:
    """Losses from 30 % to 35 % are NaN: the curve has a gap with marks."""
    losses = [1.0 + (step % 7) / 10 for step in range(1000)]
    losses[300:350] = [NAN] * 50
    app = app_of(run_folder, run_of(losses))
    async with app.run_test(size=(120, 40)):
        curve = await large_of(app, wait_until)
        await wait_until(lambda: any("×" in row for row in drawn(curve)))
        rows = drawn(curve)
        seen = {column for row in rows for column in dots(row)}
        marks = {column for row in rows for column, mark in enumerate(row) if mark == "×"}
        assert min(seen) < 10 and max(seen) > 65
        assert marks and not seen & set(range(min(marks) + 1, max(marks)))


async def test_one_point(run_folder: RunFolder, wait_until: Until) -> None:
    """One point is one mark, and every key works."""
    app = app_of(run_folder, run_of([0.5]))
    async with app.run_test(size=(120, 40)) as pilot:
        curve = await large_of(app, wait_until)
        await wait_until(lambda: any("●" in row for row in drawn(curve)))
        await pilot.press("up", "up", "left", "left", "m", "x", "x", "l", "w", "down")
        await pilot.pause()
        assert app.is_running


async def test_a_metric_that_is_always_0_on_a_log_axis(run_folder: RunFolder, wait_until: Until) -> None:
    """The plot has a note instead of a curve."""
    events = run_of([0.5] * 10, {"loss": 0.5, "f1": 0.0})
    app = app_of(run_folder, [*events, e.Evaluated(at=BEGAN, step=5, metrics={"loss": 0.5, "f1": 0.0})])
    async with app.run_test(size=(120, 40)) as pilot:
        curve = await large_of(app, wait_until)
        await pilot.press("2", "l")
        await wait_until(lambda: "f1 (log)" in str(curve.border_title))
        await wait_until(lambda: any("Log axis needs values above 0." in row for row in drawn(curve)))


async def test_a_terminal_of_20_by_6(run_folder: RunFolder, wait_until: Until) -> None:
    """Every key works in the smallest terminal."""
    app = app_of(run_folder, run())
    async with app.run_test(size=(20, 6)) as pilot:
        await wait_until(lambda: app.dashboard.view.step == 330)
        keys = "tab,g,m,w,x,f,left,right,up,down,l,1,2,equals_sign,escape,S,n,question_mark,escape,P,plus,minus,escape"
        await pilot.press(*keys.split(","))
        await wait_until(lambda: app.screen is app.dashboard)
        assert "330" in "".join(str(row) for panel in app.dashboard.query(Panel) for row in panel._rows)


async def test_names_far_too_long_and_in_chinese(run_folder: RunFolder, wait_until: Until) -> None:
    """Long and Chinese names are cut, and no row is wider than the screen."""
    metrics = {"loss": 0.5, "准确率": 0.9, "召回率" * 30: 0.8}
    app = app_of(run_folder, run_of([0.5] * 10, metrics, run="名" * 100 + "x" * 100, device="d" * 5000))
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: "准确率" in str(app.dashboard.query_one("#small-1", PlotWidget).border_title))
        for key in ("2", "3", "left", "1"):
            await pilot.press(key)
        await pilot.pause()
        strips = app.dashboard._compositor.render_strips()
        assert {strip.cell_length for strip in strips} == {120}


def test_a_parameter_of_five_thousand_characters(run_folder: RunFolder) -> None:
    """The record keeps the value, and the dashboard opens."""
    record = run_folder.record()
    record.parameters["text"] = "x" * 5000
    run_folder.write_record(record)
    assert run_folder.record().parameters["text"] == "x" * 5000
    assert StokerApp(run_folder).dashboard.folder.name == run_folder.name


MEMORY = """\
import resource, sys
from pathlib import Path
import numpy, stoker.tui.app.app
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from stoker.engine.runs.folder import RunFolder
from stoker.engine.history.history import RunHistory
from stoker.tui.state.viewport import Viewport
history = RunHistory.read(RunFolder(Path(sys.argv[1])))
viewport = Viewport()
viewport.change("mean", history, 100)
charts = viewport.charts(history, "")
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(history.current.train.length, charts[0].curves[0][1].length, (after - before) // 1024)
"""


def test_ten_million_steps_from_a_file_take_less_than_200_mb(run_folder: RunFolder, tmp_path: Path) -> None:
    """The limit includes the running mean of all steps."""
    losses = json.dumps([0.5] * 1000)
    with run_folder.events.open("w") as file:
        file.write('{"event":"run_started","at":1,"run":"r","epochs":1,"steps_per_epoch":10000000}\n')
        for first in range(1, 10_000_001, 1000):
            head = f'{{"event":"steps","at":{first / 1e4},"first":{first},"step":{first + 999},"lr":[0.1],"losses":'
            file.write(f"{head}{losses}}}\n")
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(run_folder.path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=scaled(100),
    )
    steps, means, megabytes = map(int, done.stdout.split())
    assert steps == means == 10_000_000
    assert megabytes < 200
