"""The evaluation of a checkpoint as plain text, for `stoker evaluate`."""

from __future__ import annotations

from typing import Any

from stoker.engine.text import printable

from .progress import numbers
from .table import table

SCORE_WIDTH = 9  # characters: the widest name of a score, `precision`


def evaluation_table(result: dict[str, Any]) -> str:
    """Return a line of metrics; for a classifier also the scores of each class and the confusion matrix."""
    head = f"{result['run']} {result['checkpoint']} (step {result['step']})"
    lines = [printable(f"{head}: {result['split']} {numbers(result['metrics'])}")]
    for number, fold in enumerate(result.get("folds", ()), 1):
        line = f"fold {number} {fold['checkpoint']} (step {fold['step']}): {numbers(fold['metrics'])}"
        lines.append(printable(line))
    if "confusion" not in result:
        return "\n".join(lines)
    classes = [printable(name) for name in result["classes"]]
    confusion, scores = result["confusion"], result["per_class"]
    if not isinstance(scores, list):
        scores = [{name: scores[name][number] for name in scores} for number in range(len(classes))]
    name_width = max(map(len, classes))
    cell_width = max(name_width, *(len(str(count)) for row in confusion for count in row))
    columns = [name_width, *[max(cell_width, SCORE_WIDTH)] * len(scores[0])]
    rows = [["", *scores[0]]]
    rows += [[name, *map(_cell, row.values())] for name, row in zip(classes, scores, strict=True)]
    lines += ["", table(rows, right=True, widths=columns)]
    matrix = [["", *classes]]
    matrix += [[name, *map(str, row)] for name, row in zip(classes, confusion, strict=True)]
    lines += ["", "confusion: rows are true, columns predicted"]
    lines.append(table(matrix, right=True, widths=[name_width, *[cell_width] * len(classes)]))
    return "\n".join(lines)


def _cell(score: Any) -> str:
    return f"{score:.4f}" if isinstance(score, float) else str(score)
