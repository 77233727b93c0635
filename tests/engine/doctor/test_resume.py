"""`stoker check --resume` finds what a checkpoint does not hold, says what to do, and is quiet where all is well."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.doctor.check import check
from stoker.engine.doctor.differences import different_parts
from stoker.engine.doctor.probe import Trace, plan, probe
from stoker.engine.doctor.report import Report
from stoker.engine.doctor.resume_test import in_new_process
from stoker.engine.errors import RequestError
from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder
from tests.support import inexact_tasks
from tests.support.paths import PROJECTS, SUPPORT

TASKS = SUPPORT / "inexact_tasks.py"
PORTED_NAMES = (
    "classifier",
    "language_model",
    "vae",
    "gan",
    "denoiser",
    "recommender",
    "sentences",
    "imbalanced",
    "distillation",
    "self_supervised",
)


def here(folder: RunFolder, part: str, evaluate: bool) -> Trace:
    """Train a part in this process: the task's file is imported anew, as in a new process."""
    return probe(folder, part, evaluate=evaluate)


def checked(name: str, **given: object) -> Report:
    """Return the report of a task of inexact_tasks.py."""
    return check(f"{TASKS}:{name}", given=given, resume=True, run=here)


NAMED = {
    "numpy_rows": "`NumpyRows` yields another item",
    "torch_rows": "`TorchRows` yields another item",
    "transformed_rows": "`TransformedRows` yields another item",
    "measured_rows": "`NumpyRows` yields another item",
    "counting_rows": "`CountingRows` yields another item",
    "curriculum_rows": "`read` of the data set `CurriculumRows` changes",
    "caching_rows": "`CachingRows` yields another item",
    "clock_rows": "Two uninterrupted trainings under one seed differ already: the first batch that differs is batch 1 of",
    "worker_rows": "`NumpyRows` yields another item",
    "own_order": "`OwnOrder` has an order of its own",
    "own_stream": "`OwnStream` has no `state_dict`",
    "unseeded_data": "The data is not that of the checkpoint",
    "closure_rng": "`rng`, which the task's `step` holds, changes",
    "module_rng": "`global_rng`, which the task's `step` holds, changes",
    "closure_average": "`average`, which the task's `evaluate` holds, changes",
    "module_average": "`global_average`, which the task's `step` holds,",
    "closure_hidden": "`hidden`, which the task's `step` holds, changes",
    "closure_counter": "`steps`, a number which the task's `step` holds, changes",
    "closure_schedule": "`holder`, which the task's `optimizer` holds, changes",
    "clock_step": "on the same batches, the loss of step 1 differs",
    "own_optimizer": "`slow` of the optimizer `Lookahead` changes",
    "second_optimizer": "2 parameters are not in the task's optimizer",
    "changing_evaluation": "An evaluation changes the training",
}
"""What the finding must name, for each planted task."""


@pytest.mark.parametrize("name", inexact_tasks.INEXACT)
def test_planted_state_is_found(name: str) -> None:
    """The check is not exact, and one of its sentences names the cause."""
    report = checked(name)
    messages = [finding.message for finding in report.findings]
    assert report.compared and not report.exact
    assert any(NAMED[name] in message for message in messages), messages
    assert all(re.match(r"[`A-Z0-9].*[.)]$", message) for message in messages), messages


@pytest.mark.parametrize("name", inexact_tasks.EXACT)
def test_exact_task_is_quiet(name: str) -> None:
    """What a checkpoint holds, and a counter for a log line, are no findings."""
    report = checked(name)
    assert (report.compared, report.findings) == (True, [])
    assert report.conclusion().startswith("Exact: after a save and a resume")


@pytest.mark.parametrize("given", [{"accumulate": 3}, {"precision": "bf16"}, {"split": "kfold:2"}, {"workers": 1}])
def test_exact_task_is_quiet_under_other_settings(given: dict[str, object]) -> None:
    """The save falls into an accumulation window; a run of folds is checked by its first one."""
    assert checked("global_rows", **given).findings == []


@pytest.mark.parametrize(("per_epoch", "accumulate"), [(None, 1), (1, 1), (2, 1), (5, 2), (41, 1), (1000, 30)])
def test_save_is_inside_the_training(per_epoch: int | None, accumulate: int) -> None:
    """The plan saves before the last batch; with short epochs in the second one, and it ends in the third."""
    first, whole = plan(per_epoch, accumulate)
    assert 0 < first < whole
    if per_epoch is not None and per_epoch <= 40:
        assert per_epoch < first <= 2 * per_epoch < whole


PORTED = [f"{PROJECTS}/ported.py:{name}" for name in PORTED_NAMES]
OTHERS = ["single/spirals.py:spirals", "package/arithmetic/train.py:adding", "words/shouting.py:shouting"]
BUILT_IN = ["iris", "digits"]


@pytest.mark.parametrize("name", [*PORTED, *(f"{PROJECTS}/{name}" for name in OTHERS), *BUILT_IN])
def test_usual_training_is_quiet(name: str) -> None:
    """Nothing is found in the built-in tasks and in trainings of well-known kinds."""
    report = check(name, resume=True, run=here)
    assert (report.findings, report.compared) == ([], True)


@pytest.mark.skipif("STOKER_DATA" not in os.environ, reason="needs the real MNIST in STOKER_DATA")
def test_mnist_is_quiet() -> None:
    """Nothing is found in the built-in task with a long epoch."""
    assert check("mnist", resume=True, run=here).findings == []


@pytest.mark.slow
def test_what_only_a_new_process_shows_is_found() -> None:
    """The order of a set differs in each process."""
    report = check(f"{TASKS}:set_order", resume=True)
    messages = [finding.message for finding in report.findings]
    assert any("The data is not that of the checkpoint" in message for message in messages), messages
    assert any(message.startswith("After the resume these parts differ: weights") for message in messages)


def test_training_of_a_check_runs_in_a_new_process(tmp_path: Path) -> None:
    """Its trace and checkpoint are those of a training in this process; a request that is wrong gives its own error."""
    given = {"parameters": {}, "given": {"threads": 1, "device": "cpu"}}
    ours, theirs = (runs.create(tmp_path, f"{TASKS}:global_rows", name, given) for name in ("ours", "theirs"))
    one, other = here(ours, "whole", True), in_new_process(theirs, "whole", True)
    assert (one.digests, one.losses, one.batches) == (other.digests, other.losses, other.batches)
    states = [checkpoint.newest(folder.checkpoints) for folder in (ours, theirs)]
    assert different_parts(*(found[1] for found in states if found is not None)) == {}
    broken = runs.create(tmp_path, f"{TASKS}:no_such_task", "broken", given)
    with pytest.raises(RequestError, match="has no function 'no_such_task'"):
        in_new_process(broken, "whole", True)
