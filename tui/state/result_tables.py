"""The results of an evaluated checkpoint as rows of styled text: metrics, classes, confusion matrix, folds."""

from __future__ import annotations

from typing import Any

from ..formatting import count, value
from .styled_text import StyledRow, StyledText

Rows = list[StyledRow]
NAME_WIDTH = 16  # columns of a class name at most
CELL_WIDTH = 4  # columns of a count at least


def views(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the results to choose from: the only one, or the sum of all folds followed by each fold."""
    folds = result.get("folds") or []
    return [_together(result, folds), *folds] if folds else [result]


def metrics(result: dict[str, Any]) -> Rows:
    """Return one row with all metrics."""
    found = result["metrics"]
    return [
        [part for name, number in found.items() for part in ((f"{name} ", "$label"), (f"{value(number)}   ", "bold"))]
    ]


def folds(result: dict[str, Any]) -> Rows:
    """Return one row for each fold, then the mean and the standard deviation."""
    each = result.get("folds") or []
    names = [name for name in result["metrics"] if not name.endswith("_std")]
    wide = [max(9, len(name)) + 2 for name in names]
    titles = "".join(f"{name:>{w}}" for name, w in zip(names, wide, strict=True))
    rows: Rows = [[(f"{'fold':<6}{'step':>9}{titles}", "$label")]]
    for number, fold in enumerate(each, 1):
        cells = "".join(f"{value(fold['metrics'].get(n)):>{w}}" for n, w in zip(names, wide, strict=True))
        rows.append([(f"{number:<6}{count(fold['step']):>9}", "$label"), (cells, "")])
    for label, suffix in (("mean", ""), ("± std", "_std")):
        cells = "".join(f"{value(result['metrics'].get(n + suffix)):>{w}}" for n, w in zip(names, wide, strict=True))
        rows.append([(f"{label:<15}", "$label"), (cells, "" if suffix else "bold")])
    return rows


def classes(result: dict[str, Any]) -> Rows:
    """Return one row for each class: precision, recall, F1 and the number of samples."""
    names, scores = result.get("classes") or [], result.get("per_class") or []
    wide = max([5, *(len(_name(name)) for name in names)])
    shown = [key for key in (scores[0] if scores else {}) if key != "support"]
    rows: Rows = [[(f"{'class':<{wide}}" + "".join(f"{key:>11}" for key in shown) + f"{'samples':>9}", "$label")]]
    for name, row in zip(names, scores, strict=False):
        parts: list[StyledText] = [(f"{_name(name):<{wide}}", "bold")]
        parts += [(f"{row[key]:>11.4f}", "" if row[key] >= 0.5 else "$bad") for key in shown]
        rows.append([*parts, (f"{count(row.get('support', 0)):>9}", "$label")])
    return rows


def confusion(result: dict[str, Any]) -> Rows:
    """Return the confusion matrix; the larger a cell's share of its row, the stronger its colour."""
    names, matrix = result.get("classes") or [], result.get("confusion") or []
    wide = max([4, *(len(_name(name)) for name in names)])
    largest = max((len(str(number)) for row in matrix for number in row), default=1)
    cell = max(CELL_WIDTH, largest + 1, min(NAME_WIDTH // 2, max(map(len, names), default=1)) + 1)
    rows: Rows = [[(" " * wide, ""), *((f"{_name(name, cell - 1):>{cell}}", "$label") for name in names)]]
    for number, row in enumerate(matrix):
        whole = sum(row) or 1
        cells = [_cell(count, count / whole, number == at, cell - 1) for at, count in enumerate(row)]
        rows.append(
            [(f"{_name(names[number]):>{wide}}", "bold"), *(part for one in cells for part in ((" ", ""), one))]
        )
    return rows


def _cell(number: int, share: float, right: bool, wide: int) -> StyledText:
    if not number:
        return f"{'·':>{wide}}", "$rail"
    color = "$success" if right else "$error"
    # The square root keeps a few mistakes among many visible.
    return f"{number:>{wide}}", f"on {color} {round(15 + 55 * share**0.5)}%"


def _together(result: dict[str, Any], folds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the sum of the folds' confusion matrices, with the scores of each class computed from it."""
    whole = {**result}
    matrices = [fold["confusion"] for fold in folds if "confusion" in fold]
    if not matrices:
        return whole
    matrix = [[sum(cells) for cells in zip(*rows, strict=True)] for rows in zip(*matrices, strict=True)]
    columns = [sum(column) for column in zip(*matrix, strict=True)]
    scores = []
    for number, row in enumerate(matrix):
        right, predicted, there = row[number], columns[number], sum(row)
        parts = {"precision": right / predicted if predicted else 0.0, "recall": right / there if there else 0.0}
        scores.append({**parts, "f1": 2 * right / (predicted + there) if predicted + there else 0.0, "support": there})
    return {**whole, "classes": folds[0]["classes"], "confusion": matrix, "per_class": scores}


def _name(name: str, longest: int = NAME_WIDTH) -> str:
    return name if len(name) <= longest else name[: max(0, longest - 1)] + "…"
