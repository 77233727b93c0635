"""The states of a run: their names in files and programs, their labels on screens, and the actions that each allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .events import Event, Paused, Resumed, RunFinished, RunStarted


@dataclass(frozen=True)
class RunState:
    """One row of the table."""

    name: str
    """The word in `stoker ls --json`, in exit messages and in `RunFinished.cause`."""
    label: str
    """The words on screens and in messages."""
    engine: bool = False
    """An engine holds the run."""
    finished: bool = False
    """The run ended with a `run_finished` event."""
    resumable: bool = False
    """`stoker resume` continues the run without a new limit."""


RUN_STATES = (
    RunState("new", "new", resumable=True),
    RunState("loading", "loading…", engine=True),
    RunState("training", "training", engine=True),
    RunState("evaluating", "evaluating", engine=True),
    RunState("paused", "paused", engine=True, resumable=True),
    RunState("lost", "interrupted", resumable=True),
    RunState("completed", "completed", finished=True),
    RunState("early_stopping", "stopped early", finished=True),
    RunState("stopped", "stopped", finished=True, resumable=True),
    RunState("failed", "failed", finished=True, resumable=True),
    RunState("unreadable", "unreadable"),
)
STATES = {state.name: state for state in RUN_STATES}
FINISHED = frozenset(state.name for state in RUN_STATES if state.finished)
RESUMABLE = tuple(state.name for state in RUN_STATES if state.resumable)


def label(name: str) -> str:
    """Return the words for a state on screens; a name from a newer version is returned unchanged."""
    state = STATES.get(name)
    return state.label if state else name


def state_of(events: Iterable[Event], *, alive: bool) -> str:
    """Return the name of a run's state, by its last events and by whether an engine is `alive`.

    It is `new`, `training`, `paused`, `lost`, or the cause in the last `run_finished`.
    """
    newest_first = list(events)[::-1]
    if not alive:
        for event in newest_first:
            if isinstance(event, RunFinished):
                return event.cause
            if isinstance(event, RunStarted):
                break
        return "lost" if newest_first else "new"
    for event in newest_first:
        if isinstance(event, Paused):
            return "paused"
        if isinstance(event, Resumed | RunStarted):
            break
    return "training"
