"""How far the run is, how fast it goes and how long it still takes."""

from __future__ import annotations

from ..format import count, duration, rate
from ..view import FINISHED, RunView
from .panel import Panel, Part, bar, spread


class Progress(Panel):
    """Epochs, steps, time left and throughput."""

    TITLE = "progress"

    def rows(self, view: RunView, now: float, width: int) -> list[list[Part]]:
        """Return the bars of the whole run and of the epoch, then the pace."""
        epochs = view.started.epochs if view.started else 0
        per_epoch = view.steps_per_epoch or 0
        rows = [spread([("epoch ", "$label")], _of(view.epoch, epochs), width)]
        if per_epoch > 1:
            done = view.step - max(0, view.epoch - 1) * per_epoch
            rows.append(bar(done / per_epoch, width, "$accent"))
        rows.append(spread([("step ", "$label")], _of(view.step, view.steps or 0), width))
        if view.steps:
            rows.append(bar(view.step / view.steps, width, "$primary"))
        rate_of_steps = view.pace.rate()
        left = "done" if view.state in FINISHED else duration(view.left(now))
        return [
            *rows,
            spread([("left ", "$label")], [(left, "bold")], width),
            spread([("samples/s ", "$label")], [(rate(view.samples_per_second) if view.step else "–", "")], width),
            spread([("steps/s ", "$label")], [("–" if rate_of_steps is None else rate(rate_of_steps), "")], width),
        ]


def _of(number: int, total: int) -> list[Part]:
    whole: list[Part] = [(f" / {count(total)}", "$label")] if total else []
    return [(count(number), "bold"), *whole]
