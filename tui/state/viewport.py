"""The user's view of a run: the selected plot, the visible steps, the scale. Nothing here changes the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from stoker.engine.history.history import RunHistory
from stoker.engine.runs.status import FINISHED

from ..plotting.curve_cache import CurveCache
from ..plotting.decorations import Decorations
from ..plotting.x_axis import STEPS, Unit, XAxis
from .charts import ALL, LOSS, Chart, ShownFold, charts_of, falls_far, fold_of, markers_of, overfitting_step

MEAN_WIDTHS = (10, 100, 1000, 10_000)  # steps of the running mean
LAST_STEPS = (10_000, 1000, 100)  # steps of the view "last N steps"
AUTO_WIDTHS = tuple(factor * 10**power for power in range(1, 5) for factor in (1, 2, 5))  # steps, without a choice
MEANS_SHOWN = 15  # widths of the running mean that the shown steps hold at least, without a choice
MIN_WIDTH = 8  # steps; the strongest zoom
FAR = 10  # columns; the cursor moves this far with shift

T = TypeVar("T")


class Viewport:
    """Holds the choices of the user, and turns a history into plots by them."""

    def __init__(self) -> None:
        """Show the loss of the whole run, by steps."""
        self.selected = LOSS
        """The name of the large plot."""
        self.grid = False
        self.log_choices: dict[str, bool] = {}
        """Whether a plot has a logarithmic axis, by its name, where the user chose."""
        self.mean: int | None = None
        """The steps of the running mean, 0 for none, or None to choose by the steps shown."""
        self.unit: Unit = "step"
        self.fold: ShownFold = None
        """The chosen fold, or None to follow the run: the trained fold, and all folds at the end."""
        self.width: int | None = None
        """The number of steps shown, or None for all."""
        self.end: int | None = None
        """The last step shown, or None to follow the newest."""
        self.cursor: int | None = None
        """The step under the cursor."""
        self.words = ""
        """Only plots with all of these words in their names are shown; empty shows all."""
        self.plots_found = 0
        """The number of plots that have the words."""
        self.cache = CurveCache()
        self._names: list[str] = [LOSS]
        self._loss_falls_far = False

    @property
    def log_plots(self) -> set[str]:
        """The names of the plots with a logarithmic axis: the loss too, where it fell to a tenth."""
        chosen = {name for name, log in self.log_choices.items() if log}
        return chosen | ({LOSS} if self._loss_falls_far and LOSS not in self.log_choices else set())

    @property
    def plots(self) -> int:
        """The number of plots."""
        return len(self._names)

    def shown_fold(self, history: RunHistory) -> ShownFold:
        """Return the fold to show, or ALL."""
        return self.fold if self.fold in _folds(history) else _default_fold(history)

    def last_step(self, history: RunHistory) -> int:
        """Return the newest step of the shown fold."""
        fold = fold_of(history, self.shown_fold(history))
        return history.step if fold is history.current else fold.train.last_step

    def window(self, history: RunHistory) -> tuple[int, int] | None:
        """Return the first and last step to show, or None for all."""
        if self.width is None:
            return None
        last = self.last_step(history)
        end = min(last if self.end is None else self.end, last)
        return max(0, end - self.width), max(end, MIN_WIDTH)

    def charts(self, history: RunHistory, empty: str) -> list[Chart]:
        """Return the plots, the large one first; `empty` is the note before the first step."""
        shown = self.shown_fold(history)
        self.cache.width = self._mean_width(history)
        self.cache.smooth_points = self.mean is not None
        self._loss_falls_far = falls_far(fold_of(history, shown).train, self._loss_falls_far)
        charts = charts_of(history, shown, self.cache, empty)
        if self.words:
            words = self.words.lower().split()
            found = [chart for chart in charts if all(word in chart.name.lower() for word in words)]
            self.plots_found, charts = len(found), found or charts
        self._names = [chart.name for chart in charts]
        index = self._names.index(self.selected) if self.selected in self._names else 0
        return charts if self.grid else charts[index:] + charts[:index]

    def x_axis(self, history: RunHistory) -> XAxis:
        """Return the chosen x axis; an axis of steps if the run has no data for the chosen unit."""
        times = fold_of(history, self.shown_fold(history)).times
        if self.unit == "time":
            return XAxis("time", times=times, version=times.version)
        return XAxis("epoch", history.steps_per_epoch) if self.unit == "epoch" and history.steps_per_epoch else STEPS

    def decorations(self, history: RunHistory, chart: Chart) -> tuple[Decorations, Decorations]:
        """Return the decorations of the large plot, which shows `chart`, and those of the small plots."""
        shown = self.shown_fold(history)
        fold = fold_of(history, shown)
        x_axis, window = self.x_axis(history), self.window(history)
        words: list[str] = []
        if len(history.folds) > 1:
            words += [f"{len(history.folds)} folds ± std"] if shown == ALL else [f"fold {(shown or 0) + 1}"]
        words += [f"/{self.words}"] if self.words else []
        words += ["log"] if chart.name in self.log_plots else []
        words += [f"mean of {self.cache.width:,}"] if chart.smoothed else []
        words += ["by epoch"] if x_axis.unit == "epoch" else []
        words += [f"{self.width:,} steps" if self.end else f"last {self.width:,}"] if self.width else []
        bests = [marker for one in history.folds.values() for marker in markers_of(one)[-1:] if marker[1] == "best"]
        large = Decorations(
            x_axis,
            window,
            ", ".join(words),
            tuple(bests if shown == ALL else markers_of(fold)),
            None if shown == ALL else overfitting_step(fold),
            self.cursor,
        )
        return large, Decorations(x_axis, window)

    def can_change(self, what: str, history: RunHistory) -> bool:
        """Return whether `change(what)` would have an effect."""
        match what:
            case "all":
                return self.cursor is not None or self.width is not None
            case "fold":
                return len(history.folds) > 1
            case "mean":
                return self._mean_width(history) > 0 or self.last_step(history) > MEAN_WIDTHS[0]
            case "last":
                return self.width is not None or self.last_step(history) > LAST_STEPS[-1]
        return not what.isdigit() or int(what) <= self.plots

    def change(self, what: str, history: RunHistory, columns: int) -> None:
        """Change one choice; `what` is the argument of the key's action, `columns` the width of the large plot."""
        match what:
            case "next" | "previous":
                self._select(1 if what == "next" else -1)
            case "grid":
                self.grid = not self.grid
            case "log":
                self.log_choices[self.selected] = self.selected not in self.log_plots
            case "mean":
                widths = (None, 0, *(width for width in MEAN_WIDTHS if width < self.last_step(history)))
                self.mean = _next(widths, self.mean)
            case "axis":
                units: tuple[Unit, ...] = ("step", "epoch", "time") if history.steps_per_epoch else ("step", "time")
                self.unit = _next(units, self.unit)
            case "last":
                fitting = (None, *(width for width in LAST_STEPS if width < self.last_step(history)))
                self.width, self.end = _next(fitting, self.width), None
            case "fold":
                self.fold = _next(_folds(history), self.shown_fold(history))
                # If the choice equals the default, keep following the run.
                self.fold = None if self.fold == _default_fold(history) else self.fold
                self.cursor = None
            case "left" | "right" | "far_left" | "far_right":
                self._move((-1 if "left" in what else 1) * (FAR if "far" in what else 1), history, columns)
            case "nearer" | "wider":
                self.zoom(what == "nearer", self.cursor, history)
            case "all":
                self.cursor = self.width = self.end = None
            case number if number.isdigit() and int(number) <= len(self._names):
                self.selected = self._names[int(number) - 1]

    def zoom(self, closer: bool, around: int | None, history: RunHistory) -> None:
        """Show half or twice as many steps; the step `around`, or else the newest one, stays in its column."""
        last = self.last_step(history)
        first, end = self.window(history) or (0, last)
        width = max(MIN_WIDTH, (end - first) // 2 if closer else (end - first) * 2)
        if width >= last:
            self.width = self.end = None
            return
        if around is not None and first <= around <= end:
            end = around + round((end - around) * width / max(1, end - first))
        self.width = width
        self.end = None if end >= last else max(end, width)

    def _mean_width(self, history: RunHistory) -> int:
        """Return the chosen steps of the running mean; without a choice few enough that the curve keeps its shape."""
        if self.mean is not None:
            return self.mean
        return auto_width(self.width or self.last_step(history))

    def _move(self, columns: int, history: RunHistory, width: int) -> None:
        last = self.last_step(history)
        first, end = self.window(history) or (0, last)
        if self.cursor is None:
            self.cursor = min(end, last)
            return
        steps = max(1, round((end - first) / max(1, width))) * columns
        self.cursor = max(0, min(last, self.cursor + steps))
        if self.width is not None and not first <= self.cursor <= end:
            self.end = self.cursor if self.cursor > end else self.cursor + self.width
            self.end = None if self.end >= last else self.end

    def _select(self, by: int) -> None:
        index = self._names.index(self.selected) if self.selected in self._names else 0
        self.selected = self._names[(index + by) % len(self._names)]


def auto_width(steps: int) -> int:
    """Return the steps of a running mean that leaves a curve of so many `steps` its shape; 0 for a short curve."""
    return max((width for width in AUTO_WIDTHS if width * MEANS_SHOWN <= steps), default=0)


def _folds(history: RunHistory) -> tuple[ShownFold, ...]:
    several: tuple[ShownFold, ...] = (ALL,) if len(history.folds) > 1 else ()
    return (*several, *history.folds)


def _default_fold(history: RunHistory) -> ShownFold:
    """Return the fold that is trained; all folds once the run is finished."""
    return ALL if len(history.folds) > 1 and history.state in FINISHED else history.fold


def _next(choices: Sequence[T], current: T) -> T:
    return choices[(choices.index(current) + 1) % len(choices)] if current in choices else choices[0]
