"""Build the state of a training from its task and settings."""

from __future__ import annotations

import torch
from torch import nn

from ..config.settings import Settings
from ..data.factory import training_batches
from ..data.inspection import inspect_data
from ..evaluation.early_stopping import EarlyStopping
from ..tasks.task import Task
from . import optimizers, schedulers
from .progress import Progress
from .state import TrainingState, optimizer_steps


def build_state(
    task: Task,
    settings: Settings,
    device: torch.device,
    *,
    lower_is_better: bool,
    fold: int,
    folds_done: list[dict[str, float]],
) -> TrainingState:
    """Return the state before the first step: model on `device`, data, optimizer, scheduler, counters.

    `lower_is_better` is the direction of the monitored metric. Raises SettingError if the settings do not fit the task.
    """
    model = task.model.to(device)
    # A pretrained model often comes in evaluation mode. Single modules in that mode are frozen on purpose.
    if not model.training:
        model.train()
    if settings.channels_last:
        model = model.to(memory_format=torch.channels_last)
    if isinstance(task.loss, nn.Module):
        task.loss.to(device)  # weights of classes are tensors too
    batches = training_batches(
        task.train, settings, device, augment=task.augment, collate=task.collate, options=task.loader
    )
    if task.optimizer is not None:
        optimizer = optimizers.validate_optimizer(task.optimizer(model, settings.lr))
    else:
        optimizer = optimizers.build_optimizer(settings.optimizer, model, settings.lr)
    optimizers.start_momentum(optimizer)
    scheduler = schedulers.build_scheduler(
        settings.scheduler,
        optimizer,
        settings.lr,
        epochs=settings.epochs,
        steps_per_epoch=optimizer_steps(batches, settings.accumulate),
        lower_is_better=lower_is_better,
    )
    # Validation data, or else test data: what the run is measured on.
    measured = task.val if task.val is not None else task.test
    looks = [inspect_data(task.train, settings.seed, settings.workers)]
    if measured is not None and measured is not task.train:
        looks.append(inspect_data(measured, settings.seed, settings.workers))
    return TrainingState(
        device=device,
        settings=settings,
        model=model,
        loss=task.loss,
        optimizer=optimizer,
        scheduler=scheduler,
        scaler=torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16"),
        batches=batches,
        early_stopping=EarlyStopping(settings.monitor, settings.patience, lower_is_better=lower_is_better),
        progress=Progress(fold=fold),
        folds_done=folds_done,
        named=task.state,
        data_checksum="-".join(look.checksum for look in looks if look.checksum),
        data_warnings=list(dict.fromkeys(look.warning for look in looks if look.warning is not None)),
    )
