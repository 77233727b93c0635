"""The filter of the list of runs: words, and conditions on settings and results such as `lr>=0.003`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from stoker.engine.runs.status import label

from .run_summary import RunSummary

CONDITION = re.compile(r"([\w.\-/]+?)(>=|<=|!=|=|>|<)(.+)")
NUMERIC: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}
BEST = ("best", "step", "epoch", "age")
"""Names in a condition besides settings and metrics."""


def matches(words: str, row: RunSummary) -> bool:
    """Return whether a run has all `words`.

    A word stands in the name, the state, a setting or a metric; with `-` before it, it must not. `lr>=0.003`,
    `accuracy<0.9`, `optimizer=sgd` compare a setting, a metric, or `best`, `step`, `epoch` and `age`.
    """
    return all(_matches(word, row) for word in words.lower().split())


def _matches(word: str, row: RunSummary) -> bool:
    if len(word) > 1 and word[0] == "-":
        return not _matches(word[1:], row)
    if (condition := CONDITION.fullmatch(word)) is not None:
        name, sign, wanted = condition.groups()
        return _holds(name, sign, wanted, row)
    found = (row.run, row.task, row.state, label(row.state), *row.metrics, *row.settings.values())
    return word in " ".join(map(str, found)).lower()


def _holds(name: str, sign: str, wanted: str, row: RunSummary) -> bool:
    """Return whether a value of the run, whose name begins with `name`, satisfies the condition."""
    values = {**row.settings, **row.metrics, "best": row.best, "step": row.step, "epoch": row.epoch, "age": row.age}
    values = {key.lower(): value for key, value in values.items()}
    # The whole name first: `lr=` is not the condition of `lr_min`.
    found = [values[name]] if name in values else [value for key, value in values.items() if key.startswith(name)]
    return any(_compares(value, sign, wanted) for value in found)


def _compares(value: object, sign: str, wanted: str) -> bool:
    number, other = _number(value), _number(wanted)
    if number is not None and other is not None:
        return NUMERIC[sign](number, other)
    text = str(value).lower()
    # While a person types `optimizer=ad`, the rows of `adam` stay.
    return text.startswith(wanted) if sign == "=" else not text.startswith(wanted) if sign == "!=" else False


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
