"""First use in a real terminal: watch a training, pause it, save it, quit, and resume it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from stoker.engine.runs.events import CheckpointSaved, RunStarted, Steps, decode
from stoker.engine.runs.folder import RunFolder
from tests.support.terminal import Terminal

STEP = r"step +([\d,]+) / "


def events_of(folder: RunFolder) -> list:
    """Return all events of a run."""
    return [decode(line) for line in folder.events.read_bytes().splitlines()]


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), pytest.param(80, 24, marks=pytest.mark.slow)])
def test_run_is_watched_paused_saved_quit_and_resumed_by_keys(tmp_path: Path, columns: int, rows: int) -> None:
    """Keys alone control the run; its curve continues in the same folder to the end."""
    folder = RunFolder(tmp_path / "runs" / "one")
    with Terminal(["run", "iris", "--name", "one", "--epochs", "60000"], tmp_path, columns, rows) as terminal:
        terminal.wait_for("loading")
        terminal.wait_for("training")
        before = terminal.number(STEP)
        terminal.wait_for(lambda text: terminal.number(STEP) > before)
        # The screen shows a curve.
        terminal.wait_for("[\u2801-\u28ff]{3}")

        terminal.press(" ")
        terminal.wait_for("paused")
        paused_at = terminal.number(STEP)
        latest = folder.checkpoints / "latest.pt"
        assert not latest.exists()
        terminal.press("s")
        terminal.wait_for(f"saved latest.pt at step {paused_at:,}")
        assert latest.exists()
        assert terminal.number(STEP) == paused_at

        terminal.press("r")
        terminal.wait_for(lambda text: terminal.number(STEP) > paused_at)
        terminal.press("q")
        terminal.wait_for("Save and quit")
        terminal.press("\r")
        assert terminal.wait_for_end() == 0
        assert "stoker resume one" in terminal.text.replace("\n", "")

    history = events_of(folder)
    stopped_at = [event for event in history if isinstance(event, CheckpointSaved)][-1].step
    with Terminal(["resume", "one"], tmp_path, columns, rows) as terminal:
        terminal.wait_for("completed")
        assert terminal.number(STEP) == 60000
        terminal.wait_for("r Resume")  # the engine has let the run go
        terminal.press("r")
        terminal.wait_for("Continue until epoch")
        terminal.press("\x1560500\r")
        terminal.wait_for(lambda text: terminal.number(STEP) == 60500 and "completed" in text)
        terminal.press("q")
        assert terminal.wait_for_end() == 0

    history = events_of(folder)
    assert [event.resumed_from for event in history if isinstance(event, RunStarted)] == [None, stopped_at, 60000]
    steps = [event for event in history if isinstance(event, Steps)]
    # The history is continuous: no step is missing and none is there twice.
    assert [event.first for event in steps[1:]] == [event.step + 1 for event in steps[:-1]]
    assert steps[0].first == 1
    assert steps[-1].step == 60500


def test_answering_no_to_the_quit_question_keeps_training(tmp_path: Path) -> None:
    """After the answer no the run continues."""
    with Terminal(["run", "iris", "--name", "one", "--epochs", "10000000"], tmp_path) as terminal:
        terminal.wait_for("training")
        terminal.press("q")
        terminal.wait_for("Save and quit")
        terminal.press("\x1b")
        terminal.wait_for(lambda text: "Save and quit" not in text)
        before = terminal.number(STEP)
        terminal.wait_for(lambda text: terminal.number(STEP) > before)
        terminal.press("\x03")
        terminal.wait_for("Save and quit")
        terminal.press("\r")
        assert terminal.wait_for_end() == 0


def test_first_frame_does_not_wait_for_torch(tmp_path: Path) -> None:
    """The first frame is drawn long before the training can begin."""
    start = time.monotonic()
    with Terminal(["run", "iris", "--name", "one"], tmp_path) as terminal:
        terminal.wait_for("loading")
        first = time.monotonic() - start
        terminal.wait_for("training|completed")
        trains = time.monotonic() - start
        terminal.press("q")
        assert first < trains / 2


def test_failed_training_is_shown_in_the_dashboard_and_kept(tmp_path: Path) -> None:
    """The dashboard shows the error with the user's line; the run folder is kept, and the exit code is 1."""
    (tmp_path / "broken.py").write_text(
        "import torch\nfrom stoker.engine import Task\n\n"
        "def step(model, batch):\n    raise ValueError('no such tensor')\n\n"
        "def broken() -> Task:\n    data = (torch.rand(8, 2), torch.zeros(8).long())\n"
        "    return Task(model=torch.nn.Linear(2, 2), train=data, loss=torch.nn.CrossEntropyLoss(), step=step)\n"
    )
    with Terminal(["run", "broken.py:broken", "--name", "one"], tmp_path) as terminal:
        terminal.wait_for(r"ValueError: no such tensor \(broken.py:5\)")
        terminal.press("q")
        assert terminal.wait_for_end() == 1
    assert (tmp_path / "runs" / "one" / "events.jsonl").exists()


def test_output_of_the_task_does_not_disturb_the_screen(tmp_path: Path) -> None:
    """Output of Python and of C is in the dashboard's log and in engine.log."""
    (tmp_path / "loud.py").write_text(
        "import os, torch\nfrom stoker.engine import Task\n\n"
        "def loud() -> Task:\n    print('hello from python')\n    os.write(1, b'hello from C\\n')\n"
        "    os.write(2, b'a warning from C\\n')\n"
        "    data = (torch.rand(8, 2), torch.zeros(8).long())\n"
        "    return Task(model=torch.nn.Linear(2, 2), train=data, test=data, loss=torch.nn.CrossEntropyLoss())\n"
    )
    with Terminal(["run", "loud.py:loud", "--name", "one", "--epochs", "1"], tmp_path) as terminal:
        terminal.wait_for("completed")
        text = terminal.wait_for("hello from C")
        lines = [line for line in text.splitlines() if "hello from C" in line]
        assert len(lines) == 1
        # The text is inside the log's border, not across the screen.
        assert lines[0].startswith("│")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    log = (tmp_path / "runs" / "one" / "engine.log").read_text()
    assert {"hello from python", "hello from C", "a warning from C"} <= set(log.splitlines())
