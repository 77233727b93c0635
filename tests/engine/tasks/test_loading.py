"""Tasks by name, and their parameters against the annotations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from stoker.engine import Task
from stoker.engine.errors import ParameterError, TaskError
from stoker.engine.tasks import loading, parameters, user_errors
from stoker.engine.tasks.builtin import TASK_NAMES


def example(  # type: ignore[no-untyped-def]
    count: int, rate: float = 0.5, deep: bool = False, kind: Literal["a", "b"] = "a", most: int | None = None, loose=1
) -> Task:
    """Return nothing that is used."""
    raise NotImplementedError


def test_parameters_are_converted_from_text() -> None:
    """Each to its annotation; the others keep their defaults."""
    given = {"count": "7", "rate": "1e-3", "deep": "true", "kind": "b", "most": "null", "loose": "2"}
    wanted = {"count": 7, "rate": 0.001, "deep": True, "kind": "b", "most": None, "loose": 2}
    assert parameters.convert(example, given) == wanted
    assert parameters.convert(example, {"count": 1}) == {
        "count": 1, "rate": 0.5, "deep": False, "kind": "a", "most": None, "loose": 1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "needs count"),
        ({"count": "many"}, "count=many is not of type int"),
        ({"count": "1.5"}, "count=1.5 is not of type int"),
        ({"count": 1, "deep": "perhaps"}, "deep=perhaps is not of type bool"),
        ({"count": 1, "kind": "c"}, "kind=c"),
        ({"count": 1, "depth": 2}, "no parameter 'depth'; it has count, rate"),
        ({"count": "x" * 200}, "…"),
    ],
)
def test_a_wrong_parameter_is_refused(given: dict[str, Any], named: str) -> None:
    """In one line that says what to write."""
    with pytest.raises(ParameterError, match=named) as caught:
        parameters.convert(example, given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("irish", "no task 'irish': the built-in ones are iris, digits, mnist"),
        ("nowhere.py:task", "no file nowhere.py"),
        ("no_such_module:task", "no module 'no_such_module'"),
        ("json:task", "no function 'task'"),
    ],
)
def test_an_unknown_task_is_refused(name: str, named: str) -> None:
    """In one line that says what is missing."""
    with pytest.raises(TaskError, match=named) as caught:
        loading.find_task(name)
    assert "\n" not in str(caught.value)


def test_built_in_tasks_are_described_without_torch() -> None:
    """Names, parameters and descriptions, in a new process."""
    code = (
        "import sys\nfrom stoker.engine.tasks import loading, parameters\nfrom stoker.engine.tasks.builtin import TASK_NAMES\n"
        "for name in TASK_NAMES:\n    task = loading.find_task(name)\n    assert task.__doc__\n    parameters.convert(task, {})\n"
        "assert 'torch' not in sys.modules and 'torchvision' not in sys.modules\nprint(*TASK_NAMES)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == list(TASK_NAMES), done.stderr
    assert set(TASK_NAMES) == {"iris", "digits", "mnist", "svhn", "cifar10"}


def test_an_error_names_the_users_line(tmp_path: Path) -> None:
    """The innermost line of a file that is neither in an installed package nor in Python's library."""
    file = tmp_path / "mine.py"
    calls = ["json.loads('nothing')", "torch.nn.Linear(2, 2)(torch.zeros(3))"]
    lines = [f"    if call == {number}: {call}\n" for number, call in enumerate(calls)]
    file.write_text("import json, torch\n\ndef task(call):\n" + "".join(lines))
    function: Any = loading.find_task(f"{file}:task")
    for number in range(len(calls)):
        with pytest.raises((ValueError, RuntimeError)) as caught:
            function(number)
        assert user_errors.user_line(caught.value) == f"mine.py:{4 + number}"
        assert user_errors.one_line(caught.value).endswith(f"(mine.py:{4 + number})")
