"""Train a few batches in one go, and again with a save and a resume in a new process, and compare the bits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..checkpoints import files as checkpoint_files
from ..errors import CheckpointError, RequestError
from ..runs import folder as runs
from ..runs.folder import RunFolder
from .differences import different_parts, in_words, same
from .probe import Trace
from .report import Report

Run = Callable[[RunFolder, str, bool], Trace]
"""`run(folder, part, evaluate)` trains a part of the check in a new process and returns its trace."""
NOT_REPEATED = (
    "Two uninterrupted trainings under one seed differ already{where}. Something draws without a seed, or reads the clock"
    " or the order of a set: sort sets, and draw from the global generators of torch, numpy or Python."
)
OTHER_BATCHES = (
    "After the resume the batches are others, from batch {batch} of epoch {epoch} on. Draw from the global generators in"
    " the data, or give the data set or loader `state_dict` and `load_state_dict`."
)
EVALUATION = (
    "An evaluation changes the training: without the evaluation before the save, the resume is exact. Let `evaluate` and"
    " the model change nothing of their own while they evaluate."
)
COMPILE = (
    "With --compile the resume is not exact, without it it is: torch compiles another form after the resume. Make the"
    " last batch as large as the others (drop_last), or train without --compile."
)
STEP_STATE = (
    "The batches after the resume are the same, but the loss of step {step} differs: the step, the model or the loss keeps"
    " something outside the checkpoint, or draws from a generator of its own. Keep it in Task(state=…)."
)
UPDATE_STATE = (
    "The losses after the resume are the same, but the update differs: the backward pass or the optimizer keeps something"
    " outside the checkpoint. Return it from the optimizer's `state_dict`, or keep it in Task(state=…)."
)


def in_new_process(folder: RunFolder, part: str, evaluate: bool) -> Trace:
    """Train a part of the check in a new process. Raises RequestError with the process's own message."""
    path = folder.path / f"{part}.trace"
    options = [] if evaluate else ["--no-evaluation"]
    done = subprocess.run(
        # -P: a module of the current folder must not hide one of Python's.
        [sys.executable, "-P", "-m", "stoker.engine.doctor.probe", str(folder.path), part, str(path), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if not path.exists():
        lines = done.stderr.strip().splitlines()
        message = lines[-1].removeprefix("stoker: ") if lines else f"it ended with exit code {done.returncode}"
        raise RequestError(f"the check's training could not run: {message}")
    return Trace.read(path)


def compare(place: Path, task: str, record: dict[str, Any], report: Report, run: Run = in_new_process) -> None:
    """Compare an uninterrupted training with a resumed one in the folder `place`, and add what differs to `report`.

    Raises RequestError where a training cannot begin.
    """
    whole, one = _train(place, task, record, "whole", run)
    if one.finished:
        report.add("misfit", f"The training fails within {one.batches} batches: {one.finished}.")
        return
    resumed, other = _train(place, task, record, "resumed", run)
    if other.finished:
        report.add("inexact", f"The training fails after the resume: {other.finished}.")
        return
    report.compared, report.batches = True, one.batches
    for message in dict.fromkeys(other.warnings + one.warnings):
        report.add("inexact", message)
    parts = different_parts(whole, resumed)
    if parts:
        _explain(place, task, record, report, run, whole, one, other, parts)
    elif one.passed_an_epoch:
        report.settle()


def _explain(
    place: Path,
    task: str,
    record: dict[str, Any],
    report: Report,
    run: Run,
    whole: dict[str, Any],
    one: Trace,
    other: Trace,
    parts: dict[str, list[str]],
) -> None:
    """Add what differs and, found by further trainings, where it comes from."""
    report.add("inexact", f"After the resume these parts differ: {in_words(parts)}.")
    again, repeated = _train(place, task, record, "whole", run)
    if different_parts(whole, again):
        report.add("inexact", NOT_REPEATED.format(where=_where(one, repeated)))
        return
    if record["given"].get("compile"):
        plain = {**record, "given": {**record["given"], "compile": False}}
        if not _differs(place, task, plain, run):
            report.add("inexact", COMPILE)
            return
    if not different_parts(whole, _train(place, task, record, "resumed", run, evaluate=False)[0]):
        report.add("inexact", EVALUATION)
    named = [message for message in one.own_state if not _said(message, report)]
    for message in named[:5]:
        report.add("inexact", f"{message[0].upper()}{message[1:]}.")
    if (batch := _first(one.digests, other.digests)) is not None:
        epoch, number = batch.split(":")
        report.add("inexact", OTHER_BATCHES.format(epoch=int(epoch) + 1, batch=int(number) + 1))
    elif (step := _first(one.losses, other.losses)) is not None:
        report.add("inexact", STEP_STATE.format(step=step))
    elif "model" in parts or "optimizer" in parts:
        report.add("inexact", UPDATE_STATE)


def _differs(place: Path, task: str, record: dict[str, Any], run: Run) -> bool:
    whole, _ = _train(place, task, record, "whole", run)
    resumed, _ = _train(place, task, record, "resumed", run)
    return bool(different_parts(whole, resumed))


def _train(
    place: Path, task: str, record: dict[str, Any], how: str, run: Run, *, evaluate: bool = True
) -> tuple[dict[str, Any], Trace]:
    """Return the checkpoint and trace of a training in a new folder: in one go, or saved and resumed."""
    folder = runs.create(place, task, None, {**record})
    if how == "whole":
        trace = run(folder, "whole", True)
    else:
        trace = run(folder, "first", evaluate)
        if not trace.finished:
            trace = run(folder, "second", True)
    found = None if trace.finished else checkpoint_files.newest(folder.checkpoints)
    if found is None and not trace.finished:
        raise CheckpointError("the check's training saved no checkpoint")
    return (found[1] if found else {}), trace


def _first(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """Return the first key under which two traces differ; only keys that both have count."""
    return next((key for key in one if key in other and not same(one[key], other[key])), None)


def _where(one: Trace, other: Trace) -> str:
    if (batch := _first(one.digests, other.digests)) is not None:
        return ": the first batch that differs is batch {1} of epoch {0}".format(
            *(int(n) + 1 for n in batch.split(":"))
        )
    step = _first(one.losses, other.losses)
    return f": on the same batches, the loss of step {step} differs" if step is not None else ""


def _said(message: str, report: Report) -> bool:
    """Return whether the run's own warnings have named this variable already."""
    name = message.split("`")[1]
    return any(f"`{name}`" in finding.message for finding in report.findings)
