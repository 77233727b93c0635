"""Aligned plain-text tables."""

from __future__ import annotations

from stoker.tui.console.table import table

ROWS = [["", "a", "bb"], ["one", "1234", ""]]


def test_table_pads_columns_to_the_longest_cell() -> None:
    """Columns are two spaces apart, and lines have no trailing spaces."""
    assert table(ROWS) == "     a     bb\none  1234"


def test_table_aligns_right_with_fixed_widths() -> None:
    """Each cell ends at the end of its column."""
    assert table(ROWS, right=True, widths=[3, 5, 4]) == "         a    bb\none   1234"
