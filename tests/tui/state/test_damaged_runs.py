"""One damaged run never breaks the list of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stoker.engine.history.history import RunHistory
from stoker.tui.console.run_table import run_table
from stoker.tui.state.run_index import RunIndex
from stoker.tui.state.run_summary import summarise
from stoker.tui.widgets.runs_table import COLUMNS
from tests.support.run_folders import COMPLETED, NOW, write

HUGE = 10**400
SETTINGS: list[Any] = [[], {}, "many", None, 1.5, True, -3, HUGE]


@pytest.mark.parametrize("epochs", SETTINGS, ids=[str(one)[:8] for one in SETTINGS])
@pytest.mark.parametrize("started", [0.0, -1e300, 1e308])
def test_record_with_absurd_values(tmp_path: Path, epochs: Any, started: float) -> None:
    """Whatever stands in run.json, each cell of each run has a text."""
    good, bad = write(tmp_path, "good", COMPLETED), write(tmp_path, "bad", [])
    path = bad.path / "run.json"
    path.write_text(json.dumps({"run": "bad", "task": "t", "started": started, "settings": {"epochs": epochs}}))
    rows = RunIndex(tmp_path, lambda: NOW).read()
    assert {row.run for row in rows} == {"good", "bad"}
    assert run_table(rows).count("\n") == 2
    for row in rows:
        assert all(column.text(row) for column in COLUMNS)
    assert summarise(good, NOW).state == "completed"


def test_events_with_absurd_values(tmp_path: Path) -> None:
    """Numbers that no run can have are skipped; those that float knows are shown."""
    folder = write(tmp_path, "bad", COMPLETED)
    lines = [
        {"event": "steps", "step": 2**63, "epoch": HUGE, "losses": [1e308], "first": 2**62},
        {"event": "steps", "step": 2**53, "epoch": 2**53, "first": 2**53, "losses": [1e308], "at": 1e11},
        {"event": "run_started", "steps_per_epoch": -3, "epochs": 2**53},
        {"event": "evaluated", "step": 2**53, "metrics": {"loss": 1e308, "x": "Infinity"}},
        {"event": "early_stopping", "step": 2**53, "best": "Infinity"},
    ]
    with folder.events.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    (folder.path / "lock").write_bytes(b"\xff\xff")
    row = summarise(folder, NOW)
    assert run_table([row]).count("\n") == 1
    assert all(column.text(row) for column in COLUMNS)
    history = RunHistory.read(folder)
    history.elapsed(NOW)
    history.seconds_left(NOW)
    assert folder.holder().startswith("process") or folder.holder() == "another process"


def test_best_value_of_a_long_run(tmp_path: Path) -> None:
    """The last evaluation lies further back than the end of the journal that is read at first."""
    from tests.support.recorded import body

    events = [*COMPLETED[:-1], *(event for event in body(540, 60_000, together=10) if type(event).__name__ == "Steps")]
    row = summarise(write(tmp_path, "long", events), NOW)
    assert row.monitor == "loss"
    assert row.best is not None
