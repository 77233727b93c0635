"""What the commands print when they start a background process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stoker.engine.runs.folder import RunFolder
from stoker.tui.cli import launch
from stoker.tui.cli.train import run


def test_json_of_a_background_run_names_its_folder_and_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script reads one object; no dashboard opens, also at a terminal."""
    monkeypatch.setattr("stoker.engine.launch.background.start", lambda *_: 4711)
    monkeypatch.setattr(launch, "at_terminal", lambda: True)
    monkeypatch.setattr(launch, "open_dashboard", lambda folder: pytest.fail("a dashboard opened"))
    result = CliRunner().invoke(run, ["iris", "--name", "one", "--runs", str(tmp_path), "--background", "--json"])
    assert json.loads(result.output) == {"run": "one", "folder": str(RunFolder(tmp_path / "one").path), "pid": 4711}
