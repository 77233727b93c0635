"""Hugging Face's Trainer as a run: a tiny GPT-2 from a config."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stoker
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import scaled

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

SCRIPT = Path(__file__).with_name("tiny_gpt2.py")
TOKENS = torch.randint(50, (60, 16), generator=torch.Generator().manual_seed(1))
DATA = [{"input_ids": row, "labels": row} for row in TOKENS]


def trainer_of(folder: Path, *callbacks: Any, **options: Any) -> Any:
    """Return a Trainer of 15 steps an epoch."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=50, n_positions=16, n_embd=32, n_layer=1, n_head=2)
    settings = {"num_train_epochs": 2, "save_strategy": "no", "logging_steps": 5, **options}
    arguments = transformers.TrainingArguments(
        output_dir=str(folder / "out"), per_device_train_batch_size=4, learning_rate=1e-3, report_to=[], use_cpu=True,
        disable_tqdm=True, **settings,
    )  # fmt: skip
    model = transformers.GPT2LMHeadModel(config)
    return transformers.Trainer(
        model=model, args=arguments, train_dataset=DATA, eval_dataset=DATA[:8], callbacks=list(callbacks)
    )


def events(folder: Path) -> list[e.Event]:
    """Return the events of the run `one`."""
    lines = (folder / "runs" / "one" / "events.jsonl").read_bytes().splitlines()
    return [event for line in lines if (event := e.decode(line)) is not None]


