"""`stoker new`: a task to start from."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from stoker.engine.errors import RequestError
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.folder import create
from stoker.engine.session import train
from stoker.tui.cli.begin import new


def test_the_written_task_trains(tmp_path: Path) -> None:
    """It learns, with its parameters."""
    path = tmp_path / "circles.py"
    result = CliRunner().invoke(new, [str(path)])
    assert result.exit_code == 0 and f"stoker run {path}:circles" in result.output
    given = {"epochs": 3, "threads": 1}
    folder = create(tmp_path / "runs", f"{path}:circles", None, {"parameters": {"hidden": 16}, "given": given})
    finished = train(folder, Controls(), lambda event: None)
    assert finished.cause == "completed" and finished.test["accuracy"] > 0.8


@pytest.mark.parametrize("name", ["there.py", "no-name.py", "task.txt", "missing/task.py"])
def test_a_name_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    """An existing file is never changed."""
    there = tmp_path / "there.py"
    there.write_text("mine")
    result = CliRunner().invoke(new, [str(tmp_path / name)])
    assert isinstance(result.exception, RequestError) and there.read_text() == "mine"
