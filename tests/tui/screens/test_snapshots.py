"""Snapshots of the dashboard. Inspect each snapshot before you accept it by `pytest --snapshot-update`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.widgets.plot import PlotWidget
from stoker.tui.widgets.system_panel import SystemPanel
from tests.support.recorded import Recorded, folds, footed, run, settled, time_of

SIZES = [(80, 24), (120, 40), (200, 60)]
THEMES = ["textual-dark", "textual-light"]
NOW = time_of(330) + 0.5
FINISHED = [*run(540), e.RunFinished(at=time_of(540), step=540, test={"loss": 0.6336, "accuracy": 0.7563})]


class Snapshot:
    """A screen that is photographed once it no longer changes."""

    def __init__(
        self, snap_compare: Callable[..., bool], folder: RunFolder, wait_until: Callable[..., Awaitable[None]]
    ) -> None:
        self._compare, self._folder, self._until = snap_compare, folder, wait_until

    def __call__(
        self, events: list[e.Event], size: tuple[int, int], *keys: str, alive: bool = True, theme: str = "textual-dark"
    ) -> bool:
        app = StokerApp(self._folder, source=Recorded(events, alive=alive), clock=lambda: NOW)
        app.theme = theme

        async def settle(pilot: Pilot[None]) -> None:
            await self._settled(app, pilot)
            for key in keys:
                await pilot.press(key)
            await self._settled(app, pilot)

        return self._compare(app, terminal_size=size, run_before=settle)

    async def _settled(self, app: StokerApp, pilot: Pilot[None]) -> None:
        # A growing panel makes a plot smaller, and the plot is drawn again: check several times.
        for _ in range(3):
            await pilot.pause()
            app.dashboard._next_frame = 0.0  # draw at once, without waiting for the next frame
            app.dashboard.tick()
            await pilot.pause()
            await self._until(lambda: footed(app.screen) and all(map(settled, app.dashboard.query(PlotWidget))))
            machine = app.dashboard.query_one(SystemPanel)
            await self._until(lambda panel=machine: not panel.is_on_screen or panel._reading is not None)


@pytest.fixture
def snapshot_of(
    snap_compare: Callable[..., bool], run_folder: RunFolder, wait_until: Callable[..., Awaitable[None]]
) -> Snapshot:
    """Return a function that compares a screen with its snapshot."""
    return Snapshot(snap_compare, run_folder, wait_until)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_training(snapshot_of: Snapshot, size: tuple[int, int], theme: str) -> None:
    """A run after step 330."""
    assert snapshot_of(run(), size, theme=theme)


@pytest.mark.parametrize("size", SIZES[:2])
def test_loading(snapshot_of: Snapshot, size: tuple[int, int]) -> None:
    """The first frame, before any event."""
    assert snapshot_of([], size)


@pytest.mark.parametrize("theme", [*THEMES, "high-contrast"])
def test_completed(snapshot_of: Snapshot, theme: str) -> None:
    """A completed run."""
    assert snapshot_of(FINISHED, (80, 24), alive=False, theme=theme)


def test_failed_with_what_was_not_finite(snapshot_of: Snapshot) -> None:
    """NaN for 30 steps, then the failed run."""
    events = run(250)
    nan = e.Steps(at=time_of(251), first=251, step=280, losses=[float("nan")] * 30, lr=[0.005])
    failed = e.RunFinished(at=time_of(300), step=300, cause="failed", message="the loss is not finite at step 251")
    assert snapshot_of([*events, nan, *run(330)[-2:], failed], (120, 40), alive=False)


@pytest.mark.parametrize(("size", "theme"), [(SIZES[0], THEMES[0]), (SIZES[1], THEMES[1])])
def test_help(snapshot_of: Snapshot, size: tuple[int, int], theme: str) -> None:
    """The help lists every key."""
    assert snapshot_of(run(), size, "question_mark", theme=theme)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("keys", ["m,up,shift+left", "g", "x,x,tab", "equals_sign", "S"])
def test_looked_at_closely(snapshot_of: Snapshot, keys: str, theme: str) -> None:
    """Smoothing with zoom and cursor, the grid, the axis by time, a typed learning rate, a question."""
    assert snapshot_of(run(), (120, 40), *keys.split(","), theme=theme)


def test_what_needs_a_person(snapshot_of: Snapshot) -> None:
    """The last save failed, and the model overfits."""
    failed = e.Warned(at=time_of(330), step=330, kind="save_failed", message="latest.pt: no space left on device")
    overfit = e.Warned(at=time_of(330), step=330, kind="overfitting", message="the test loss rises since step 225")
    assert snapshot_of([*run(), overfit, failed], (120, 40))


@pytest.mark.parametrize("size", [(20, 6), (40, 12), (100, 28), (300, 80)])
def test_other_sizes(snapshot_of: Snapshot, size: tuple[int, int]) -> None:
    """A very small and a very large terminal."""
    assert snapshot_of(run(), size)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("keys", ["", "f", "f,m,l,left"])
def test_folds(snapshot_of: Snapshot, keys: str, theme: str) -> None:
    """One fold before the band of the others, all folds, and all folds smoothed on a log axis."""
    assert snapshot_of(folds(540, 540, 300), (120, 40), *filter(None, keys.split(",")), theme=theme)
