"""What a checkpoint was measured to be worth, as plain text."""

from __future__ import annotations

from typing import Any

from .progress import numbers


def measured(result: dict[str, Any]) -> str:
    """Return the metrics on a line, and for a classifier each class's scores and the confusion matrix."""
    lines = [
        f"{result['run']} {result['checkpoint']} (step {result['step']}): {result['split']} {numbers(result['metrics'])}"
    ]
    for number, fold in enumerate(result.get("folds", ()), 1):
        lines.append(f"fold {number} {fold['checkpoint']} (step {fold['step']}): {numbers(fold['metrics'])}")
    if "confusion" not in result:
        return "\n".join(lines)
    classes, confusion, scores = result["classes"], result["confusion"], result["per_class"]
    wide = max(map(len, classes))
    cell = max(wide, *(len(str(count)) for row in confusion for count in row)) + 2
    shown = list(scores[0]) if isinstance(scores, list) else list(scores)
    lines += ["", " " * wide + "".join(name.rjust(max(cell, 11)) for name in shown)]
    for number, name in enumerate(classes):
        row = scores[number] if isinstance(scores, list) else {key: scores[key][number] for key in shown}
        lines.append(name.rjust(wide) + "".join(_value(row[key]).rjust(max(cell, 11)) for key in shown))
    lines += [
        "",
        "confusion: rows are true, columns predicted",
        " " * wide + "".join(name.rjust(cell) for name in classes),
    ]
    lines += [
        name.rjust(wide) + "".join(str(count).rjust(cell) for count in row)
        for name, row in zip(classes, confusion, strict=True)
    ]
    return "\n".join(lines)


def _value(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
