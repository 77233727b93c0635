"""Lightning's Trainer as a run, in both of its namespaces."""

from __future__ import annotations

import importlib
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
from torch.utils.data import DataLoader, TensorDataset

import stoker
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runtime.open_runs import OPEN
from tests.support.deadlines import scaled

lightning = pytest.importorskip("lightning.pytorch")
SCRIPT = Path(__file__).with_name("small_module.py")
X = torch.randn(60, 8, generator=torch.Generator().manual_seed(1))
LOADER = DataLoader(TensorDataset(X, X.sum(1, keepdim=True)), batch_size=4, shuffle=True)
QUIET = {
    "accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False,
    "max_epochs": 2,
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


class Small(lightning.LightningModule):  # type: ignore[misc, name-defined]
    """A network with dropout, which validates."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Dropout(0.3), torch.nn.Linear(16, 1))
        self.broken_at = -1

    def training_step(self, batch: Any, number: int) -> torch.Tensor:
        """Return the loss ()."""
        loss = (self.net(batch[0]) - batch[1]).square().mean()
        self.log("train_err", loss.sqrt())
        return loss * float("nan") if self.global_step == self.broken_at else loss

    def validation_step(self, batch: Any, number: int) -> None:
        """Log the loss."""
        self.log("val_loss", (self.net(batch[0]) - batch[1]).square().mean())

    def configure_optimizers(self) -> Any:
        """Return Adam with a schedule that steps with the batches."""
        optimizer = torch.optim.Adam(self.parameters(), 1e-2)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


def callback(folder: Path, name: str = "one", **options: Any) -> Any:
    """Return stoker's callback."""
    from stoker.integrations.lightning import StokerCallback

    return StokerCallback(name=name, runs=folder / "runs", **options)


class At(lightning.Callback):  # type: ignore[misc, name-defined]
    """Does something at a step, before stoker's callback."""

    def __init__(self, step: int, action: Callable[[Any], object]) -> None:
        self.step, self.action = step, action

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """Call the action."""
        if trainer.global_step == self.step:
            self.action(trainer)


def sends(at: int, *commands: Command) -> At:
    """Return a callback that sends commands to the open run at a step, which they reach at this step."""

    def send(_: Any) -> None:
        (tended,) = OPEN.values()
        for command in commands:
            tended.controls.send(command)

    return At(at, send)


def fit(folder: Path, *callbacks: Any, module: Any = None, validate: bool = True, **options: Any) -> Any:
    """Train the small module, and return its Trainer."""
    trainer = lightning.Trainer(**{**QUIET, "default_root_dir": folder, **options}, callbacks=list(callbacks))
    trainer.fit(module or Small(), LOADER, DataLoader(TensorDataset(X[:8], X[:8, :1]), 4) if validate else None)
    return trainer


def events(folder: Path, name: str = "one") -> list[e.Event]:
    """Return the events of a run."""
    lines = (folder / "runs" / name / "events.jsonl").read_bytes().splitlines()
    return [event for line in lines if (event := e.decode(line)) is not None]


def test_one_callback_makes_a_run_of_a_trainer(tmp_path: Path) -> None:
    """Losses of every step, validations, logged values and Lightning's own checkpoints are events."""
    checkpoints = lightning.callbacks.ModelCheckpoint(
        dirpath=tmp_path / "theirs", every_n_train_steps=10, save_top_k=-1
    )
    fit(tmp_path, callback(tmp_path), checkpoints)
    history = stoker.RunHistory.read(tmp_path / "runs" / "one")
    assert history.state == "completed" and history.steps == 30 and len(history.losses[1]) == 30
    assert ("val", "loss") in history.metric_names and ("train", "train_err") in history.metric_names
    saved = [Path(event.path) for event in events(tmp_path) if isinstance(event, e.CheckpointSaved)]
    assert len(saved) == 3 and all(path.parent.name == "theirs" for path in saved)


def test_the_loss_of_accumulated_batches_is_that_of_the_step(tmp_path: Path) -> None:
    """Lightning divides it by their number; the curve has the mean, and one point for each step."""
    whole = fit(tmp_path, callback(tmp_path, "whole"), module=Small(), validate=False, max_epochs=1)
    fit(tmp_path, callback(tmp_path), accumulate_grad_batches=5, validate=False, max_epochs=1)
    losses = stoker.RunHistory.read(tmp_path / "runs" / "one").losses[1]
    first = stoker.RunHistory.read(tmp_path / "runs" / "whole").losses[1]
    assert len(losses) == 3 and whole.global_step == 15 and losses[0] > 0.2 * first[:5].mean()
    assert losses[0] == pytest.approx(first[:5].mean(), rel=0.5)


def test_pausing_and_saving_leave_the_bits_alone(tmp_path: Path) -> None:
    """Evaluating by hand is refused, because Lightning cannot do it inside a training without changing it."""
    plain, tended = Small(), Small()
    fit(tmp_path, callback(tmp_path, "plain"), module=plain)
    commands = [Command(command=name) for name in ("pause", "save", "evaluate", "resume")]
    fit(tmp_path, sends(7, *commands), callback(tmp_path), module=tended)
    found = {one.command: one for one in events(tmp_path) if isinstance(one, e.CommandAnswered)}
    assert {name: one.status for name, one in found.items()} == {
        "pause": "done", "save": "done", "evaluate": "failed", "resume": "done",
    }  # fmt: skip
    assert "cannot evaluate" in found["evaluate"].message and found["save"].message == "saved step 7"
    saved = torch.load(tmp_path / "runs" / "one" / "checkpoints" / "lightning.ckpt", weights_only=False)
    assert saved["global_step"] == 7
    assert all(torch.equal(plain.state_dict()[name], tended.state_dict()[name]) for name in plain.state_dict())


def test_a_live_learning_rate_goes_through_the_schedule_of_the_module(tmp_path: Path) -> None:
    """And nothing is undone."""
    rates: dict[int, float] = {}
    watching = [At(step, lambda trainer: rates.update({trainer.global_step: rate_of(trainer)})) for step in (7, 9)]

    def rate_of(trainer: Any) -> float:
        return float(trainer.optimizers[0].param_groups[0]["lr"])

    fit(tmp_path, *watching, sends(7, Command(command="set_learning_rate", lr=0.5)), callback(tmp_path))
    assert rates[7] == pytest.approx(1e-2 / 8) and rates[9] == pytest.approx(0.5 * 8 / 10)
    assert not [event for event in events(tmp_path) if isinstance(event, e.Warned)]


def test_a_stop_saves_and_the_script_goes_on(tmp_path: Path) -> None:
    """`fit` returns soon, in the first epoch too; a signal ends the script with 128 + signal."""
    trainer = fit(tmp_path, sends(7, Command(command="stop")), callback(tmp_path), max_epochs=4, min_epochs=3)
    assert trainer.global_step == 7 and RunFolder(tmp_path / "runs" / "one").state() == "stopped"
    with pytest.raises(SystemExit) as ended:
        fit(tmp_path, At(9, lambda _: os.kill(os.getpid(), signal.SIGUSR2)), callback(tmp_path, "two"))
    assert ended.value.code == 128 + signal.SIGUSR2 and RunFolder(tmp_path / "runs" / "two").state() == "stopped"


def test_a_loss_that_is_not_finite_is_told_with_its_step(tmp_path: Path) -> None:
    """Steps are counted from 1."""
    module = Small()
    module.broken_at = 6
    fit(tmp_path, callback(tmp_path), module=module)
    messages = [event.message for event in events(tmp_path) if isinstance(event, e.Warned) and event.kind == "nan"]
    assert messages and "step 7" in messages[0]


def test_the_counter_of_early_stopping_is_shown(tmp_path: Path) -> None:
    """With Lightning's own patience; the run ends as stopped early."""
    early = lightning.callbacks.EarlyStopping("val_loss", patience=2, min_delta=100.0)
    fit(tmp_path, callback(tmp_path), early, max_epochs=9)
    found = [(one.waited, one.patience) for one in events(tmp_path) if isinstance(one, e.EarlyStopping)]
    assert found[-1] == (2, 2) and RunFolder(tmp_path / "runs" / "one").state() == "early_stopping"


def test_an_error_of_the_training_is_recorded(tmp_path: Path) -> None:
    """At once, also in a notebook, where the script never ends."""

    def fail(_: Any) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fit(tmp_path, At(3, fail), callback(tmp_path))
    assert RunFolder(tmp_path / "runs" / "one").state() == "failed"


def train(folder: Path, name: str, *arguments: str) -> int:
    """Run the script as a process, and return its exit code."""
    command = [sys.executable, "-W", "ignore", str(SCRIPT), "--name", name, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=scaled(110), check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.mark.parametrize(
    ("namespace", "accumulate", "data"),
    [
        ("lightning.pytorch", "1", "tensors"),
        pytest.param("lightning.pytorch", "1", "noisy", marks=pytest.mark.slow),
        pytest.param("lightning.pytorch", "2", "noisy", marks=pytest.mark.slow),
        pytest.param("pytorch_lightning", "1", "noisy", marks=pytest.mark.slow),
    ],
)
@pytest.mark.timeout(300)
def test_a_trainer_killed_twice_and_run_again_ends_as_if_undisturbed(
    tmp_path: Path, namespace: str, accumulate: str, data: str
) -> None:
    """With dropout, and a shuffled loader made exact, of tensors or of random data: weights and history are bitwise equal."""
    if importlib.util.find_spec(namespace.partition(".")[0]) is None:
        pytest.skip(f"needs {namespace}")
    options = ["--namespace", namespace, "--accumulate", accumulate, "--data", data]
    assert train(tmp_path, "whole", *options) == 0
    for batch in ("17", "33"):
        assert train(tmp_path, "killed", *options, "--die", batch) == -signal.SIGKILL
    assert train(tmp_path, "killed", *options) == 0
    one, other = (torch.load(tmp_path / f"{name}.pt") for name in ("whole", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    histories = [stoker.RunHistory.read(tmp_path / "runs" / name) for name in ("whole", "killed")]
    assert len(histories[1].current.resumes) == 2, "it was resumed twice"
    assert np.array_equal(histories[0].losses, histories[1].losses)
    for key in histories[0].metric_names:
        assert np.array_equal(histories[0].metric(*key), histories[1].metric(*key)), key
