"""One training of a check, in a process of its own: `python -m stoker.engine.doctor.probe FOLDER PART TRACE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..data.batches import Batches
from ..data.rereading import digest
from ..errors import StokerError, error_line
from ..runs.commands import Command, Controls
from ..runs.events import CommandAnswered, Event, Steps, Warned
from ..runs.folder import RunFolder
from ..session import train
from ..tasks.task import Task
from ..training.trainer import Trainer
from .first_batch import FewBatches
from .own_state import OwnState

SHORT_EPOCH = 40  # batches; a shorter epoch is trained to its end, and the save is in the next one
LONG_EPOCH_BATCHES = 12  # batches that are trained of a longer one
EVALUATED = 5  # batches of an evaluation
PARTS = ("whole", "first", "second")
"""The uninterrupted training; the one up to the save; the one after it."""


class Trace:
    """What a training of the check did, batch by batch."""

    def __init__(self) -> None:
        """Start empty."""
        self.digests: dict[str, int] = {}
        """Checksum of each batch, by `EPOCH:BATCH`."""
        self.losses: dict[str, float] = {}
        """Loss of each step."""
        self.own_state: list[str] = []
        """Sentences about values that changed and are in no checkpoint."""
        self.warnings: list[str] = []
        """Causes that the run itself named."""
        self.finished = ""
        """Why the training failed; empty if it did not."""
        self.batches = 0
        """Batches that the training takes in all."""
        self.passed_an_epoch = False
        """The save is in the second epoch or later."""

    def write(self, path: Path) -> None:
        """Write the trace as JSON."""
        path.write_text(json.dumps(vars(self)))

    @classmethod
    def read(cls, path: Path) -> Trace:
        """Read what `write` wrote. Raises OSError."""
        trace = cls()
        vars(trace).update(json.loads(path.read_text()))
        return trace


def plan(batches_per_epoch: int | None, accumulate: int) -> tuple[int, int]:
    """Return the batches until the save, and those of the whole training.

    The save is inside an epoch. If epochs are short it is in the second one, and the training goes on into the third: some
    data differs only from the second epoch on.
    """
    if not passes_an_epoch(batches_per_epoch):
        half = max(LONG_EPOCH_BATCHES // 2, accumulate + 1)
        return half, 2 * half
    assert batches_per_epoch is not None
    first = batches_per_epoch + max(1, batches_per_epoch // 2)
    return first, max(first + 1, 2 * batches_per_epoch + min(2, batches_per_epoch))


def passes_an_epoch(batches_per_epoch: int | None) -> bool:
    """Return whether the check's trainings are longer than an epoch."""
    return batches_per_epoch is not None and batches_per_epoch <= SHORT_EPOCH


class _Watched:
    """The training's batches, with a checksum of each; at the last one the training is told to stop."""

    def __init__(self, batches: Batches, trace: Trace, last: int, on_last: Callable[[], None], taken: int) -> None:
        self._batches, self._trace, self._last, self._on_last, self._taken = batches, trace, last, on_last, taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)

    def __len__(self) -> int:
        return len(self._batches)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        for number, batch in enumerate(self._batches.epoch(epoch, start), start):
            self._trace.digests[f"{epoch}:{number}"] = digest(batch)
            self._taken += 1
            if self._taken == self._last:
                self._on_last()
            yield batch


def probe(folder: RunFolder, part: str, *, evaluate: bool = True, function: Callable[..., Task] | None = None) -> Trace:
    """Train one part of the check in `folder` and save it; `first` is evaluated before its save if `evaluate`.

    Raises StokerError where the training cannot begin.
    """
    trace, controls, own = Trace(), Controls(), list[OwnState]()
    wanted: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Steps):
            for number, loss in enumerate(event.losses):
                trace.losses[str(event.first + number)] = loss
        elif isinstance(event, Warned) and event.kind == "inexact":
            trace.warnings.append(event.message)
        elif isinstance(event, CommandAnswered) and event.id in wanted:
            controls.send(Command(command="stop"))

    def stop() -> None:
        # Paused, it takes no further batch until the evaluation has been answered.
        controls.send(Command(command="pause"))
        if part == "first" and not evaluate:
            controls.send(Command(command="stop"))
        else:
            wanted.append(controls.send(Command(command="evaluate")))

    def ready(trainer: Trainer) -> None:
        state = trainer.state
        first, whole = plan(state.batches_per_epoch, trainer.settings.accumulate)
        trace.batches, trace.passed_an_epoch = whole, passes_an_epoch(state.batches_per_epoch)
        own.append(OwnState(trainer))
        last = first if part == "first" else whole
        state.batches = _Watched(state.batches, trace, last, stop, first if part == "second" else 0)
        evaluation = trainer.evaluation
        evaluation.batches = FewBatches(evaluation.batches, EVALUATED)

    finished = train(folder, controls, listen, function=function, on_ready=ready)
    trace.own_state = own[0].changed() if own else []
    trace.finished = finished.message if finished.cause == "failed" else ""
    return trace


def main(arguments: list[str]) -> int:
    """Train the part that the arguments name, write its trace, and return the exit code."""
    place, part, trace = arguments[:3]
    try:
        probe(RunFolder(Path(place)), part, evaluate="--no-evaluation" not in arguments).write(Path(trace))
    except StokerError as error:
        print(error_line(error), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
