"""The panel of progress: steps, epochs, time left, speed."""

from __future__ import annotations

from stoker.engine.runs.status import FINISHED

from ..formatting import count, duration, rate
from ..state.run_view import RunView
from ..state.styled_text import StyledRow
from .panel import Panel, bar, justify

SHOWN_WAITING = 0.1  # share of the time from which it is worth a row


class ProgressPanel(Panel):
    """Steps, time left, epochs and throughput."""

    TITLE = "progress"

    def rows(self, view: RunView, now: float, width: int) -> list[StyledRow]:
        """Return the bars of the run and of the epoch, then samples and steps per second."""
        epochs = view.started.epochs if view.started else 0
        per_epoch = view.steps_per_epoch or 0
        rows = [justify([("step ", "$label")], _of(view.step, view.steps or 0), width)]
        if view.steps:
            share = view.step / view.steps
            percent = f" {min(1.0, share):4.0%}"
            rows.append([*bar(share, width - len(percent), "$primary"), (percent, "$label")])
        if view.state in FINISHED:
            rows.append(justify([("took ", "$label")], [(duration(view.elapsed(now)), "bold")], width))
        elif not view.only_logs:
            words = "left in this fold " if view.fold is not None and len(view.folds) > 1 else "left "
            rows.append(justify([(words, "$label")], [(duration(view.seconds_left(now)), "bold")], width))
        if not view.only_logs:
            rows.append(justify([("epoch ", "$label")], _of(view.epoch, epochs), width))
        if per_epoch > 1:
            share = (view.step - max(0, view.epoch - 1) * per_epoch) / per_epoch
            percent = f" {share:4.0%}"
            rows.append([*bar(share, width - len(percent), "$chosen"), (percent, "$label")])
        samples = rate(view.samples_per_second) if view.step else "–"
        if not view.only_logs:
            rows.append(justify([("samples/s ", "$label")], [(samples, "")], width))
        steps = view.throughput.rate()
        rows.append(justify([("steps/s ", "$label")], [("–" if steps is None else rate(steps), "")], width))
        if view.data_wait is not None and view.data_wait >= SHOWN_WAITING:
            rows.append(justify([("waiting for data ", "$label")], [(f"{view.data_wait:.0%}", "")], width))
        return rows


def _of(number: int, total: int) -> StyledRow:
    of_total: StyledRow = [(f" / {count(total)}", "$label")] if total else []
    return [(count(number), "bold"), *of_total]
