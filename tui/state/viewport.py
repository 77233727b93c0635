"""What a person looks at: which plot, which part of it, on which scale; nothing of the run itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..plotting.curve_cache import Derived
from ..plotting.x_axis import STEPS, Axis, Kind
from ..widgets.plot import Frame
from .charts import ALL, LOSS, Chart, Shown, charts_of, fold_of, overfitted, signs
from .run_view import FINISHED, RunView

MEANS = (10, 100, 1000, 10_000)  # steps of the running mean
LASTS = (10_000, 1000, 100)  # steps
NARROWEST = 8  # steps that can be zoomed to
FAR = 10  # columns that the cursor goes at once

T = TypeVar("T")


class Viewing:
    """The choices, and what they make of a view."""

    def __init__(self) -> None:
        """Show the loss of the whole run, by steps."""
        self.chosen = LOSS
        self.grid = False
        self.logs: set[str] = set()
        self.kind: Kind = "step"
        self.fold: Shown = None  # the one that is trained and in the end all of them, or what was chosen
        self.width: int | None = None  # steps that are shown, or all
        self.end: int | None = None  # the last of them, or the newest
        self.cursor: int | None = None  # a step
        self.derived = Derived()
        self._names: list[str] = [LOSS]

    def shown(self, view: RunView) -> Shown:
        """Return the fold to show, or ALL."""
        return self.fold if self.fold in _folds(view) else _natural(view)

    def last(self, view: RunView) -> int:
        """Return the newest step of what is shown."""
        fold = fold_of(view, self.shown(view))
        return view.step if fold is view.now else fold.train.last_step

    def window(self, view: RunView) -> tuple[int, int] | None:
        """Return the first and last step to show, or None for all."""
        if self.width is None:
            return None
        last = self.last(view)
        end = min(last if self.end is None else self.end, last)
        return max(0, end - self.width), max(end, NARROWEST)

    def charts(self, view: RunView, waiting: str) -> list[Chart]:
        """Return the plots, the large one first and the others in their order after it."""
        charts = charts_of(view, self.shown(view), self.derived, waiting)
        self._names = [chart.name for chart in charts]
        place = self._names.index(self.chosen) if self.chosen in self._names else 0
        return charts if self.grid else charts[place:] + charts[:place]

    def axis(self, view: RunView) -> Axis:
        """Return the scale, as far as the run has it."""
        times = fold_of(view, self.shown(view)).times
        if self.kind == "time":
            return Axis("time", times=times, version=times.version)
        return Axis("epoch", view.steps_per_epoch) if self.kind == "epoch" and view.steps_per_epoch else STEPS

    def frames(self, view: RunView, chart: Chart) -> tuple[Frame, Frame]:
        """Return what is around the large plot, which shows `chart`, and around the small ones."""
        shown = self.shown(view)
        fold = fold_of(view, shown)
        axis, window = self.axis(view), self.window(view)
        words: list[str] = []
        if len(view.folds) > 1:
            words += [f"{len(view.folds)} folds ± std"] if shown == ALL else [f"fold {(shown or 0) + 1}"]
        words += ["log"] if chart.name in self.logs else []
        words += [f"mean of {self.derived.width:,}"] if chart.smoothed else []
        words += ["by epoch"] if axis.kind == "epoch" else []
        words += [f"{self.width:,} steps" if self.end else f"last {self.width:,}"] if self.width else []
        marks = [sign for one in view.folds.values() for sign in signs(one)[-1:] if sign[1] == "best"]
        return (
            Frame(
                axis,
                window,
                ", ".join(words),
                tuple(marks if shown == ALL else signs(fold)),
                None if shown == ALL else overfitted(fold),
                self.cursor,
            ),
            Frame(axis, window),
        )

    def can(self, what: str, view: RunView) -> bool:
        """Say whether there is anything to change that way."""
        if what == "all":
            return self.cursor is not None or self.width is not None
        return what != "fold" or len(view.folds) > 1

    def look(self, what: str, view: RunView, columns: int) -> None:
        """Look at something else; `columns` is how wide the large plot is."""
        match what:
            case "next" | "previous":
                self._turn(1 if what == "next" else -1)
            case "grid":
                self.grid = not self.grid
            case "log":
                self.logs ^= {self.chosen}
            case "mean":
                widths = (0, *(width for width in MEANS if width < self.last(view)))
                self.derived.width = _after(widths, self.derived.width)
            case "axis":
                kinds: tuple[Kind, ...] = ("step", "epoch", "time") if view.steps_per_epoch else ("step", "time")
                self.kind = _after(kinds, self.kind)
            case "last":
                fitting = (None, *(width for width in LASTS if width < self.last(view)))
                self.width, self.end = _after(fitting, self.width), None
            case "fold":
                self.fold = _after(_folds(view), self.shown(view))
                # What would be shown anyway goes on as the run does.
                self.fold = None if self.fold == _natural(view) else self.fold
                self.cursor = None
            case "left" | "right" | "far_left" | "far_right":
                self._move((-1 if "left" in what else 1) * (FAR if "far" in what else 1), view, columns)
            case "nearer" | "wider":
                self.zoom(what == "nearer", self.cursor, view)
            case "all":
                self.cursor = self.width = self.end = None
            case number if number.isdigit() and int(number) <= len(self._names):
                self.chosen = self._names[int(number) - 1]

    def zoom(self, nearer: bool, around: int | None, view: RunView) -> None:
        """Show half or twice as many steps; the step `around`, or else the newest, stays where it is."""
        last = self.last(view)
        first, end = self.window(view) or (0, last)
        width = max(NARROWEST, (end - first) // 2 if nearer else (end - first) * 2)
        if width >= last:
            self.width = self.end = None
            return
        if around is not None and first <= around <= end:
            end = around + round((end - around) * width / max(1, end - first))
        self.width = width
        self.end = None if end >= last else max(end, width)

    def _move(self, columns: int, view: RunView, width: int) -> None:
        last = self.last(view)
        first, end = self.window(view) or (0, last)
        if self.cursor is None:
            self.cursor = min(end, last)
            return
        steps = max(1, round((end - first) / max(1, width))) * columns
        self.cursor = max(0, min(last, self.cursor + steps))
        if self.width is not None and not first <= self.cursor <= end:
            self.end = self.cursor if self.cursor > end else self.cursor + self.width
            self.end = None if self.end >= last else self.end

    def _turn(self, by: int) -> None:
        place = self._names.index(self.chosen) if self.chosen in self._names else 0
        self.chosen = self._names[(place + by) % len(self._names)]


def _folds(view: RunView) -> tuple[Shown, ...]:
    """Return what can be shown of a run."""
    several: tuple[Shown, ...] = (ALL,) if len(view.folds) > 1 else ()
    return (*several, *view.folds)


def _natural(view: RunView) -> Shown:
    """Return what is shown where nothing was chosen: the fold that is trained, in the end all of them."""
    return ALL if len(view.folds) > 1 and view.state in FINISHED else view.fold


def _after(choices: Sequence[T], now: T) -> T:
    return choices[(choices.index(now) + 1) % len(choices)] if now in choices else choices[0]
