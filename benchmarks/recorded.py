"""Finished runs of many steps, written as an engine would have written them at 50 steps a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stoker.engine.runs import events as e
from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder

TOGETHER = 10  # steps in one `steps` event
RATE = 50.0  # steps a second
BETWEEN = 1000  # steps between two evaluations
STARTED = 1_700_000_000.0  # Unix seconds


def finished(place: Path, steps: int) -> RunFolder:
    """Write a run of `steps` steps, a multiple of 1,000."""
    folder = runs.create(place, "iris", f"recorded-{steps}", {})
    chance = np.random.default_rng(1)
    epochs = steps // BETWEEN
    with folder.events.open("wb") as file:
        started = e.RunStarted(at=STARTED, run=folder.name, task="iris", epochs=epochs, steps_per_epoch=BETWEEN)
        file.write(e.encode(started))
        for epoch in range(1, epochs + 1):
            first = (epoch - 1) * BETWEEN + 1
            smooth = np.exp(-np.arange(first, first + BETWEEN) / steps * 4)
            losses = (smooth + chance.normal(0, 0.05, BETWEEN) ** 2).tolist()
            for start in range(0, BETWEEN, TOGETHER):
                step = first + start + TOGETHER - 1
                said = losses[start : start + TOGETHER]
                event = e.Steps(
                    at=STARTED + step / RATE, first=first + start, step=step, epoch=epoch, losses=said, lr=[0.01]
                )
                file.write(e.encode(event))
            values = {"loss": float(smooth[-1]), "accuracy": 1 - float(smooth[-1])}
            file.write(e.encode(e.Evaluated(at=STARTED + step / RATE, step=step, epoch=epoch, metrics=values)))
        file.write(e.encode(e.RunFinished(at=STARTED + steps / RATE, step=steps, epoch=epochs)))
    return folder
