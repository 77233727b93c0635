"""Errors in a Task are reported in one line, before the run starts if possible."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stoker.engine.errors import RequestError, TaskError
from stoker.engine.runs.events import Evaluated
from tests.support.in_process import Run, create, run
from tests.support.paths import SUPPORT

TASKS = SUPPORT / "invalid_tasks.py"


@pytest.mark.parametrize(
    ("what", "named"),
    [
        (
            "stream",
            r"give Task\(test=…\)\. A fifth of the training data cannot be held out, because Stream cannot be indexed",
        ),
        ("loader", r"give Task\(test=…\)\. .* because DataLoader cannot be indexed"),
        ("asked", "--split needs data"),
        ("unequal", "train: inputs have 100 rows, targets 90"),
        ("unequal_test", "test: inputs have 100 rows, targets 90"),
        ("three", "train: its tensors have 100, 70 and 100 rows"),
        ("targets", "100 rows, its targets 90"),
        ("empty", "train has no rows"),
        ("empty_val", "val has no rows"),
        ("no_rows", "train has no rows"),
        ("number", "train: targets are a single number"),
        ("arrays", r"train holds a numpy array.*torch.from_numpy"),
        ("one", r"train has 1 tensor, .*inputs, targets.*step"),
        ("none", "train is None"),
        ("no_loss", "neither loss nor step"),
        ("words", "loss is a str"),
        ("not_measured", "evaluate"),
        ("no_model", r"model is the class Linear.*Linear\(…\)"),
        ("function", "model is a function, not a torch.nn.Module"),
        ("lazy", r"model has parameters without a shape \(0\.weight, 0\.bias\): call the model once"),
        ("closure", "the task's optimizer LBFGS needs a closure.*AdamW"),
        ("no_optimizer", "the task's optimizer returned a NoneType, not a torch.optim.Optimizer"),
    ],
)
def test_a_task_that_cannot_be_trained_is_refused(
    what: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a RequestError, without a traceback and without an event."""
    folder = create(tmp_path, f"{TASKS}:invalid", {"what": what})
    with pytest.raises(RequestError, match=named) as caught:
        Run(folder)
    assert "\n" not in str(caught.value)
    assert not folder.events.stat().st_size
    assert not capsys.readouterr().err


def test_no_split_and_no_test_data(tmp_path: Path) -> None:
    """`--split none` leaves nothing to evaluate on."""
    with pytest.raises(RequestError, match=r"--split none.*Task\(test=…\)"):
        run(tmp_path, f"{TASKS}:invalid", {"what": "reduction"}, split=None)


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("step", r"step must return .* one number, not a tensor of shape \(20,\)"),
        ("number_step", "step must return .* not a float"),
        ("nothing_step", "step must return .* not a NoneType"),
        ("reduction", r"loss must return .* one number, not a tensor of shape \(20,\)"),
    ],
)
def test_an_invalid_loss(what: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run fails at its first batch; the message says what the task must return."""
    done = run(tmp_path, f"{TASKS}:invalid", {"what": what})
    assert done.finished.cause == "failed"
    assert re.search(named, done.finished.message), done.finished.message
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("weighted", r"a batch is 3 parts, not \(inputs, targets\): give Task\(step=…\)"),
        ("weighted_test", r"a batch is 3 parts, not \(inputs, targets\): give Task\(evaluate=…\)"),
        ("mapping", r"a batch is a dict, not \(inputs, targets\): give Task\(step=…\)"),
    ],
)
def test_batches_of_another_form(what: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They need the task's own `step` and `evaluate`."""
    try:
        message = run(tmp_path, f"{TASKS}:invalid", {"what": what}).finished.message
    except RequestError as error:
        message = str(error)
    assert re.search(named, message), message
    assert "Traceback" not in capsys.readouterr().err


def test_metrics_need_outputs_that_are_a_tensor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise the task's own `evaluate` must return what to compare."""
    done = run(tmp_path, f"{TASKS}:invalid", {"what": "outputs"})
    assert done.finished.cause == "failed" and not done.of(Evaluated)
    assert "accuracy" in done.finished.message and "Task(evaluate=…)" in done.finished.message
    assert "a dict" in done.finished.message
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 7])
def test_a_task_that_exits(code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the line that called `sys.exit`."""
    with pytest.raises(RequestError, match=rf"SystemExit: {code} \(invalid_tasks.py:\d+\)"):
        run(tmp_path, f"{TASKS}:exits", {"code": code})
    assert "Traceback" not in capsys.readouterr().err


def test_a_file_that_exits_on_import(tmp_path: Path) -> None:
    """Such as a script without a main guard."""
    (tmp_path / "script.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(TaskError, match=r"script.py cannot be loaded: SystemExit: 3 \(script.py:2\)"):
        run(tmp_path, f"{tmp_path / 'script.py'}:task")


def test_a_value_that_the_task_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message of its own ValueError is enough; no traceback is printed."""
    with pytest.raises(RequestError, match=r"hidden must be 1 or 2 \(invalid_tasks.py:\d+\)"):
        run(tmp_path, f"{TASKS}:refuses")
    assert "Traceback" not in capsys.readouterr().err
