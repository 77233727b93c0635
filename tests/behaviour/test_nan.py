"""A loss that is not finite: found before it reaches the weights, told as NaN, and the last good state stays."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from stoker.engine import session
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.folder import RunFolder
from stoker.engine.training.nan_guard import all_finite
from tests.support.process_runner import Forge, assert_same_run, create, history, said, state, unequal


class Going(Controls):
    """Goes on from every pause, or ends there."""

    def __init__(self, then: str) -> None:
        super().__init__()
        self.then, self.pauses = then, 0

    def wait(self, seconds: float = 0.05) -> None:
        self.pauses += 1
        self.send(Command(command=self.then))


def train(folder: RunFolder, then: str = "resume") -> tuple[e.RunFinished, Going]:
    """Train, answering a pause."""
    controls = Going(then)
    return session.train(folder, controls, lambda event: None), controls


def warnings(folder: RunFolder) -> list[e.Warned]:
    """Return what was warned of."""
    return [event for event in said(folder) if isinstance(event, e.Warned) and event.kind == "nan"]


@pytest.mark.parametrize("given", [{}, {"accumulate": 4}, {"optimizer": "adam", "clip": 1.0}, {"precision": "bf16"}])
def test_pause(given: dict[str, Any], tmp_path: Path) -> None:
    """The update is left out, running statistics too; the run pauses, says where it was, and can go on."""
    folder = create(tmp_path, "poisoned", **given)
    last, controls = train(folder)
    assert (last.cause, controls.pauses) == ("completed", 3), "once an epoch"
    assert [event.cause for event in said(folder) if isinstance(event, e.Paused)] == ["nan"] * 3
    told = warnings(folder)[0]
    assert told.message.endswith("; its update was left out")
    lost = [key[2] for key, value in history(folder).items() if key[0] == "loss" and math.isnan(value)]
    assert len(lost) == 3 and f"at step {lost[0]} (epoch 1, batch " in told.message
    assert all_finite(state(folder)["model"].values())
    assert all(math.isfinite(value["loss"]) for key, value in history(folder).items() if key[0] == "evaluated")
    assert b'"NaN"' in folder.events.read_bytes()


def test_the_weights_are_those_of_before(tmp_path: Path) -> None:
    """Ended in the pause, the run has the state of the step before, batch norm's statistics included."""
    folder, clean = (create(tmp_path, "poisoned", name=name, save_every="1steps") for name in ("nan", "clean"))
    last, _ = train(folder, "stop")
    assert (last.cause, last.step) == ("stopped", warnings(folder)[0].step)
    model = state(folder)["model"]

    class Stop(Controls):
        def pending(self, now: float) -> bool:
            if (clean.events.read_bytes()).count(b'"steps"') and self.looks == last.step - 1:
                self.send(Command(command="stop"))
            self.looks += 1
            return super().pending(now)

        looks = 0

    session.train(clean, Stop(), lambda event: None)
    before = state(clean)
    assert before["progress"]["step"] == last.step - 1
    assert unequal(before["model"], model) == []


def test_stop(tmp_path: Path) -> None:
    """The run fails with the place, its weights whole."""
    folder = create(tmp_path, "poisoned", on_nan="stop")
    last, _ = train(folder)
    assert last.cause == "failed" and "the loss is not finite at step" in last.message
    assert all_finite(state(folder)["model"].values())


def test_ignore(tmp_path: Path) -> None:
    """As plain PyTorch does: the weights are lost; it is told once, and shown as NaN."""
    folder = create(tmp_path, "poisoned", on_nan="ignore")
    last, controls = train(folder)
    assert (last.cause, controls.pauses, len(warnings(folder))) == ("completed", 0, 1)
    assert not all_finite(state(folder)["model"].values())
    assert math.isnan(last.test["loss"])


def test_a_gradient_that_is_not_finite(tmp_path: Path) -> None:
    """Nothing is saved over the last good state, not at the end either, and a save by hand says why."""
    folder = create(tmp_path, "exploding", save_every="1steps", on_nan="stop")
    last, _ = train(folder)
    assert last.cause == "failed" and last.message.endswith("; its last state could not be saved")
    assert "latest.pt was not saved: the model holds NaN or infinity" in warnings(folder)[-1].message
    found = checkpoint.newest(folder.checkpoints)
    assert found is not None and all_finite(found[1]["model"].values())
    assert 0 < found[1]["progress"]["step"] < 15, "the bad update is the 15th"


@pytest.mark.parametrize("how", ["kill", "SIGTERM"])
def test_interrupted_inside_the_window(how: str, forge: Forge, tmp_path: Path) -> None:
    """A NaN of the window under way is not forgotten by a resume."""
    whole = create(tmp_path, "poisoned", {"rows": 4}, name="whole", accumulate=4, on_nan="pause")
    train(whole)
    for at in range(1, 10):
        folder = create(tmp_path, "poisoned", {"rows": 4}, name=f"at-{at}", accumulate=4, on_nan="pause")
        assert forge.run(folder, at=at, how=how, go_on=True) != 0
        train(folder)
        assert_same_run(whole, folder)
