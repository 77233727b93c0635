"""The built-in tasks and their parameters, for `stoker tasks`."""

from __future__ import annotations

import inspect
from typing import Any

from stoker.engine.tasks import loading
from stoker.engine.tasks.builtin import TASK_NAMES

NAME_WIDTH = 10  # characters of a task's name, with the space after it


def tasks() -> list[dict[str, Any]]:
    """Return the name, the description and the parameters of each built-in task."""
    return [_task(name) for name in TASK_NAMES]


def task_table(found: list[dict[str, Any]]) -> str:
    """Return the tasks as plain text: one line for the task, then one line for each parameter."""
    lines = []
    for task in found:
        lines.append(f"{task['task']:<{NAME_WIDTH}}{str(task['about']).partition(chr(10))[0]}")
        lines += [f"{'':<{NAME_WIDTH}}  {key}={p['default']}  ({p['type']})" for key, p in task["parameters"].items()]
    return "\n".join(lines)


def _task(name: str) -> dict[str, Any]:
    function = loading.find_task(name)
    parameters = {
        key: {"type": str(parameter.annotation), "default": parameter.default}
        for key, parameter in inspect.signature(function).parameters.items()
    }
    return {"task": name, "about": inspect.getdoc(function) or "", "parameters": parameters}
