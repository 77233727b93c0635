"""Aligned plain-text tables."""

from __future__ import annotations

from collections.abc import Sequence

from stoker.engine.text import printable


def table(rows: Sequence[Sequence[str]], *, right: bool = False, widths: Sequence[int] | None = None) -> str:
    """Return `rows` of equal length as lines of aligned columns, two spaces apart.

    A column is as wide as its longest cell, or as `widths` says (in characters). Cells are aligned left, or right with
    `right`. Lines have no trailing spaces. Control characters in a cell are replaced.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    columns = widths or [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width in zip(row, columns, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
