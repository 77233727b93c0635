"""The complete state of a training: captured between two batches, restored in another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ..checkpoints.files import FORMAT
from ..devices import versions
from ..errors import CheckpointError
from ..runtime.loss_log import numbers
from .progress import Progress

if TYPE_CHECKING:
    from .trainer import Trainer

SHOWN = 6  # differing names shown in an error


def capture(trainer: Trainer) -> dict[str, Any]:
    """Return everything that going on needs; its tensors are those of the training."""
    trainer.read_clock()
    stopping = trainer.examiner.early_stopping
    saved: dict[str, Any] = {
        "format": FORMAT,
        "model": trainer.model.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "scheduler": trainer.schedule.state_dict() if trainer.schedule else None,
        "scaler": trainer.scaler.state_dict() or None,
        "progress": trainer.progress.asdict(),
        "early_stopping": stopping.state_dict(),
        "overfitting": trainer.examiner.overfitting.state_dict(),
        "best": {"monitor": stopping.monitor, "value": stopping.best, "step": stopping.best_step},
        "metrics": dict(trainer.examiner.last),
        "train_loss": {"sum": trainer.losses.sum, "count": trainer.losses.count},
        "settings": trainer.settings.asdict(),
        "environment": {**versions(), "threads": torch.get_num_threads(), "device": trainer.device.type},
        "loader": trainer.batches.state(),
        "folds": trainer.folds_done,
    }
    if trainer.window:
        saved["gradients"] = {
            name: parameter.grad for name, parameter in trainer.model.named_parameters() if parameter.grad is not None
        }
        saved["window"] = {"losses": numbers(trainer.window), "samples": trainer.window_samples}
    return saved


def restore(trainer: Trainer, saved: dict[str, Any]) -> None:
    """Put a checkpoint's state into a freshly built trainer. Raises CheckpointError, which says what does not fit."""
    load_model(trainer.model, saved["model"])
    fresh = [dict(group) for group in trainer.optimizer.param_groups]
    try:
        trainer.optimizer.load_state_dict(saved["optimizer"])
    except (ValueError, KeyError) as error:
        raise CheckpointError(f"the checkpoint is of another optimizer: {error}") from error
    if (trainer.schedule is None) != (saved["scheduler"] is None):
        raise CheckpointError("the checkpoint is of another schedule: give the --scheduler it was saved with")
    if trainer.schedule is not None:
        trainer.schedule.restore(saved["scheduler"], trainer.optimizer, fresh)
    if saved.get("scaler"):
        trainer.scaler.load_state_dict(saved["scaler"])
    trainer.progress = Progress.of(saved["progress"])
    trainer.examiner.early_stopping.load_state_dict(saved["early_stopping"])
    trainer.examiner.overfitting.load_state_dict(saved["overfitting"])
    trainer.examiner.last = dict(saved["metrics"])
    trainer.losses.sum, trainer.losses.count = saved["train_loss"]["sum"], saved["train_loss"]["count"]
    if saved.get("loader") is not None:
        trainer.batches.restore(saved["loader"])
    for name, parameter in trainer.model.named_parameters():
        gradient = saved.get("gradients", {}).get(name)
        parameter.grad = None if gradient is None else gradient.to(parameter.device, copy=True)
    if "window" in saved:
        losses = saved["window"]["losses"]
        # Where they were, so that their mean is taken in the same arithmetic.
        on_device = trainer.device.type != "cpu"
        trainer.window = [torch.tensor(loss, device=trainer.device) if on_device else loss for loss in losses]
        trainer.window_samples = saved["window"]["samples"]


def load_model(model: torch.nn.Module, saved: dict[str, Any]) -> None:
    """Load parameters and buffers. Raises CheckpointError, which names the keys and shapes that differ."""
    own = model.state_dict()
    trouble = [f"{name} is missing" for name in own if name not in saved]
    trouble += [f"{name} is not in the model" for name in saved if name not in own]
    trouble += [
        f"{name} is {tuple(saved[name].shape)}, the model's is {tuple(value.shape)}"
        for name, value in own.items()
        if name in saved and hasattr(value, "shape") and saved[name].shape != value.shape
    ]
    if trouble:
        more = f" and {len(trouble) - SHOWN} more" if len(trouble) > SHOWN else ""
        raise CheckpointError(f"the checkpoint is of another model: {'; '.join(trouble[:SHOWN])}{more}")
    model.load_state_dict(saved)


def differences(saved: dict[str, Any], threads: int, device: str) -> list[str]:
    """Say what is not as it was when the checkpoint was saved, and may change the last bits."""
    then = saved.get("environment", {})
    now = {**versions(), "threads": threads, "device": device}
    return [f"{name} was {then[name]}, is {now.get(name)}" for name in then if then[name] != now.get(name)]
