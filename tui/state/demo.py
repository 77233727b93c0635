"""The demonstration: about ninety seconds of digits that keep improving, with hints that vanish once tried."""

from __future__ import annotations

from pathlib import Path

from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder, create

TASK = "digits"
PARAMETERS = {"dropout": "0.5"}
SETTINGS = {"epochs": 300, "lr": 1e-4, "patience": None}
"""Slow enough to try every key, and improving to the end."""
HINTS = {
    "pause": "space pauses",
    "lr": "+ raises the learning rate ◆",
    "results": "E shows the confusion matrix",
    "detach": "d detaches: then `stoker attach`",
}
"""The hints by what makes them vanish, in the order in which they are shown."""


def create_demo(runs: Path) -> RunFolder:
    """Create the run folder of a demonstration. Raises RunError."""
    return create(runs, TASK, None, {"parameters": dict(PARAMETERS), "given": dict(SETTINGS)})


class DemoHints:
    """The hints that are left."""

    def __init__(self) -> None:
        """Start with all of them."""
        self.left = dict(HINTS)

    def receive(self, event: e.Event) -> None:
        """Drop the hint whose effect this event is."""
        if isinstance(event, e.Paused):
            self.tried("pause")
        elif isinstance(event, e.LearningRate) and event.cause == "command":
            self.tried("lr")

    def tried(self, name: str) -> None:
        """Drop one hint."""
        self.left.pop(name, None)

    def line(self) -> str:
        """Return the hints that are left on one line; empty when all were tried."""
        return "try: " + " · ".join(self.left.values()) if self.left else ""
