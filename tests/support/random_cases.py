"""Train a random case in one go, or with commands and stops on the way."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import Event, RunFinished, Warned
from stoker.engine.runs.folder import RunFolder
from stoker.engine.session import train
from tests.support.random_tasks import Case, build

OWN_LOADERS = ("weighted", "subset", "batched", "epochal")


def settings_of(case: Case) -> dict[str, Any]:
    """Return the settings of a case."""
    full = case.data == "full" and case.own_state != "own_stream"
    given: dict[str, Any] = {
        "epochs": 3,
        "lr": 0.05,
        "device": "cpu",
        "threads": 1,
        "patience": 50,
        "on_nan": "ignore",
        "scheduler": case.scheduler,
        "batch_size": None if full else case.batch_size,
        "accumulate": case.accumulate,
        "clip": case.clip,
        "eval_every": case.eval_every,
        "workers": case.workers,
        "seed": case.deterministic_seed,
    }
    if build(case).optimizer is None:
        given["optimizer"] = case.optimizer
    if case.data in OWN_LOADERS or case.own_state == "own_order":
        # A task with a loader of its own has these, too.
        del given["batch_size"], given["workers"]
    if case.precision in ("bf16", "fp16"):
        given["precision"] = case.precision
    if case.split is not None:
        given["split"] = case.split
    return given


class Script(Controls):
    """Sends commands at batches of a training, counted by the polls of the loop."""

    def __init__(self, case: Case, *, stops: bool, listener: list[Event]) -> None:
        super().__init__()
        self.case, self.stops, self.polls, self.events = case, stops, 0, listener

    def pending(self, now: float) -> bool:
        self.polls += 1
        case = self.case
        # Commands are for the interrupted training alone: they must change nothing, except for the learning rate.
        if self.polls == case.command_at and (self.stops or case.command == "lr"):
            if case.command == "lr":
                self.send(Command(command="set_learning_rate", lr=0.02))
            elif case.command == "evaluate twice":
                self.send(Command(command="evaluate"))
                self.send(Command(command="evaluate"))
            elif case.command != "none":
                self.send(Command(command=case.command))
        if self.stops and self.polls == max(case.stop_at, case.command_at + (case.command != "none")):
            self.send(Command(command="stop"))
        return super().pending(now)

    def wait(self, seconds: float = 0.05) -> None:
        self.send(Command(command="resume"))
        super().wait(seconds)


@dataclass
class Training:
    """A training of a case: its folder, events and end."""

    folder: RunFolder
    events: list[Event]
    finished: RunFinished

    @property
    def inexact(self) -> list[str]:
        """The causes that the run named."""
        return [event.message for event in self.events if isinstance(event, Warned) and event.kind == "inexact"]


def train_case(case: Case, folder: RunFolder, *, stops: bool) -> Training:
    """Train a case in `folder` from its start or its checkpoint; with `stops` until the case's place."""
    events: list[Event] = []
    finished = train(folder, Script(case, stops=stops, listener=events), events.append, function=lambda: build(case))
    return Training(folder, events, finished)


def create(case: Case, place: Path, name: str) -> RunFolder:
    """Create the run folder of a case."""
    given = {key: value for key, value in settings_of(case).items() if value is not None or key == "batch_size"}
    return runs.create(place, "own:case", name, {"parameters": {}, "given": given})


def simplest(case: Case) -> str:
    """Return a case as the fields that differ from the simplest one."""
    plain = Case()
    fields = [f.name for f in dataclasses.fields(Case) if getattr(case, f.name) != getattr(plain, f.name)]
    return f"Case({', '.join(f'{name}={getattr(case, name)!r}' for name in fields)})"
