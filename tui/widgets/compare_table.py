"""The settings that differ between runs, and the results; one column for each run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.binding import Binding
from textual.message import Message
from textual.widgets import DataTable

from stoker.engine.runs.status import label

from ..state.comparison import differing, results
from ..state.run_follower import RunFollower
from ..state.styled_text import StyledRow
from .legend import LINES
from .plot import COLORS

VALUE_WIDTH = 40  # columns of a value at most
_NONE, _BOLD = Style(), Style(bold=True)


class CompareTable(DataTable[Text], inherit_bindings=False):
    """A table with one column for each run; its rows are the settings, a rule, and the results."""

    COMPONENT_CLASSES = {
        *(f"curve--{number}" for number in range(COLORS)),
        *(f"runs--{name}" for name in ("label", "rail", "success")),
    }
    BINDINGS = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("left", "scroll_left", "Left", show=False),
        Binding("right", "scroll_right", "Right", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    class Built(Message):
        """The table was rebuilt, so its width may have changed."""

    def __init__(self, *, id: str) -> None:
        """Make an empty table."""
        super().__init__(id=id, cursor_type="none", fixed_columns=1)
        self._rows: list[StyledRow] = []
        self._runs: Sequence[RunFollower] = ()

    def show(self, runs: Sequence[RunFollower]) -> None:
        """Show the runs; draws only if something changed."""
        rows = _rows(runs)
        if rows != self._rows:
            self._rows, self._runs = rows, runs
            self._build()

    def notify_style_update(self) -> None:
        """Draw with the colours of a new theme."""
        super().notify_style_update()
        if self.columns:
            self._build()

    def _build(self) -> None:
        at = self.scroll_offset
        with self.app.batch_update():
            self.clear(columns=True)
            self.add_column("")
            for number, run in enumerate(self._runs):
                line = self.get_component_rich_style(f"curve--{number % COLORS}", partial=True)
                mark = LINES[number % len(LINES)] if self.app.no_color else LINES[0]
                self.add_column(Text.assemble((f"{mark} ", line), (_cut(run.folder.name), line + _BOLD)))
            for cells in self._rows:
                self.add_row(*(Text(text, self._style(style), no_wrap=True, end="") for text, style in cells))
            self.scroll_to(*at, animate=False)
        self.post_message(self.Built())

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"runs--{name}", partial=True) if name else _NONE


def _rows(runs: Sequence[RunFollower]) -> list[StyledRow]:
    settings = [run.settings for run in runs]
    rows: list[StyledRow] = [
        [(name, "label"), *(("–" if one.get(name) is None else _cut(str(one[name])), "") for one in settings)]
        for name in differing(settings)
    ]
    if not rows:
        rows = [[("settings", "label"), ("all the same", "label"), *[("", "")] * (len(runs) - 1)]]
    outcomes = [_labelled(results(run.history)) for run in runs]
    names = list(dict.fromkeys(name for one in outcomes for name in one))
    wide = max((len(name) for name in names), default=0)
    rows.append([("─" * wide, "rail"), *[("─" * 12, "rail")] * len(runs)])
    for name in names:
        best = _best([one.get(name, "") for one in outcomes], _direction(name, runs))
        rows.append(
            [(name, "label"), *((one.get(name, "–"), "success" if n in best else "") for n, one in enumerate(outcomes))]
        )
    return rows


def _labelled(outcome: dict[str, str]) -> dict[str, str]:
    return {**outcome, "state": label(outcome["state"])}


def _direction(row: str, runs: Sequence[RunFollower]) -> str | None:
    """Return "higher" or "lower" for a row such as `test accuracy`, or None if unknown or if the runs disagree."""
    metric = row.partition(" ")[2]
    found = {run.history.direction(metric) for run in runs if metric} - {None}
    return found.pop() if len(found) == 1 else None


def _best(shown: list[str], direction: str | None) -> set[int]:
    """Return the indices of the best values; none without a direction, or if all values are equal."""
    if direction is None:
        return set()
    numbers: dict[int, float] = {}
    for index, text in enumerate(shown):
        try:
            numbers[index] = float(text.partition(" ")[0])
        except ValueError:
            continue
    known = [number for number in numbers.values() if math.isfinite(number)]
    if len(set(known)) < 2:
        return set()
    best = min(known) if direction == "lower" else max(known)
    return {index for index, number in numbers.items() if number == best}


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_WIDTH else text[: VALUE_WIDTH - 1] + "…"
