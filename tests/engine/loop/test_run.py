"""`stoker.Run` in this process: what it records, and what it refuses."""

from __future__ import annotations

import signal
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import stoker
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command, append
from stoker.engine.runtime.stop_run import StopRun

X = torch.linspace(-1, 1, 60).reshape(20, 3)


class Loop:
    """A model of three inputs, its optimizer and its Run, which is finished after the test."""

    def __init__(self, folder: Path, **options: Any) -> None:
        torch.manual_seed(1)
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.loader = DataLoader(TensorDataset(X), batch_size=4, shuffle=True)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: 0.1 if step > 5 else 1)
        if options.pop("scheduled", False):
            options["scheduler"] = self.scheduler
        options = {"epochs": 2, "name": "one", **options}
        self.run = stoker.Run(model=self.model, optimizer=self.optimizer, runs=folder, **options)

    def step(self, batch: torch.Tensor) -> torch.Tensor:
        """Take one optimizer step, and return its loss ()."""
        loss = self.model(batch).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss

    def train(self) -> None:
        """Train to the end."""
        for _ in self.run.epochs():
            for (batch,) in self.run.batches(self.loader):
                self.run.log(loss=self.step(batch))
        self.run.finish()

    def events(self) -> list[e.Event]:
        """Return the events of the run."""
        lines = self.run.folder.events.read_bytes().splitlines()
        return [event for line in lines if (event := e.decode(line)) is not None]


@pytest.fixture
def loops(tmp_path: Path) -> Iterator[Any]:
    """Make loops in one runs folder; the last one is finished at the end."""
    made: list[Loop] = []

    def make(**options: Any) -> Loop:
        made.append(Loop(tmp_path / "runs", **options))
        return made[-1]

    yield make
    for loop in made:
        loop.run.finish()


def test_a_loop_is_a_run_like_any_other(loops: Any) -> None:
    """Its folder has a record, events in order, and a checkpoint that can be exported."""
    loop = loops(config={"hidden": 4})
    loop.train()
    folder = loop.run.folder
    assert folder.state() == "completed"
    assert folder.record().parameters == {"hidden": 4} and folder.record().settings["epochs"] == 2
    kinds = [type(event) for event in loop.events()]
    assert kinds[0] is e.RunStarted and kinds[-1] is e.RunFinished and e.CheckpointSaved in kinds
    steps, losses = stoker.RunHistory.read(folder).losses
    assert steps.tolist() == list(range(1, 11)) and (losses > 0).all()
    assert stoker.export(folder, folder.path / "weights.pt").exists()


def test_each_named_part_stands_under_its_name_in_the_checkpoint(loops: Any) -> None:
    """And `run.state` under `state`."""
    extra = torch.optim.lr_scheduler.ConstantLR(torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1))
    loop = loops(ema=extra)
    loop.run.state["seen"] = 3
    loop.train()
    saved = torch.load(loop.run.folder.checkpoints / "latest.pt", weights_only=True)
    assert {"model", "optimizer", "ema", "progress", "state"} <= set(saved)
    assert saved["state"] == {"seen": 3} and saved["progress"]["step"] == 10


def test_scalars_beside_the_loss_are_curves(loops: Any) -> None:
    """A step without one has no point, and accumulation takes the mean of its batches."""
    loop = loops(epochs=1)
    for _ in loop.run.epochs():
        for number, (batch,) in enumerate(loop.run.batches(loop.loader)):
            loop.run.log(loss=loop.step(batch))
            if number % 2:
                loop.run.log({"kl": number})
    loop.run.finish()
    steps, values = stoker.RunHistory.read(loop.run.folder).metric("train", "kl")
    assert steps.tolist() == [2, 4] and values.tolist() == [1, 3]


def test_an_evaluation_counts_and_keeps_the_modes_of_modules(loops: Any) -> None:
    """The best is saved at the next safe place; without improvement the epochs end early."""
    loop = loops(epochs=50, monitor="score", mode="max", patience=2)
    scores = iter([1.0, 2.0, 1.5, 1.5, 9.0])

    def evaluate() -> dict[str, float]:
        loop.model.eval()
        return {"score": next(scores)}

    loop.run.evaluation(evaluate)
    for _ in loop.run.epochs():
        for (batch,) in loop.run.batches(loop.loader):
            loop.step(batch)
        assert loop.run.evaluate()["score"] >= 1
        assert all(module.training for module in loop.model.modules())
    loop.run.finish()
    finished = loop.events()[-1]
    assert isinstance(finished, e.RunFinished) and (finished.cause, finished.best) == ("early_stopping", 2.0)
    best = torch.load(loop.run.folder.checkpoints / "best.pt", weights_only=True)
    assert best["progress"]["step"] == 10


