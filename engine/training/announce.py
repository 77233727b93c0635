"""The events at the start of a training: its description, inexact parts, and changes since its checkpoint."""

from __future__ import annotations

import os
import socket
from typing import Any

import torch

from ..accelerator import nvml
from ..checkpoints.compatibility import environment_changes, file_changes, settings_changes
from ..data.tensor_batches import TensorBatches
from ..devices import device_label, gpu_uuid
from ..runs.events import Event, RunStarted, Steps, Warned
from ..runs.extend import given_limits
from ..runs.record import Record
from .trainer import Trainer

CHOSEN = "Of {} GPUs {} was chosen: {}."
MOST_FREE = "it had the most free memory"
UNTOLD = "the driver does not tell how much memory is free"
NOT_DETERMINISTIC = "--no-deterministic: on a GPU a resumed run may differ in the last bits."
COMPILED = "torch.compile may choose other GPU kernels in a resumed run, by their speed then: the last bits may differ."
WAITS = "{} cannot skip an update on the device, so each step waits for its loss."
FUSED = " An optimizer with fused=True, such as Adam, AdamW or SGD, does not wait."
ON_HOST = (
    "The training data takes more than half of the free memory of {}: it stays on the host, and each batch is copied."
)
SECOND_OPTIMIZER = (
    "{} parameters are not in the task's optimizer. If `step` updates them with a second optimizer,"
    " that optimizer's state is not in the checkpoint."
)
NOT_TRAINED = (
    "{} parameters of the model are not in the task's optimizer and keep their first values (the first is `{}`)."
    " If that is meant, give them requires_grad_(False)."
)
OTHER_DATA = (
    "The data is not that of the checkpoint (its checksum was {}, now it is {}): results will differ. Give the files that"
    " the run started with, and build the data in a fixed order: sorted, seeded, without the clock."
)

FROZEN = (
    "{} modules are in evaluation mode and stay in it (the first is `{}`)."
    " Call `model.train()` in the task to train them in training mode."
)
LOST_PARAMETERS = (
    "{} parameters of the optimizer belong to neither the model nor the loss: their values are not in the checkpoint."
    ' Give their module: Task(state={{"head": head}}).'
)


def started(trainer: Trainer, *, run: str, task: str, resumed_from: int | None) -> RunStarted:
    """Return the `run_started` event; `resumed_from` is the step from which the training continues, or None."""
    state = trainer.state
    return RunStarted(
        run=run,
        task=task,
        device=device_label(trainer.device),
        gpu=gpu_uuid(trainer.device),
        parameters=sum(p.numel() for p in state.model.parameters()),
        epochs=trainer.settings.epochs,
        steps_per_epoch=state.steps_per_epoch,
        resumed_from=resumed_from,
        pid=os.getpid(),
        host=socket.gethostname(),
        folds=trainer.settings.folds,
        metrics=trainer.metric_directions,
        scheduler_unit=state.scheduler.unit if state.scheduler else "none",
        **trainer.position,
    )


