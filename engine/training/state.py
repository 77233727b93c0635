"""The state of a training: the complete content of a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..accelerator import determinism
from ..checkpoints.compatibility import load_model
from ..checkpoints.schema import FORMAT
from ..config.settings import Settings
from ..data.batches import Batches, batch_count
from ..devices import hardware
from ..environment import versions
from ..errors import CheckpointError
from ..evaluation.early_stopping import EarlyStopping
from ..evaluation.overfitting import Overfitting
from ..evaluation.preserve import Preserved, set_modes
from ..runtime.loss_log import LossLog, to_numbers
from .optimizers import load_state
from .progress import Clock, Progress
from .schedulers import Scheduler
from .task_parts import TaskParts


@dataclass
class TrainingState:
    """The complete state of a training, with methods to save, load and move it."""

    device: torch.device
    settings: Settings
    model: nn.Module
    loss: Any
    """The task's loss; a module with weights moves with the model."""
    optimizer: Optimizer
    scheduler: Scheduler | None
    scaler: torch.amp.GradScaler
    batches: Batches
    early_stopping: EarlyStopping
    progress: Progress
    overfitting: Overfitting = field(default_factory=Overfitting)
    losses: LossLog = field(default_factory=LossLog)
    metrics: dict[str, float] = field(default_factory=dict)
    """Metrics of the last evaluation."""
    window: list[Tensor | float] = field(default_factory=list)
    """Loss () of each batch in the accumulation window; empty between two windows."""
    window_samples: int = 0
    run: str = ""
    """Name of the run in its record; a checkpoint says whose it is."""
    folds_done: list[dict[str, float]] = field(default_factory=list)
    """Test metrics of the folds before this one."""
    build_threads: int = 0
    """Threads that the task was built under."""
    named: Mapping[str, Any] = field(default_factory=dict)
    """The task's own objects."""
    data_checksum: str = ""
    """Checksum of the data, to see on resume that it is the same."""
    data_warnings: list[str] = field(default_factory=list)
    """Why what the data sets yield may not be repeated."""
    preserved: Preserved = field(init=False)
    """What an evaluation that is under way must not change."""

    def __post_init__(self) -> None:
        """Derive the values that the loop reads at every step."""
        self.trained_parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.preserved = Preserved(self.model, self.loss)
        self.parts = TaskParts(self.model, self.loss, self.named, self.preserved)
        ours = set(map(id, self.model.parameters()))
        self._others = {n: p for n, p in enumerate(self.trained_parameters) if id(p) not in ours}
        self.clock = Clock(self.progress)
        self.batches_per_epoch = batch_count(self.batches)
        self.steps_per_epoch = optimizer_steps(self.batches, self.settings.accumulate)

    @property
    def lr(self) -> list[float]:
        """The learning rate of each parameter group."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return the complete state. Its tensors are those of the training: copy them before the next step."""
        self.clock.read()
        stopping = self.early_stopping
        saved: dict[str, Any] = {
            "format": FORMAT,
            "run": self.run,
            "model": self.preserved.state_dict(self.model),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "scaler": self.scaler.state_dict() or None,
            "progress": self.progress.state_dict(),
            "early_stopping": stopping.state_dict(),
            "overfitting": self.overfitting.state_dict(),
            "best": {"monitor": stopping.monitor, "value": stopping.best, "step": stopping.best_step},
            "metrics": dict(self.metrics),
            "train_loss": self.losses.state_dict(),
            "settings": self.settings.asdict(),
            "environment": self.environment(),
            "loader": self.batches.state(),
            "folds": self.folds_done,
            **self.parts.state_dict(),
        }
        if modules := self.preserved.modules_in_evaluation_mode(self.model):
            saved["in_evaluation_mode"] = modules
        # A second optimizer may step later than this one: its gradients wait between two steps.
        if self.window or any(isinstance(value, Optimizer) for value in self.named.values()):
            named = self.model.named_parameters()
            saved["gradients"] = {name: parameter.grad for name, parameter in named if parameter.grad is not None}
            if others := {n: p.grad for n, p in self._others.items() if p.grad is not None}:
                saved["other_gradients"] = others
        if self.window:
            saved["window"] = {"losses": to_numbers(self.window), "samples": self.window_samples}
        return saved

    def environment(self) -> dict[str, Any]:
        """Return what else decides the last bits: versions, threads, device, processor, data."""
        threads = {"threads": torch.get_num_threads(), "build_threads": self.build_threads}
        machine = {"device": self.device.type, **hardware(self.device), **determinism.flags(self.device)}
        data = {"data": self.data_checksum} if self.data_checksum else {}
        return {**versions(), **threads, **machine, **data}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take the state of a checkpoint. Raises CheckpointError, which names the part that does not fit."""
        load_model(self.model, saved["model"])
        set_modes(self.model, saved.get("in_evaluation_mode", []))
        fresh = [dict(group) for group in self.optimizer.param_groups]
        try:
            load_state(self.optimizer, saved["optimizer"])
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
            raise CheckpointError(f"the checkpoint belongs to another optimizer: {error}") from error
        if (self.scheduler is None) != (saved["scheduler"] is None):
            raise CheckpointError("the checkpoint belongs to another scheduler: give the --scheduler it was saved with")
        if self.scheduler is not None:
            self.scheduler.restore(saved["scheduler"], self.optimizer, fresh)
        if saved.get("scaler"):
            # It makes its tensors at the first scaled loss, and an unfinished window may step before there is one.
            self.scaler.scale(torch.zeros((), device=self.device))
            self.scaler.load_state_dict(saved["scaler"])
        self.parts.load_state_dict(saved)
        self.progress.load_state_dict(saved["progress"])
        self.early_stopping.load_state_dict(saved["early_stopping"])
        self.overfitting.load_state_dict(saved["overfitting"])
        self.metrics = dict(saved["metrics"])
        self.losses.load_state_dict(saved["train_loss"])
        if saved.get("loader") is not None:
            self.batches.restore(saved["loader"])
        gradients = {**saved.get("gradients", {}), **saved.get("other_gradients", {})}
        for name, parameter in (*self.model.named_parameters(), *self._others.items()):
            gradient = gradients.get(name)
            parameter.grad = None if gradient is None else gradient.to(parameter.device, copy=True)
        if "window" in saved:
            losses = saved["window"]["losses"]
            # On the device again, so that their mean is taken in the same arithmetic.
            on_device = self.device.type != "cpu"
            self.window = [torch.tensor(loss, device=self.device) if on_device else loss for loss in losses]
            self.window_samples = saved["window"]["samples"]

    def to(self, device: torch.device, *, keep: set[tuple[int, str]]) -> None:
        """Move every tensor to `device`, except the optimizer's in `keep`: (id of a parameter's state, name)."""
        # The parameters stay the same objects, which the optimizer knows; their gradients go along.
        self.model.to(device)
        if isinstance(self.loss, nn.Module):
            self.loss.to(device)
        for values in self.optimizer.state.values():
            for name, value in values.items():
                if isinstance(value, Tensor) and (id(values), name) not in keep:
                    values[name] = value.to(device)
        self.window = [loss.to(device) if isinstance(loss, Tensor) else loss for loss in self.window]


def optimizer_steps(batches: Batches, accumulate: int) -> int | None:
    """Return the optimizer steps of an epoch, or None where the data has no length."""
    count = batch_count(batches)
    return None if count is None else math.ceil(count / accumulate)
