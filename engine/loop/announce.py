"""The first and the last event of a user's loop."""

from __future__ import annotations

import math
import os
import socket

from ..devices import device_label
from ..runs.events import RunFinished, RunStarted
from ..runs.folder import RunFolder
from ..runs.record import Record
from ..runs.script import change_since
from .state import LoopState


def started(state: LoopState, folder: RunFolder) -> RunStarted:
    """Return the event that this process runs the loop."""
    sizes = {id(p): p.numel() for module in state.parts.all_modules() for p in module.parameters(recurse=False)}
    stopping = state.evaluation.early_stopping
    return RunStarted(
        run=folder.name,
        task=folder.record().task,
        device=device_label(state.device),
        parameters=sum(sizes.values()),
        epochs=state.settings["epochs"],
        steps_per_epoch=state.batches_per_epoch,
        resumed_from=state.resumed_from,
        pid=os.getpid(),
        host=socket.gethostname(),
        metrics={stopping.monitor: "lower" if stopping.lower_is_better else "higher"},
        **state.position,
    )


def changes(environment: list[str], record: Record) -> list[tuple[str, str]]:
    """Return kind and message of a warning for each reason why a resumed loop may not be as it was.

    `environment` holds what changed in the software or the machine since the checkpoint.
    """
    found = []
    if environment:
        message = f"Environment changed since the checkpoint ({', '.join(environment)}):"
        found.append(("inexact", f"{message} results may differ in the last bits."))
    if (changed := change_since(record)) is not None:
        found.append(("task_changed", f"{changed}: the run goes on with the new code"))
    return found


def unused(state: LoopState, *, started: bool, logged: bool) -> str:
    """Return a sentence about a script that has not used its Run in this process; empty where it has."""
    if not started:
        return "the script opened a run, but had no `for epoch in run.epochs():` or `for step in run.steps(…):`"
    if state.progress.step == (state.resumed_from or 0):
        resumed = state.resumed_from is not None
        return "nothing was left to train" if resumed else "the optimizer that was named to the run took no step"
    return "" if logged else "no loss was recorded: call run.log(loss=loss) after each step"


def finished(state: LoopState, cause: str, message: str) -> RunFinished:
    """Return the event that the loop has ended, with the best value and the last metrics."""
    best = state.evaluation.early_stopping.best
    test = {name: value for name, value in state.evaluation.metrics.items() if math.isfinite(value)}
    return RunFinished(
        cause=cause, best=None if math.isnan(best) else best, test=test, message=message, **state.position
    )