def test_commands_are_answered_between_two_batches(loops: Any) -> None:
    """A stop saves and ends the script with code 0, as SystemExit, which `except Exception` does not swallow."""
    loop = loops(epochs=100_000)
    pause = [Command(command="pause", release=True), Command(command="resume")]
    groups = [[Command(command="evaluate")], [Command(command="save")], pause]
    groups += [[Command(command="set_learning_rate", lr=0.01)], [Command(command="stop")]]
    sent = 0
    with pytest.raises(StopRun) as stop:
        for _ in loop.run.epochs():
            for (batch,) in loop.run.batches(loop.loader):
                loop.step(batch)
                answered = loop.run.folder.events.read_bytes().count(b'"event":"command"')
                if groups and answered == sent:
                    group = groups.pop(0)
                    sent += len(group)
                    for command in group:
                        append(loop.run.folder.commands, command)
    assert stop.value.code == 0
    answers = {event.command: event for event in loop.events() if isinstance(event, e.CommandAnswered)}
    assert [answers[name].status for name in ("evaluate", "save", "pause", "resume", "set_learning_rate", "stop")] == [
        "failed", "done", "failed", "done", "done", "done",
    ]  # fmt: skip
    assert "@run.evaluation" in answers["evaluate"].message and "device memory" in answers["pause"].message
    assert loop.optimizer.param_groups[0]["lr"] == 0.01
    assert loop.run.folder.state() == "stopped"


def test_an_error_of_the_script_is_recorded_and_its_state_is_not_saved(loops: Any) -> None:
    """The state may belong to no step: the last good checkpoint stays."""
    loop = loops()
    with pytest.raises(ZeroDivisionError), loop.run:
        for _ in loop.run.epochs():
            for (batch,) in loop.run.batches(loop.loader):
                loop.step(batch)
                1 / 0  # noqa: B018
    finished = loop.events()[-1]
    assert isinstance(finished, e.RunFinished) and finished.cause == "failed"
    assert "ZeroDivisionError" in finished.message
    assert not list(loop.run.folder.checkpoints.glob("*.pt"))


def test_wrong_use_is_refused_with_a_sentence(loops: Any, tmp_path: Path) -> None:
    """Each says what to write instead."""
    loop = loops(epochs=None)
    with pytest.raises(stoker.RequestError, match="still open in this process"):
        loops(name="two")
    with pytest.raises(stoker.RequestError, match="belongs inside"):
        next(loop.run.batches(loop.loader))
    with pytest.raises(stoker.RequestError, match="needs a number of epochs"):
        next(loop.run.epochs())
    epochs = loop.run.epochs(1)
    next(epochs)
    with pytest.raises(stoker.RequestError, match="give the DataLoader itself"):
        next(loop.run.batches(iter(loop.loader)))
    with pytest.raises(stoker.RequestError, match="no evaluation"):
        loop.run.evaluate()
    with pytest.raises(stoker.RequestError, match=r"run\.log\(x=…\)"):
        loop.run.log(x="text")
    with pytest.raises(stoker.RequestError, match="not one number"):
        loop.run.log(x=torch.zeros(2))
    loop.run.finish()
    for options, words in (
        ({"resume": "must"}, "no run 'missing'"),
        ({"resume": "yes"}, "choose never, allow or must"),
        ({"mode": "up"}, "choose min or max"),
        ({"state": {}}, "reserved"),
        ({"ema": 3}, "has no state_dict"),
        ({"save_every": "often"}, "often"),
    ):
        with pytest.raises(stoker.RequestError, match=words):
            loops(**{"name": "missing", **options})


def test_a_resumed_run_of_other_data_is_told(loops: Any) -> None:
    """The number of batches or of rows is another one, so the order is."""
    loops(epochs=1).train()
    loop = loops(epochs=2, resume="allow")
    loop.loader = DataLoader(TensorDataset(X[:19]), batch_size=4, shuffle=True)
    loop.train()
    messages = [event.message for event in loop.events() if isinstance(event, e.Warned)]
    assert any("The data changed since the checkpoint (20 → 19 rows)" in message for message in messages)
    loops(epochs=1, name="other").train()
    loop = loops(epochs=2, resume="allow", name="other")
    loop.loader = DataLoader(TensorDataset(X[:8]), batch_size=4, shuffle=True)
    loop.train()
    messages = [event.message for event in loop.events() if isinstance(event, e.Warned)]
    assert any("The data changed since the checkpoint (5 → 2 batches)" in message for message in messages)


def test_the_command_line_says_how_to_resume_a_script(loops: Any) -> None:
    """A script's run has no task that `stoker resume` could build."""
    loop = loops(epochs=1)
    loop.train()
    with pytest.raises(
        stoker.RequestError, match=r"run the script again.*resume='allow'|name a function|there is no task"
    ):
        stoker.resume(loop.run.folder, epochs=2)


def test_nothing_is_lost_where_the_script_never_logs(loops: Any) -> None:
    """Steps are counted by the optimizer; their losses are unknown."""
    loop = loops(epochs=1)
    for _ in loop.run.epochs():
        for (batch,) in loop.run.batches(loop.loader):
            loop.step(batch)
    loop.run.finish()
    finished = loop.events()[-1]
    assert finished.step == 5
    assert not any(isinstance(event, e.Warned) for event in loop.events())


