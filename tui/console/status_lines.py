"""The state of one run as plain lines, for `stoker status`: for a screen reader, a script, or a chat."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from stoker.engine.runs.status import FINISHED, label

from ..formatting import ago, count, duration, metrics, plains, value
from ..state.judgement import judgement
from ..state.run_view import RunView

WIDTH = 300  # columns of the line of judgement, which is not cut here
Local = Callable[[float], time.struct_time]


def status_lines(view: RunView, now: float, local: Local = time.localtime) -> list[str]:
    """Return the state at `now`, in Unix seconds, the most important line first; `local` gives the time of day."""
    sentence = _sentence(view, now, local)
    lines = [f"{view.name}: {label(view.status(now))}" + (f", {sentence}" if sentence else "")]
    steps = f" of {count(view.steps)}" if view.steps else ""
    epochs = f" of {count(view.started.epochs)}" if view.started and view.started.epochs else ""
    epoch = f", epoch {count(view.epoch)}{epochs}" if view.epoch else ""
    lines.append(f"step {count(view.step)}{steps}{epoch}, trained {duration(view.elapsed(now))}")
    if (loss := view.current.train).length:
        lines.append(f"training loss {value(float(loss.values[-1]))}, learning rate {plains(view.lr)}")
    for split in dict.fromkeys(split for split, _ in view.current.evaluated if split != "train"):
        newest = {m: float(c.values[-1]) for (s, m), c in view.current.evaluated.items() if s == split and c.length}
        lines.append(f"{split} {metrics(newest)}")
    if (early := view.early_stopping) is not None:
        of = f" of {count(early.patience)}" if early.patience else ""
        best = f"best {early.monitor} {value(early.best)} at step {count(early.best_step)}"
        lines.append(f"{best}, no improvement for {count(early.waited)}{of} evaluations")
    if view.checkpoints:
        saved = view.checkpoints[-1]
        name = saved.path.rpartition("/")[2] or saved.kind
        lines.append(f"last save {name} at step {count(saved.step or 0)}, {ago(max(0.0, now - saved.at))} ago")
    if view.save_failed:
        lines.append(f"not saved: {view.save_failed}")
    return lines


def status_dict(view: RunView, now: float) -> dict[str, Any]:
    """Return the state at `now` for `--json`."""
    verdict, early = view.verdict(now), view.early_stopping
    return {
        "run": view.name,
        "state": view.status(now),
        "verdict": verdict.kind if verdict else None,
        "message": verdict.text if verdict else "",
        "step": view.step,
        "steps": view.steps,
        "epoch": view.epoch,
        "epochs": view.started.epochs if view.started else None,
        "lr": view.lr,
        "metrics": {
            f"{split}/{metric}": float(curve.values[-1])
            for (split, metric), curve in view.current.evaluated.items()
            if curve.length
        },
        "monitor": early.monitor if early else None,
        "best": early.best if early else None,
        "best_step": early.best_step if early else None,
        "seconds_left": None if view.state in FINISHED else view.seconds_left(now),
    }


def change_of(view: RunView, now: float) -> str:
    """Return one line that differs whenever something happened that a person waits for."""
    early = view.early_stopping
    evaluated = (
        f", {early.monitor} {value(view.latest(early.monitor))} at step {count(early.step or 0)}" if early else ""
    )
    verdict = view.verdict(now)
    return f"{label(view.status(now))}{evaluated}" + (f", {verdict.text}" if verdict else "")


def _sentence(view: RunView, now: float, local: Local) -> str:
    """Return the judgement without the hints for keys, which only the dashboard has."""
    row = judgement(view, now, WIDTH, local, keys=False)
    return "".join(text for text, _ in row).strip().replace(" · ", ", ")
