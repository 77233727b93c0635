"""The table of runs; the width decides the columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding
from textual.widgets import DataTable

from stoker.engine.runs.status import label

from ..formatting import ago, count, metrics, value
from ..state.run_summary import RunSummary
from ..state.styled_text import StyledRow
from .panel import bar
from .spark import spark
from .status_bar import STATE_STYLES

BAR_WIDTH = 10  # columns
SPARK_WIDTH = 8  # columns


class Column(NamedTuple):
    """One column of the table."""

    title: str
    max_width: int
    """Columns of text at most; the column is as wide as its content. 0 takes the rest of the table."""
    min_screen: int
    """Columns of the screen from which the column is shown."""
    text: Callable[[RunSummary], StyledRow]


def _state(row: RunSummary) -> StyledRow:
    mark, style = STATE_STYLES.get(row.state, ("·", "$label"))
    return [(f"{mark} ", style[1:]), (label(row.state), "" if row.state == "training" else "label")]


def _epochs(row: RunSummary) -> StyledRow:
    return [(str(row.epoch), ""), (f"/{row.epochs}" if row.epochs else "", "label")]


def _bar(row: RunSummary) -> StyledRow:
    share = row.epoch / row.epochs if row.epochs else 0.0
    return [(text, style[1:]) for text, style in bar(share, BAR_WIDTH, "$primary")]


def _best(row: RunSummary) -> StyledRow:
    return [("–", "label")] if row.best is None else [(f"{row.monitor} ", "label"), (value(row.best), "")]


COLUMNS = (
    Column("state", 16, 0, _state),
    Column("run", 0, 0, lambda row: [(row.run, "")]),
    Column("differs", 32, 100, lambda row: [(row.differs, "label")]),
    Column("task", 16, 124, lambda row: [(row.task.rpartition("/")[2], "label")]),
    Column("progress", BAR_WIDTH, 140, _bar),
    Column("epoch", 13, 52, _epochs),
    Column("step", 11, 150, lambda row: [(count(row.step), "label")]),
    Column("best", 18, 72, _best),
    Column("curve", SPARK_WIDTH, 84, lambda row: [(spark(row.curve, SPARK_WIDTH), "primary")]),
    Column("metrics", 40, 160, lambda row: [(metrics(row.metrics), "label")]),
    Column("age", 6, 36, lambda row: [(ago(row.age), "label")]),
)
RIGHT_ALIGNED = ("epoch", "step", "age")
STYLES = ("label", "rail", "primary", "secondary", "accent", "success", "warning", "error")


class RunsTable(DataTable[Text], inherit_bindings=False):
    """Updates its cells in place, so that an unchanged cell is not drawn again."""

    COMPONENT_CLASSES = {f"runs--{name}" for name in STYLES}
    BINDINGS = [
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("home,g", "scroll_top", "First", show=False),
        Binding("end,G", "scroll_bottom", "Last", show=False),
    ]

    def __init__(self, *, id: str) -> None:
        """Make an empty table."""
        super().__init__(id=id, cursor_type="row", cursor_foreground_priority="renderable")
        self._rows: list[RunSummary] = []
        self._marked: frozenset[str] = frozenset()
        self._widths: tuple[int, ...] = ()
        self._cells: dict[tuple[str, str], StyledRow] = {}

    @property
    def current(self) -> RunSummary | None:
        """The run under the cursor."""
        return self._rows[self.cursor_row] if 0 <= self.cursor_row < len(self._rows) else None

    def show(self, rows: list[RunSummary], marked: frozenset[str]) -> None:
        """Show `rows` with the `marked` ones; the cursor stays on its run."""
        known = [row.run for row in self._rows] == [row.run for row in rows] and self.row_count == len(rows)
        current = self.current
        self._rows, self._marked = rows, marked
        if not known or not self.columns or self._layout() != self._widths:
            self._build(current.run if current else None)
            return
        for row in rows:
            for key, words in self._words(row).items():
                if self._cells.get((row.run, key)) != words:
                    self._cells[row.run, key] = words
                    self.update_cell(row.run, key, self._text(words, key))

    def on_resize(self) -> None:
        """Choose the columns for the new width."""
        if self._layout() != self._widths:
            self._build(self.current.run if self.current else None)

    def notify_style_update(self) -> None:
        """Draw with the colours of a new theme."""
        super().notify_style_update()
        if self.columns:
            self._build(self.current.run if self.current else None)

    def _layout(self) -> tuple[int, ...]:
        """Return the width of every column, -1 for a hidden one."""
        width = self.size.width
        widths = {column: self._needed(column) for column in COLUMNS if width >= column.min_screen}
        rest = width - 3 - sum(needed + 2 for needed in widths.values()) - self.styles.scrollbar_size_vertical
        return tuple((widths[column] or max(8, rest)) if column in widths else -1 for column in COLUMNS)

    def _needed(self, column: Column) -> int:
        found = (sum(cell_len(text) for text, _ in column.text(row)) for row in self._rows)
        return min(column.max_width, max([len(column.title), *found]))

    def _build(self, current: str | None) -> None:
        if not self.size.width:
            return
        self._widths = self._layout()
        with self.app.batch_update():
            self.clear(columns=True)
            self.add_column("", width=1, key="mark")
            for column, wide in zip(COLUMNS, self._widths, strict=True):
                if wide > 0:
                    title = Text(column.title, justify="right" if column.title in RIGHT_ALIGNED else "left")
                    self.add_column(title, width=wide, key=column.title)
            self._cells.clear()
            for row in self._rows:
                words = self._words(row)
                self._cells |= {(row.run, key): found for key, found in words.items()}
                self.add_row(*(self._text(found, key) for key, found in words.items()), key=row.run)
            names = [row.run for row in self._rows]
            if current in names:
                self.move_cursor(row=names.index(current), animate=False)

    def _words(self, row: RunSummary) -> dict[str, StyledRow]:
        shown = [column for column, wide in zip(COLUMNS, self._widths, strict=True) if wide > 0]
        return {"mark": [("▌" if row.run in self._marked else " ", "accent")]} | {c.title: c.text(row) for c in shown}

    def _text(self, words: StyledRow, key: str) -> Text:
        text = Text(no_wrap=True, end="")
        for part, style in words:
            text.append(part, self.get_component_rich_style(f"runs--{style}", partial=True) if style else None)
        wide = next((wide for column, wide in zip(COLUMNS, self._widths, strict=True) if column.title == key), 1)
        text.truncate(wide, overflow="ellipsis")
        if key in RIGHT_ALIGNED:
            text.align("right", wide)
        return text