class At(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
    """Does something at a step, before stoker's callback."""

    def __init__(self, step: int, action: Callable[[Any], object]) -> None:
        self.step, self.action = step, action

    def on_step_end(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """Call the action."""
        if state.global_step == self.step:
            self.action(objects)


def sends(folder: Path, at: int, *commands: Command) -> At:
    """Return a callback that sends commands to the run `one` at a step, which they reach at this step."""

    def send(_: Any) -> None:
        for command in commands:
            (tended,) = stoker.engine.runtime.open_runs.OPEN.values()
            tended.controls.send(command)

    return At(at, send)


def answers(folder: Path) -> dict[str, tuple[str, str]]:
    """Return status and message of each answered command."""
    return {one.command: (one.status, one.message) for one in events(folder) if isinstance(one, e.CommandAnswered)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for the runs and the Trainer's output."""
    return tmp_path


def test_one_line_makes_a_run_of_a_trainer(folder: Path) -> None:
    """Losses of every step, its evaluations and its checkpoints are events; only the model is counted as metrics."""
    trainer = trainer_of(folder, eval_strategy="steps", eval_steps=10, save_strategy="steps", save_steps=20)
    stoker.tend(trainer, name="one", runs=folder / "runs").train()
    run = RunFolder(folder / "runs" / "one")
    history = stoker.RunHistory.read(run)
    assert run.state() == "completed" and history.steps == 30
    assert len(history.losses[1]) == 30 and np.isfinite(history.losses[1]).all()
    assert history.metric_names == [("train", "grad_norm"), ("val", "loss")]
    saved = [event for event in events(folder) if isinstance(event, e.CheckpointSaved)]
    assert [(Path(event.path).name, event.step) for event in saved] == [("checkpoint-20", 20), ("checkpoint-30", 30)]
    logged = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert logged[0] == pytest.approx(float(history.losses[1][:5].mean()), rel=1e-4)


@pytest.mark.parametrize("alone", [True, False])
def test_the_losses_of_accumulated_batches_are_those_of_the_steps(folder: Path, alone: bool) -> None:
    """As the Trainer logs them, with the callback alone and with `tend`."""
    trainer = trainer_of(folder, gradient_accumulation_steps=3, logging_steps=1)
    if alone:
        from stoker.integrations.transformers import StokerCallback

        trainer.add_callback(StokerCallback(name="one", runs=folder / "runs"))
    else:
        stoker.tend(trainer, name="one", runs=folder / "runs")
    trainer.train()
    logged = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    losses = stoker.RunHistory.read(folder / "runs" / "one").losses[1]
    assert np.allclose(logged, losses, rtol=1e-4) and len(losses) == 10


def test_pause_save_evaluate_and_resume_leave_the_bits_alone(folder: Path) -> None:
    """Saving and evaluating work while paused, and early stopping does not count it."""
    plain = trainer_of(folder)
    plain.train()
    commands = [Command(command=name) for name in ("pause", "save", "evaluate", "resume")]
    trainer = trainer_of(folder, sends(folder, 7, *commands))
    stoker.tend(trainer, name="one", runs=folder / "runs").train()
    for name, status in answers(folder).items():
        assert status[0] == "done", (name, status)
    assert answers(folder)["save"][1] == "saved step 7"
    (saved,) = (event for event in events(folder) if isinstance(event, e.CheckpointSaved))
    assert saved.cause == "command" and (Path(saved.path) / "trainer_state.json").exists()
    (evaluated,) = (event for event in events(folder) if isinstance(event, e.Evaluated))
    assert (evaluated.cause, list(evaluated.metrics)) == ("command", ["loss"])
    one, other = plain.model.state_dict(), trainer.model.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert [entry for entry in trainer.state.log_history if "eval_loss" in entry] == []


def test_a_callback_alone_says_what_it_cannot_do(folder: Path) -> None:
    """It would change the run; pausing, the learning rate and stopping need no more."""
    from stoker.integrations.transformers import StokerCallback

    names = ("save", "evaluate", "pause", "resume")
    commands = [*(Command(command=name) for name in names), Command(command="set_learning_rate", lr=0.5)]
    trainer = trainer_of(folder, sends(folder, 7, *commands), logging_steps=1)
    trainer.add_callback(StokerCallback(name="one", runs=folder / "runs"))
    trainer.train()
    found = answers(folder)
    assert {name: status for name, (status, _) in found.items()} == {
        "save": "failed", "evaluate": "failed", "pause": "done", "resume": "done", "set_learning_rate": "done",
    }  # fmt: skip
    assert "stoker.tend(trainer)" in found["save"][1] and "stoker.tend(trainer)" in found["evaluate"][1]


def test_a_live_learning_rate_goes_through_the_schedule_of_the_trainer(folder: Path) -> None:
    """The linear schedule keeps its shape."""
    trainer = trainer_of(folder, sends(folder, 15, Command(command="set_learning_rate", lr=1.0)), logging_steps=1)
    stoker.tend(trainer, name="one", runs=folder / "runs").train()
    rates = {entry["step"]: entry["learning_rate"] for entry in trainer.state.log_history if "loss" in entry}
    assert rates[15] == pytest.approx(1e-3 * 15 / 30, rel=0.1) and rates[17] == pytest.approx(1.0 * 14 / 15, rel=0.1)
    assert not [event for event in events(folder) if isinstance(event, e.Warned)]


def test_a_stop_saves_and_the_script_goes_on(folder: Path) -> None:
    """`train()` returns at that step; a signal ends the script with 128 + signal."""
    trainer = trainer_of(folder, sends(folder, 7, Command(command="stop")))
    assert stoker.tend(trainer, name="one", runs=folder / "runs").train().global_step == 7
    assert RunFolder(folder / "runs" / "one").state() == "stopped"
    assert (folder / "out" / "checkpoint-7").exists()
    trainer = trainer_of(folder, At(9, lambda _: os.kill(os.getpid(), signal.SIGTERM)))
    with pytest.raises(SystemExit) as ended:
        stoker.tend(trainer, name="two", runs=folder / "runs").train()
    assert ended.value.code == 128 + signal.SIGTERM and (folder / "out" / "checkpoint-9").exists()


def test_a_loss_that_is_not_finite_is_told_with_its_step(folder: Path) -> None:
    """The Trainer's own log leaves it out by default."""

    def break_it(objects: Any) -> None:
        with torch.no_grad():
            objects["model"].transformer.wte.weight.fill_(float("nan"))

    stoker.tend(trainer_of(folder, At(7, break_it)), name="one", runs=folder / "runs").train()
    messages = [event.message for event in events(folder) if isinstance(event, e.Warned) and event.kind == "nan"]
    assert messages and "step 8" in messages[0]


def test_the_counter_of_early_stopping_is_shown(folder: Path) -> None:
    """With the Trainer's own patience; the run ends as stopped early."""
    early = transformers.EarlyStoppingCallback(early_stopping_patience=2)
    trainer = trainer_of(
        folder, early, eval_strategy="steps", eval_steps=2, save_strategy="steps", save_steps=2, num_train_epochs=9,
        load_best_model_at_end=True, metric_for_best_model="loss", warmup_steps=0,
    )  # fmt: skip
    trainer.args.learning_rate = 3.0
    stoker.tend(trainer, name="one", runs=folder / "runs").train()
    found = [(one.waited, one.patience) for one in events(folder) if isinstance(one, e.EarlyStopping)]
    assert found[-1] == (2, 2) and RunFolder(folder / "runs" / "one").state() == "early_stopping"


def test_an_error_of_the_training_is_recorded(folder: Path) -> None:
    """At once, also in a notebook, where the script never ends."""

    def fail(_: Any) -> None:
        raise ValueError("broken")

    trainer = stoker.tend(trainer_of(folder, At(3, fail)), name="one", runs=folder / "runs")
    with pytest.raises(ValueError, match="broken"):
        trainer.train()
    assert RunFolder(folder / "runs" / "one").state() == "failed"
    with pytest.raises(TypeError, match=r"needs a transformers\.Trainer, not a str"):
        stoker.tend("trainer")


def train(folder: Path, name: str, *arguments: str) -> int:
    """Run the script as a process, and return its exit code."""
    command = [sys.executable, str(SCRIPT), "--name", name, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=scaled(110), check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.mark.parametrize(
    "options",
    [
        [],
        pytest.param(["--accumulate", "2"], marks=pytest.mark.slow),
        pytest.param(["--noisy"], marks=pytest.mark.slow),
        pytest.param(["--noisy", "--workers", "2"], marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
@pytest.mark.timeout(300)
def test_a_trainer_killed_twice_and_run_again_ends_as_if_undisturbed(folder: Path, options: list[str]) -> None:
    """With dropout, in the middle of an epoch, and with random data made exact: weights and history are bitwise equal."""
    assert train(folder, "whole", *options) == 0
    for step in ("10", "18"):
        assert train(folder, "killed", *options, "--die", step) == -signal.SIGKILL
    assert train(folder, "killed", *options) == 0
    one, other = (torch.load(folder / f"{name}.pt") for name in ("whole", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    histories = [stoker.RunHistory.read(folder / "runs" / name) for name in ("whole", "killed")]
    assert histories[1].current.resumes, "it was resumed"
    assert np.array_equal(histories[0].losses, histories[1].losses)
    for key in histories[0].metric_names:
        assert np.array_equal(histories[0].metric(*key), histories[1].metric(*key)), key
