"""A RunView made of events, and all that a person could see of it."""

from __future__ import annotations

from stoker.engine.runs import events as e
from stoker.tui.state.run_view import RunView


def view_of(events: list[e.Event]) -> RunView:
    view = RunView()
    for event in events:
        view.apply(event)
    return view


def summary(view: RunView) -> tuple[object, ...]:
    """All that a person could see of the curves and the counters."""
    folds = []
    for number, fold in view.folds.items():
        evaluated = {key: (c.steps.tolist(), c.values.tolist()) for key, c in fold.evaluated.items()}
        lr = [(c.steps[0].item(), c.values[0].item(), c.last) for c in fold.lr]
        early = [(x.step, x.waited, x.best_step) for x in fold.early]
        saved = [(x.step, x.kind) for x in fold.checkpoints]
        times = [(step, round(seconds, 5)) for step, seconds in fold.times._pairs]
        marks = (fold.turns, fold.resumes, len(fold.warnings), times)
        folds.append((number, fold.train.base, fold.train.values.tobytes(), evaluated, lr, early, saved, marks))
    return folds, view.state, view.step, view.epoch, view.lr, view.samples_per_second, view.save_failed
