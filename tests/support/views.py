"""A RunView made of events, and a comparable summary of it."""

from __future__ import annotations

from stoker.engine.runs import events as e
from stoker.tui.state.run_view import RunView


def view_of(events: list[e.Event]) -> RunView:
    view = RunView()
    for event in events:
        view.apply(event)
    return view


def summary(view: RunView) -> tuple[object, ...]:
    """Return the visible curves and counters as plain values."""
    folds = []
    for number, fold in view.folds.items():
        evaluated = {key: (c.steps.tolist(), c.values.tolist()) for key, c in fold.evaluated.items()}
        lr = [(c.steps[0].item(), c.values[0].item(), c.last) for c in fold.lr]
        early = [(x.step, x.waited, x.best_step) for x in fold.early_stopping]
        saved = [(x.step, x.kind) for x in fold.checkpoints]
        times = [(step, round(seconds, 5)) for step, seconds in fold.times._pairs]
        marks = (fold.lr_changes, fold.resumes, len(fold.warnings), times)
        folds.append((number, fold.train.base, fold.train.values.tobytes(), evaluated, lr, early, saved, marks))
    return folds, view.state, view.step, view.epoch, view.lr, view.samples_per_second, view.save_failed