def set_rate_at(loop: Loop, at: int, lr: float, schedule: Any) -> list[float]:
    """Train 12 steps by `schedule(loop, step)`, with a command for the rate before step `at`; return each step's rate."""
    rates = []
    for step in loop.run.steps(12):
        if step == at:
            # The commands are read at most every 50 ms, so send it and wait until it is answered.
            loop.run._controller.controls.send(Command(command="set_learning_rate", lr=lr))
        schedule(loop, step)
        rates.append(loop.optimizer.param_groups[0]["lr"])
        loop.run.log(loss=loop.step(X))
    loop.run.finish()
    return rates


def undone(loop: Loop) -> list[str]:
    """Return the warnings that a learning rate was undone."""
    return [event.message for event in loop.events() if isinstance(event, e.Warned) and "undone" in event.message]


def test_a_learning_rate_that_the_script_sets_back_is_told(loops: Any) -> None:
    """A loop that writes its own rate at each step undoes the command at once."""

    def own(loop: Loop, step: int) -> None:
        loop.optimizer.param_groups[0]["lr"] = 0.1 / (1 + step)

    loop = loops()
    set_rate_at(loop, 5, 0.5, own)
    (message,) = undone(loop)
    assert "0.5 was undone" in message and "run.lr_scale" in message


def test_lr_scale_carries_a_live_learning_rate_through_a_schedule_of_the_scripts_own(loops: Any) -> None:
    """The schedule keeps its shape from the command on, and a resumed run keeps the factor."""

    def scaled(loop: Loop, step: int) -> None:
        loop.optimizer.param_groups[0]["lr"] = 0.1 / (1 + step) * loop.run.lr_scale

    loop = loops()
    rates = set_rate_at(loop, 5, 0.5, scaled)
    factor = 0.5 / (0.1 / 6)
    assert rates[5] == pytest.approx(0.1 / 6) and rates[6] == pytest.approx(0.1 / 7 * factor)
    assert not undone(loop)
    assert loops(resume="must").run.lr_scale == pytest.approx(factor)


def test_a_scheduler_named_to_the_run_keeps_a_live_learning_rate(loops: Any) -> None:
    """Its own memory is scaled, so nothing is undone; one that is not named undoes it, which is told."""
    for named in (True, False):
        loop = loops(name=f"named-{named}", scheduled=named)
        rates = set_rate_at(loop, 5, 0.5, lambda loop, step: step and loop.scheduler.step())
        assert rates[-1] == pytest.approx(0.05 if named else 0.01)
        assert bool(undone(loop)) != named


def test_a_run_that_was_not_used_says_so_at_its_end(loops: Any) -> None:
    """It was never looped over, its optimizer took no step, or it logged nothing; one that is complete is left to train."""

    def message(loop: Loop) -> str:
        loop.run.finish()
        finished = loop.events()[-1]
        assert isinstance(finished, e.RunFinished) and finished.cause == "completed"
        return finished.message

    assert "no `for epoch in run.epochs():`" in message(loops(name="unused"))
    loop = loops(name="still", epochs=1)
    for _ in loop.run.epochs():
        pass
    assert "took no step" in message(loop)
    loop = loops(name="silent", epochs=1)
    for _ in loop.run.epochs():
        loop.step(X)
    assert "no loss was recorded: call run.log(loss=loss)" in message(loop)
    loops(name="used", epochs=1).train()
    again = loops(name="used", epochs=1, resume="must")
    again.train()
    assert message(again) == "nothing was left to train"


def test_a_save_by_the_script_happens_between_two_batches(loops: Any) -> None:
    """Outside of a loop it is refused."""
    loop = loops(epochs=1)
    with pytest.raises(stoker.RequestError, match="belongs inside"):
        loop.run.save()
    for _ in loop.run.epochs():
        for number, (batch,) in enumerate(loop.run.batches(loop.loader)):
            loop.step(batch)
            if number == 1:
                loop.run.save()
    loop.run.finish()
    (saved,) = (event for event in loop.events() if isinstance(event, e.CheckpointSaved) and event.cause == "command")
    assert saved.step == 2
    with pytest.raises(stoker.RequestError, match="belongs inside"):
        loop.run.save()


def test_a_notebook_and_a_debugger_are_told_what_is_different(
    loops: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a notebook a run does not end by itself; a debugger keeps the interrupt."""
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("stoker.engine.loop.checks.debugger_active", lambda: True)
    monkeypatch.setattr("stoker.engine.loop.signals.debugger_active", lambda: True)
    loop = loops(name="debugged")
    assert "ctrl+c goes to it" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before and signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    loop.run.finish()
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    notebook = types.ModuleType("IPython")
    notebook.get_ipython = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    loop = loops(name="noted")
    assert "call run.finish()" in capsys.readouterr().out
    record = loop.run.folder.record()
    assert record.task == "notebook" and record.script is None
