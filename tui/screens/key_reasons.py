"""Why a key of the dashboard has no effect now: the sentence of a notification."""

from __future__ import annotations

from stoker.engine.runs.status import label

from ..state.run_view import RunView
from ..state.viewport import Viewport


def reason(action: str, view: RunView, viewport: Viewport, now: float) -> str | None:
    """Return why `action`, as its binding names it, is not possible at `now`; None where nothing is to be said."""
    name, _, argument = action.rstrip(")").replace("'", "").partition("(")
    if name == "look":
        return _view_reason(argument, viewport)
    status = label(view.status(now))
    if name == "app.detach":
        return "Nothing to detach: this run does not train in this window. Leave it with q; that changes nothing."
    if name not in ("send", "resume", "release", "stop", "rate", "type_rate"):
        return None
    if view.remote:
        return "This run trains on another machine: control it there."
    if view.status(now) == "loading":
        return "The run is loading: wait for its first step."
    if not view.alive:
        return f"The run is {status} and has no engine: press r to resume it."
    return f"The run is {status}: it already trains." if "resume" in (name, argument) else f"The run is {status}."


def _view_reason(what: str, viewport: Viewport) -> str | None:
    if what == "fold":
        return "This run has no folds."
    if what in ("mean", "last"):
        return "The run has too few steps for that."
    return f"There are {viewport.plots} plots." if what.isdigit() else None
