"""`stoker check` names the shapes and types where a batch does not fit, and what else a batch shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from stoker.engine import Task
from stoker.engine.doctor.check import check
from stoker.engine.doctor.report import Report
from tests.support.end_to_end import stoker
from tests.support.in_process import Run, create
from tests.support.paths import SUPPORT

INPUTS, CLASSES = torch.rand(40, 5), torch.arange(40) % 3
SETTINGS = {"epochs": 1, "batch_size": 8, "device": "cpu", "threads": 1}


def task(**more: Any) -> Task:
    usual: dict[str, Any] = {"model": nn.Linear(5, 3), "train": (INPUTS, CLASSES), "loss": nn.CrossEntropyLoss()}
    return Task(**{**usual, "settings": SETTINGS, **more})


def checked(**more: Any) -> Report:
    return check("own:task", function=lambda: task(**more))


def of(kind: str, report: Report) -> list[str]:
    """Return the messages of one kind."""
    return [finding.message for finding in report.findings if finding.kind == kind]


DEEP = {"model": nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(7, 3))}
MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "layer": (DEEP, "`2` (Linear) got float32 (8, 4)"),
    "inputs": (
        {"train": (INPUTS.double(), CLASSES)},
        "inputs are float64 and the parameters float32: write inputs.to(torch",
    ),
    "float classes": ({"train": (INPUTS, CLASSES.float())}, "targets float32 (8,): class numbers must be int64: write"),
    "column": ({"train": (INPUTS, CLASSES[:, None])}, "write targets.squeeze(1)"),
    "from one": ({"train": (INPUTS, CLASSES + 1)}, "targets go from 1 to 3, but classes count from 0 to 2"),
    "binary": (
        {"loss": nn.BCEWithLogitsLoss(), "model": nn.Linear(5, 1), "train": (INPUTS, CLASSES[:, None] % 2)},
        "targets int64 (8, 1): targets must be numbers from 0 to 1: write targets.float()",
    ),
    "broadcast": (
        {"loss": nn.MSELoss(), "model": nn.Linear(5, 1), "train": (INPUTS, CLASSES.float())},
        "are broadcast to (8, 8), so each output is compared with every target",
    ),
    "nan": ({"train": (INPUTS * torch.nan, CLASSES)}, "The loss of the first training batch (float32 (8, 5) and int64"),
    "step": (
        {"step": lambda model, batch: model(batch["x"]).sum()},
        "A training batch (float32 (8, 5) and int64 (8,)) fails: TypeError: tuple indices must be integers",
    ),
    "evaluation": ({"test": (INPUTS[:, :2], CLASSES)}, "An evaluation batch fails: RuntimeError: mat1 and mat2 shapes"),
    "metric": ({"metrics": ["rmse"]}, "An evaluation batch fails: "),
}


@pytest.mark.parametrize("name", MISFITS)
def test_misfit_is_named(name: str) -> None:
    """The one finding names the place, the shapes and types, and what to write."""
    given, wanted = MISFITS[name]
    report = checked(**given)
    (message,) = of("misfit", report)
    assert wanted in message and message.endswith(".")
    assert not report.exact and report.conclusion() == "The task cannot be trained as it is."


def test_fitting_task_has_no_findings() -> None:
    """A good task is checked in silence."""
    assert checked().findings == []


def test_parameter_outside_the_optimizer_is_named() -> None:
    """It keeps its first value: the training is exact all the same."""
    model = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3))
    report = checked(model=model, optimizer=lambda m, lr: torch.optim.SGD(m[1].parameters(), lr))
    (message,) = of("note", report)
    assert message.startswith("2 parameters of the model are not in the task's optimizer and keep their first values")
    assert "`0.weight`" in message and report.exact


def test_run_says_what_does_not_fit_in_its_first_batch(tmp_path: Path) -> None:
    """The message of a failed run ends with the layer and the shape that it got."""
    failed = Run(create(tmp_path, "own"), function=lambda: task(**DEEP)).finished
    assert failed.cause == "failed" and failed.message.startswith("RuntimeError: mat1 and mat2 shapes")
    assert ": `2` (Linear) got float32 (8, 4)" in failed.message


@pytest.mark.parametrize("options", [[], pytest.param(["--resume"], marks=pytest.mark.slow)])
def test_command_ends_with_0_and_leaves_no_files(options: list[str], tmp_path: Path) -> None:
    """Also with --resume, whose trainings are processes of their own."""
    done = stoker(tmp_path, "check", "iris", "hidden=4", "--json", *options)
    report = json.loads(done.stdout)
    assert (done.returncode, report["exact"], report["compared"], report["findings"]) == (0, True, bool(options), [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["own_stream"], 1, "not exact: `OwnStream` has no `state_dict`"),
        (["no_such_function"], 2, "has no function 'no_such_function'"),
        (["saved_rows", "--lr", "-1"], 2, "--lr must be a number above 0"),
    ],
)
def test_command_ends_with_the_code_of_its_result(arguments: list[str], code: int, line: str, tmp_path: Path) -> None:
    """1 where something was found, 2 for a wrong request, without a traceback."""
    where = f"{SUPPORT / 'inexact_tasks.py'}:{arguments[0]}"
    done = stoker(tmp_path, "check", where, *arguments[1:])
    assert done.returncode == code and line in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"test": (INPUTS[:, :2], CLASSES)}, "The first evaluation will fail: RuntimeError: mat1 and mat2 shapes"),
        ({"metrics": ["rmse"]}, "The first evaluation will fail: "),
        ({}, ""),
    ],
)
def test_run_warns_at_its_start_of_an_evaluation_that_will_fail(
    given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """Not only after its first epoch, which may take hours."""
    done = Run(create(tmp_path, "own"), function=lambda: task(**given))
    found = done.warnings("evaluation")
    assert [line.startswith(message) for line in found] == ([True] if message else [])
    assert done.finished.cause == ("failed" if message else "completed")