def inexactness(trainer: Trainer) -> list[Warned]:
    """Return the task's note, and a warning for each reason why resuming may not be exact."""
    state, task = trainer.state, trainer.task
    found = [_warning(trainer, "note", task.note)] if task.note else []
    if frozen := state.preserved.modules_in_evaluation_mode(state.model):
        found.append(_warning(trainer, "note", FROZEN.format(len(frozen), frozen[0])))
    if trainer.settings.device == "auto" and trainer.device.type == "cuda" and torch.cuda.device_count() > 1:
        told = nvml.free_memory([gpu_uuid(trainer.device)])[0] is not None
        message = CHOSEN.format(torch.cuda.device_count(), trainer.device, MOST_FREE if told else UNTOLD)
        found.append(_warning(trainer, "note", message))
    if trainer.device.type == "cuda" and not trainer.settings.deterministic:
        found.append(_warning(trainer, "inexact", NOT_DETERMINISTIC))
    if trainer.device.type == "cuda" and trainer.settings.compile:
        found.append(_warning(trainer, "inexact", COMPILED))
    if trainer.step.guard.waits:
        advice = FUSED if trainer.device.type == "cuda" else ""
        found.append(_warning(trainer, "note", WAITS.format(type(state.optimizer).__name__) + advice))
    if isinstance(state.batches, TensorBatches) and state.batches.on_host:
        found.append(_warning(trainer, "note", ON_HOST.format(trainer.device)))
    if state.batches.inexact_reason is not None:
        found.append(_warning(trainer, "inexact", state.batches.inexact_reason))
    found += [_warning(trainer, "inexact", message) for message in state.data_warnings]
    known = set(map(id, state.trained_parameters))
    for value in task.state.values():
        if isinstance(value, torch.optim.Optimizer):
            known.update(id(p) for group in value.param_groups for p in group["params"])
    others = [name for name, p in state.model.named_parameters() if p.requires_grad and id(p) not in known]
    if others and task.step is not None:
        found.append(_warning(trainer, "inexact", SECOND_OPTIMIZER.format(len(others))))
    elif others:
        found.append(_warning(trainer, "note", NOT_TRAINED.format(len(others), others[0])))
    saved = [state.model, task.loss, *task.state.values()]
    kept = {id(p) for part in saved if isinstance(part, torch.nn.Module) for p in part.parameters()}
    kept.update(id(part) for part in saved if isinstance(part, torch.Tensor))
    if lost := sum(id(p) not in kept for p in state.trained_parameters):
        found.append(_warning(trainer, "inexact", LOST_PARAMETERS.format(lost)))
    return found


def changes(trainer: Trainer, saved: dict[str, Any], record: Record, sources: dict[str, str]) -> list[Warned]:
    """Return a warning for each kind of difference from when the checkpoint `saved` was written.

    `sources` has the sha256 of each file of the task now, by path.
    """
    found: list[Warned] = []
    then, now = saved.get("environment", {}), trainer.state.environment()
    # An engine whose workers read the data has no checksum of it.
    if "data" in then and "data" in now and then["data"] != now["data"]:
        found.append(_warning(trainer, "inexact", OTHER_DATA.format(then["data"], now["data"])))
    if different := environment_changes({name: then[name] for name in then if name != "data"}, now):
        message = f"Environment changed since the checkpoint ({', '.join(different)}):"
        found.append(_warning(trainer, "inexact", f"{message} results may differ in the last bits."))
    if missing := trainer.state.parts.missing(saved):
        message = f"The checkpoint has no state of {', '.join(missing)}: they start anew."
        found.append(_warning(trainer, "inexact", message))
    before, after = saved["settings"], trainer.settings.asdict()
    if trainer.task.optimizer is not None:
        before = {**before, "optimizer": after["optimizer"]}  # older versions recorded one that was not used
    limits = given_limits(record)
    if different := settings_changes(before, after, limits):
        found.append(_warning(trainer, "note", f"Training limit changed: {', '.join(different)}."))
    different = file_changes(record.sources, sources)
    # Another device is a change of the environment, which has been told, and not another task.
    different += settings_changes(before, after, [name for name in after if name not in (*limits, "device")])
    if different:
        message = f"The task changed since the run started: {'; '.join(different)}."
        found.append(_warning(trainer, "task_changed", message))
    return found


def gap_in_history(events: list[Event], step: int) -> str | None:
    """Return a sentence if `events`, the last ones of earlier engines, end before the checkpoint's `step`."""
    last = next((event.step for event in reversed(events) if isinstance(event, Steps)), None)
    if last is None or last >= step:
        return None
    return f"events.jsonl lacks the steps {last + 1} to {step}: an earlier engine could not write them."


def _warning(trainer: Trainer, kind: str, message: str) -> Warned:
    return Warned(kind=kind, message=message, **trainer.position)
