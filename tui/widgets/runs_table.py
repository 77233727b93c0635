"""The runs as a table: a row each, columns by what the width allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding
from textual.widgets import DataTable

from ..formatting import count, metrics, value
from ..state.run_summary import Row, ago
from .panel import bar
from .status_bar import LOOKS, WORDS

Words = list[tuple[str, str]]  # text and the name of a look
BAR = 10


class Column(NamedTuple):
    """A column: it is there from a width of the screen on, as wide as what is in it, `wide` at most.

    With `wide` 0 it takes what the others leave.
    """

    title: str
    wide: int
    since: int
    words: Callable[[Row], Words]


def _state(row: Row) -> Words:
    mark, style = LOOKS.get(row.state, ("·", "$label"))
    return [(f"{mark} ", style[1:]), (WORDS.get(row.state, row.state), "" if row.state == "training" else "label")]


def _epochs(row: Row) -> Words:
    return [(str(row.epoch), ""), (f"/{row.epochs}" if row.epochs else "", "label")]


def _bar(row: Row) -> Words:
    share = row.epoch / row.epochs if row.epochs else 0.0
    return [(text, style[1:]) for text, style in bar(share, BAR, "$primary")]


def _best(row: Row) -> Words:
    return [("–", "label")] if row.best is None else [(f"{row.monitor} ", "label"), (value(row.best), "")]


COLUMNS = (
    Column("state", 16, 0, _state),
    Column("run", 0, 0, lambda row: [(row.run, "")]),
    Column("task", 16, 110, lambda row: [(row.task.rpartition("/")[2], "label")]),
    Column("progress", BAR, 96, _bar),
    Column("epoch", 13, 52, _epochs),
    Column("step", 11, 130, lambda row: [(count(row.step), "label")]),
    Column("best", 18, 72, _best),
    Column("metrics", 40, 160, lambda row: [(metrics(row.metrics), "label")]),
    Column("age", 6, 36, lambda row: [(ago(row.age), "label")]),
)
NUMBERS = ("epoch", "step", "age")
LOOKED_AT = ("label", "rail", "primary", "secondary", "accent", "success", "warning", "error")


class RunsTable(DataTable[Text], inherit_bindings=False):
    """Rows that are changed in place: what stays the same is not drawn again."""

    COMPONENT_CLASSES = {f"runs--{name}" for name in LOOKED_AT}
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
        self._rows: list[Row] = []
        self._marked: frozenset[str] = frozenset()
        self._wide: tuple[int, ...] = ()
        self._cells: dict[tuple[str, str], Words] = {}

    @property
    def current(self) -> Row | None:
        """The run under the cursor."""
        return self._rows[self.cursor_row] if 0 <= self.cursor_row < len(self._rows) else None

    def show(self, rows: list[Row], marked: frozenset[str]) -> None:
        """Show `rows`; the cursor stays on its run."""
        known = [row.run for row in self._rows] == [row.run for row in rows] and self.row_count == len(rows)
        current = self.current
        self._rows, self._marked = rows, marked
        if not known or not self.columns or self._layout() != self._wide:
            self._build(current.run if current else None)
            return
        for row in rows:
            for key, words in self._words(row).items():
                if self._cells.get((row.run, key)) != words:
                    self._cells[row.run, key] = words
                    self.update_cell(row.run, key, self._text(words, key))

    def on_resize(self) -> None:
        """Lay the columns out for the new width."""
        if self._layout() != self._wide:
            self._build(self.current.run if self.current else None)

    def notify_style_update(self) -> None:
        """Take the colours of a new theme."""
        super().notify_style_update()
        if self.columns:
            self._build(self.current.run if self.current else None)

    def _layout(self) -> tuple[int, ...]:
        """Return the width of every column, -1 for those that are not there."""
        width = self.size.width
        wide = {column: self._needed(column) for column in COLUMNS if width >= column.since}
        rest = width - 3 - sum(needed + 2 for needed in wide.values()) - self.styles.scrollbar_size_vertical
        return tuple((wide[column] or max(8, rest)) if column in wide else -1 for column in COLUMNS)

    def _needed(self, column: Column) -> int:
        words = (sum(cell_len(text) for text, _ in column.words(row)) for row in self._rows)
        return min(column.wide, max([len(column.title), *words]))

    def _build(self, current: str | None) -> None:
        if not self.size.width:
            return
        self._wide = self._layout()
        with self.app.batch_update():
            self.clear(columns=True)
            self.add_column("", width=1, key="mark")
            for column, wide in zip(COLUMNS, self._wide, strict=True):
                if wide > 0:
                    title = Text(column.title, justify="right" if column.title in NUMBERS else "left")
                    self.add_column(title, width=wide, key=column.title)
            self._cells.clear()
            for row in self._rows:
                words = self._words(row)
                self._cells |= {(row.run, key): found for key, found in words.items()}
                self.add_row(*(self._text(found, key) for key, found in words.items()), key=row.run)
            names = [row.run for row in self._rows]
            if current in names:
                self.move_cursor(row=names.index(current), animate=False)

    def _words(self, row: Row) -> dict[str, Words]:
        shown = [column for column, wide in zip(COLUMNS, self._wide, strict=True) if wide > 0]
        return {"mark": [("▌" if row.run in self._marked else " ", "accent")]} | {c.title: c.words(row) for c in shown}

    def _text(self, words: Words, key: str) -> Text:
        text = Text(no_wrap=True, end="")
        for part, look in words:
            text.append(part, self.get_component_rich_style(f"runs--{look}", partial=True) if look else None)
        wide = next((wide for column, wide in zip(COLUMNS, self._wide, strict=True) if column.title == key), 1)
        text.truncate(wide, overflow="ellipsis")
        if key in NUMBERS:
            text.align("right", wide)
        return text
