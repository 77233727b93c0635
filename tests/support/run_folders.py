"""Run folders with recorded events in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stoker.engine.runs import events as e
from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.journal import Journal
from tests.support.recorded import BEGAN, EPOCHS, run, time_of

NOW = time_of(540) + 200
COMPLETED = [
    *run(540),
    e.RunFinished(at=time_of(540), step=540, epoch=EPOCHS, test={"loss": 0.6336, "accuracy": 0.7563}),
]


def write(at: Path, name: str, events: list[e.Event], started: float = BEGAN, **parameters: Any) -> RunFolder:
    """Make a run folder with `events` in its journal."""
    folder = runs.create(
        at, "digits", name, {"parameters": parameters, "settings": {"epochs": EPOCHS, "lr": 0.01, "patience": 5}}
    )
    record = folder.record()
    record.started = started
    folder.write_record(record)
    with_journal = Journal(folder.events)
    for event in events:
        with_journal.append(event)
    return folder


def several(at: Path) -> list[RunFolder]:
    """Make runs with different ends."""
    failed = e.RunFinished(at=time_of(120), step=120, epoch=3, cause="failed", message="the loss is not finite")
    return [
        write(at, "digits-dropout-0.2", COMPLETED, BEGAN, dropout=0.2, channels=32),
        write(
            at,
            "digits-dropout-0.5",
            [*run(330), e.RunFinished(at=time_of(330), step=330, epoch=8, cause="early_stopping")],
            BEGAN + 60,
            dropout=0.5,
            channels=32,
        ),
        write(at, "digits-wide", run(225), BEGAN + 120, dropout=0.5, channels=128),
        write(at, "digits-hot", [*run(120), failed], BEGAN + 180, dropout=0.2, channels=32),
    ]
