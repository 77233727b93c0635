"""The built-in tasks and their parameters."""

from __future__ import annotations

import inspect
from typing import Any

from stoker.engine.tasks import loading
from stoker.engine.tasks.builtin import NAMES


def tasks() -> list[dict[str, Any]]:
    """Return name, description and parameters of each."""
    return [_told(name) for name in NAMES]


def listed(found: list[dict[str, Any]]) -> str:
    """Return them as plain text, a parameter a line."""
    lines = []
    for task in found:
        lines.append(f"{task['task']:<10}{str(task['about']).partition(chr(10))[0]}")
        lines += [f"{'':<10}  {key}={p['default']}  ({p['type']})" for key, p in task["parameters"].items()]
    return "\n".join(lines)


def _told(name: str) -> dict[str, Any]:
    function = loading.find(name)
    parameters = {
        key: {"type": str(parameter.annotation), "default": parameter.default}
        for key, parameter in inspect.signature(function).parameters.items()
    }
    return {"task": name, "about": inspect.getdoc(function) or "", "parameters": parameters}
