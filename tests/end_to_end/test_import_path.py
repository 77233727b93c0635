"""The processes that stoker starts do not import modules from the current folder."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from stoker.engine.runs.folder import RunFolder
from stoker.tui.backend.cli_process import run_command
from tests.support.deadlines import deadline
from tests.support.end_to_end import finished, stoker

HIDING = ("random", "click", "profile", "queue", "stoker")
TASK = "from helper import task\n"
HELPER = """
from stoker.engine.tasks.builtin.iris import iris


def task(hidden: int = 4):
    return iris(hidden=hidden)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with files that have the names of modules and leave a trace when they are run."""
    for name in HIDING:
        code = "import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\n"
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_command_of_the_screens(folder: Path) -> None:
    """Exports and results run `stoker` in another process."""
    assert "iris" in asyncio.run(run_command("tasks"))
    assert not list(folder.glob("*.ran"))


def test_background_engine(folder: Path) -> None:
    """`--background`, and the key d."""
    assert stoker(folder, "run", "iris", "--epochs", "1", "--name", "one", "--background").returncode == 0
    run = RunFolder(folder / "runs" / "one")
    end = deadline(30.0)
    while not finished(run) and time.monotonic() < end:
        time.sleep(0.05)
    assert finished(run)
    assert not list(folder.glob("*.ran"))


def test_background_engine_imports_the_files_beside_a_task(tmp_path: Path) -> None:
    """The folder of the task's file is on the import path, whichever folder is the current one."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "train.py").write_text(TASK)
    (project / "helper.py").write_text(HELPER)
    done = stoker(tmp_path, "run", "project/train.py:task", "--epochs", "1", "--name", "one", "--background")
    assert done.returncode == 0, done.stderr
