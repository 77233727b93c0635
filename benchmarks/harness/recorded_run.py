"""Finished runs of many steps, written without training, as if an engine had made 50 steps a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stoker.engine.runs import events as e
from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder

STEPS_PER_EVENT = 10  # steps in one `steps` event
STEPS_PER_EPOCH = 1000  # an evaluation follows each epoch
RATE = 50.0  # steps a second
STARTED_AT = 1_700_000_000.0  # Unix seconds


def write_run(runs_folder: Path, steps: int) -> RunFolder:
    """Write a finished run of `steps` steps, a multiple of 1,000."""
    folder = runs.create(runs_folder, "iris", f"recorded-{steps}", {})
    chance = np.random.default_rng(1)
    epochs = steps // STEPS_PER_EPOCH
    with folder.events.open("wb") as file:
        started = e.RunStarted(
            at=STARTED_AT, run=folder.name, task="iris", epochs=epochs, steps_per_epoch=STEPS_PER_EPOCH
        )
        file.write(e.encode(started))
        for epoch in range(1, epochs + 1):
            first = (epoch - 1) * STEPS_PER_EPOCH + 1
            smooth = np.exp(-np.arange(first, first + STEPS_PER_EPOCH) / steps * 4)
            losses = (smooth + chance.normal(0, 0.05, STEPS_PER_EPOCH) ** 2).tolist()
            for start in range(0, STEPS_PER_EPOCH, STEPS_PER_EVENT):
                step = first + start + STEPS_PER_EVENT - 1
                event = e.Steps(
                    at=STARTED_AT + step / RATE,
                    first=first + start,
                    step=step,
                    epoch=epoch,
                    losses=losses[start : start + STEPS_PER_EVENT],
                    lr=[0.01],
                )
                file.write(e.encode(event))
            values = {"loss": float(smooth[-1]), "accuracy": 1 - float(smooth[-1])}
            file.write(e.encode(e.Evaluated(at=STARTED_AT + step / RATE, step=step, epoch=epoch, metrics=values)))
        file.write(e.encode(e.RunFinished(at=STARTED_AT + steps / RATE, step=steps, epoch=epochs)))
    return folder
