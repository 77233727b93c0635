"""How far the run is, how fast it goes and how long it still takes."""

from __future__ import annotations

from ..formatting import count, duration, rate
from ..state.run_view import FINISHED, RunView
from .panel import Panel, Part, bar, spread


class Progress(Panel):
    """Epochs, steps, time left and throughput."""

    TITLE = "progress"

    def rows(self, view: RunView, now: float, width: int) -> list[list[Part]]:
        """Return the bars of the whole run and of the epoch, then the pace."""
        epochs = view.started.epochs if view.started else 0
        per_epoch = view.steps_per_epoch or 0
        rows = [spread([("step ", "$label")], _of(view.step, view.steps or 0), width)]
        if view.steps:
            share = view.step / view.steps
            percent = f" {min(1.0, share):4.0%}"
            rows.append([*bar(share, width - len(percent), "$primary"), (percent, "$label")])
        if view.state in FINISHED:
            rows.append(spread([("took ", "$label")], [(duration(view.elapsed(now)), "bold")], width))
        else:
            words = "left of this fold " if view.fold is not None and len(view.folds) > 1 else "left "
            rows.append(spread([(words, "$label")], [(duration(view.left(now)), "bold")], width))
        rows.append(spread([("epoch ", "$label")], _of(view.epoch, epochs), width))
        if per_epoch > 1:
            share = (view.step - max(0, view.epoch - 1) * per_epoch) / per_epoch
            percent = f" {share:4.0%}"
            rows.append([*bar(share, width - len(percent), "$chosen"), (percent, "$label")])
        samples = rate(view.samples_per_second) if view.step else "–"
        pace = view.pace.rate()
        return [
            *rows,
            spread([("samples/s ", "$label")], [(samples, "")], width),
            spread([("steps/s ", "$label")], [("–" if pace is None else rate(pace), "")], width),
        ]


def _of(number: int, total: int) -> list[Part]:
    whole: list[Part] = [(f" / {count(total)}", "$label")] if total else []
    return [(count(number), "bold"), *whole]
