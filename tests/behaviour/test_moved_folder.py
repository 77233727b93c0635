"""A run whose folder is moved, or whose task changes the current folder, never writes into another run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stoker.engine import session
from stoker.engine.runs import events as e
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.folder import RunFolder
from tests.support.process_runner import create


class MovedAway(Controls):
    """Moves the run's folder at the tenth batch, and lets another run take its place."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self.folder, self.polls = folder, 0

    def pending(self, now: float) -> bool:
        """Count the batches."""
        self.polls += 1
        if self.polls == 10:
            self.folder.path.rename(self.folder.path.with_name("old"))
            runs.create(self.folder.path.parent, "iris", self.folder.name, {})
            self.send(Command(command="save"))
        return super().pending(now)


def test_another_run_in_the_place_of_the_folder_is_never_written(tmp_path: Path) -> None:
    """The first run stops with a sentence; the second one has no checkpoint of it."""
    folder = create(tmp_path, "held", epochs=100_000)
    received: list[e.Event] = []
    finished = session.train(folder, MovedAway(folder), received.append)
    assert finished.cause == "failed"
    assert f"{folder.path} is another folder now" in finished.message
    assert list(folder.checkpoints.iterdir()) == [] and not folder.events.exists()
    assert RunFolder(folder.path.with_name("old")).state() == "failed"


def test_task_that_changes_the_folder_is_saved_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries for configurations change the current folder."""
    (tmp_path / "moving.py").write_text(
        "import os, torch\nfrom stoker.engine import Task\n\n"
        "def step(model, batch):\n    os.chdir('/')\n    return model(batch[0]).square().mean()\n\n"
        "def moving():\n    os.chdir('/usr')\n    data = (torch.rand(8, 2), torch.zeros(8).long())\n"
        "    loss = torch.nn.CrossEntropyLoss()\n"
        "    return Task(model=torch.nn.Linear(2, 2), train=data, test=data, loss=loss, step=step)\n"
    )
    monkeypatch.chdir(tmp_path)
    given = {"given": {"epochs": 2, "threads": 1}}
    folder = runs.create(Path("runs"), f"{tmp_path / 'moving.py'}:moving", "one", given)
    finished = session.train(folder, Controls(folder.commands), lambda _: None)
    assert Path.cwd() == Path("/")
    assert (finished.cause, finished.message) == ("completed", "")
    os.chdir(tmp_path)
    assert (tmp_path / "runs/one/checkpoints/latest.pt").exists()
