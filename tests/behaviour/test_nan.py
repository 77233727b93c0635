"""A loss that is not finite is found before it reaches the weights, is reported, and the last good state is kept."""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import Any

import pytest

from stoker.engine import session
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.checkpoints.writer import all_finite
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.folder import RunFolder
from stoker.tui.cli import launch
from tests.support.process_runner import (
    ProcessRunner,
    assert_same_run,
    checkpoint_state,
    create,
    differences,
    history,
    recorded_events,
)


class PauseAnswer(Controls):
    """Resumes the run at every pause, or stops it there."""

    def __init__(self, then: str) -> None:
        super().__init__()
        self.then, self.pauses = then, 0

    def wait(self, seconds: float = 0.05) -> None:
        self.pauses += 1
        self.send(Command(command=self.then))


def train(folder: RunFolder, then: str = "resume") -> tuple[e.RunFinished, PauseAnswer]:
    """Train a run whose pauses are answered by `PauseAnswer`."""
    controls = PauseAnswer(then)
    return session.train(folder, controls, lambda event: None), controls


def warnings(folder: RunFolder) -> list[e.Warned]:
    """Return the warnings of losses that are not finite."""
    return [event for event in recorded_events(folder) if isinstance(event, e.Warned) and event.kind == "nan"]


@pytest.mark.parametrize("given", [{}, {"accumulate": 4}, {"optimizer": "adam", "clip": 1.0}, {"precision": "bf16"}])
def test_nan_pauses_the_run_without_the_update(given: dict[str, Any], tmp_path: Path) -> None:
    """The update and running statistics are skipped; the run pauses, names the place, and can be resumed."""
    folder = create(tmp_path, "poisoned", **given)
    last, controls = train(folder)
    assert (last.cause, controls.pauses) == ("completed", 3), "once an epoch"
    assert [event.cause for event in recorded_events(folder) if isinstance(event, e.Paused)] == ["nan"] * 3
    warning = warnings(folder)[0]
    assert warning.message.endswith("; its update was skipped")
    lost = [key[2] for key, value in history(folder).items() if key[0] == "loss" and math.isnan(value)]
    assert len(lost) == 3 and f"at step {lost[0]} (epoch 1, batch " in warning.message
    assert all_finite(checkpoint_state(folder)["model"].values())
    assert all(math.isfinite(value["loss"]) for key, value in history(folder).items() if key[0] == "evaluated")
    assert b'"NaN"' in folder.events.read_bytes()


def test_run_stopped_at_a_nan_has_the_state_of_the_step_before(tmp_path: Path) -> None:
    """A run stopped in that pause has the state of the step before, batch norm's statistics included."""
    folder, clean = (create(tmp_path, "poisoned", name=name, save_every="1steps") for name in ("nan", "clean"))
    last, _ = train(folder, "stop")
    assert (last.cause, last.step) == ("stopped", warnings(folder)[0].step)
    model = checkpoint_state(folder)["model"]

    class Stop(Controls):
        def pending(self, now: float) -> bool:
            if (clean.events.read_bytes()).count(b'"steps"') and self.polls == last.step - 1:
                self.send(Command(command="stop"))
            self.polls += 1
            return super().pending(now)

        polls = 0

    session.train(clean, Stop(), lambda event: None)
    before = checkpoint_state(clean)
    assert before["progress"]["step"] == last.step - 1
    assert differences(before["model"], model) == []


def test_on_nan_stop_fails_the_run_with_good_weights(tmp_path: Path) -> None:
    """With `stop` the run fails, names the place, and keeps good weights."""
    folder = create(tmp_path, "poisoned", on_nan="stop")
    last, _ = train(folder)
    assert last.cause == "failed" and "the loss is not finite at step" in last.message
    assert all_finite(checkpoint_state(folder)["model"].values())


def test_on_nan_ignore_trains_on_and_warns_once(tmp_path: Path) -> None:
    """With `ignore` the run continues like plain PyTorch, warns once, and records NaN."""
    folder = create(tmp_path, "poisoned", on_nan="ignore")
    last, controls = train(folder)
    assert (last.cause, controls.pauses, len(warnings(folder))) == ("completed", 0, 1)
    assert not all_finite(checkpoint_state(folder)["model"].values())
    assert math.isnan(last.test["loss"])


def test_nan_gradient_never_overwrites_the_last_good_checkpoint(tmp_path: Path) -> None:
    """No save overwrites the last good state, not even at the end; a save by hand says why it failed."""
    folder = create(tmp_path, "exploding", save_every="1steps", on_nan="stop")
    last, _ = train(folder)
    assert last.cause == "failed" and last.message.endswith("; the final state could not be saved")
    assert "Could not save latest.pt: the model holds NaN or infinity. " in warnings(folder)[-1].message
    found = checkpoint.newest(folder.checkpoints)
    assert found is not None and all_finite(found[1]["model"].values())
    assert 0 < found[1]["progress"]["step"] < 15, "the bad update is the 15th"


@pytest.mark.parametrize("how", ["kill", "SIGTERM"])
def test_resume_inside_an_accumulation_window_keeps_its_nan(
    how: str, process_runner: ProcessRunner, tmp_path: Path
) -> None:
    """A NaN in the current accumulation window is found after a resume too."""
    whole = create(tmp_path, "poisoned", {"rows": 4}, name="whole", accumulate=4, on_nan="pause")
    train(whole)
    for at in range(1, 10):
        folder = create(tmp_path, "poisoned", {"rows": 4}, name=f"at-{at}", accumulate=4, on_nan="pause")
        assert process_runner.run(folder, at=at, how=how, go_on=True) != 0
        train(folder)
        assert_same_run(whole, folder)


@pytest.mark.parametrize("asked", [False, True])
def test_nan_ends_a_headless_run_that_was_not_asked_to_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    """A script would wait for ever for a person; the last good state is saved, and the exit code is 1."""
    folder = create(tmp_path, "poisoned", **({"on_nan": "pause"} if asked else {}))
    monkeypatch.setattr(launch, "Controls", lambda _: PauseAnswer("stop"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    code = launch.train_here(folder, None, True, False)
    finished = recorded_events(folder)[-1]
    assert isinstance(finished, e.RunFinished)
    assert (code, finished.cause) == ((0, "stopped") if asked else (1, "failed"))
    assert ("--on-nan pause" in warnings(folder)[0].message) is not asked
    assert all_finite(checkpoint_state(folder)["model"].values())
