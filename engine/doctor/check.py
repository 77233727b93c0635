"""Check a task before it is trained: does a batch fit, and is a resume exact?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..runs import folder as runs
from ..tasks.task import Task
from .first_batch import try_batches
from .report import Report
from .resume_test import Run, compare, in_new_process


def check(
    task: str,
    parameters: dict[str, Any] | None = None,
    given: dict[str, Any] | None = None,
    *,
    resume: bool = False,
    function: Callable[..., Task] | None = None,
    run: Run = in_new_process,
) -> Report:
    """Try one batch of training and one of evaluation; with `resume`, compare a resumed training with a whole one.

    `task`, `parameters` and `given` are those of a run. `function` makes the task in place of the one that `task` names;
    then `run` must make it too. All files are in a temporary folder that is removed. Raises RequestError.
    """
    report = Report(task)
    record = {"parameters": parameters or {}, "given": given or {}}
    with tempfile.TemporaryDirectory(prefix="stoker-check-") as place:
        try_batches(runs.create(Path(place), task, None, record), report, function)
        if resume and all(finding.kind != "misfit" for finding in report.findings):
            compare(Path(place), task, record, report, run)
    return report
