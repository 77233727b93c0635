"""A recorded run, computed by a rule with fixed times, so that every test has the same one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command
from stoker.tui.widgets.plot import PlotWidget

BEGAN = 1_750_000_000.0  # Unix seconds: 2025-06-15 15:06:40 UTC
PER_EPOCH = 45
EPOCHS = 12
PER_SECOND = 90


def loss(step: int) -> float:
    """Return a falling, noisy training loss."""
    return 2.3 * math.exp(-step / 150) + 0.05 + 0.12 * math.exp(-step / 300) * math.sin(step * 12.9898)


def started(resumed_from: int | None = None, *, at: float = BEGAN) -> e.RunStarted:
    """Return the first event of the run."""
    return e.RunStarted(
        at=at,
        run="digits-recorded",
        task="digits",
        device="cpu",
        parameters=24_346,
        epochs=EPOCHS,
        steps_per_epoch=PER_EPOCH,
        resumed_from=resumed_from,
        pid=4711,
        host="forge",
    )


def time_of(step: int) -> float:
    """Return the time of `step`, in Unix seconds."""
    return BEGAN + 1 + step / PER_SECOND


def run(last: int = 330) -> list[e.Event]:
    """Return the events of a training run up to step `last`."""
    return [started(), *body(0, last)]


def body(after: int, last: int, *, together: int = 15) -> Iterator[e.Event]:
    """Yield the events after step `after` up to `last`, with `together` steps in one event."""
    step = after
    while step < last:
        end = min(last, step + together, (step // PER_EPOCH + 1) * PER_EPOCH)
        losses = [loss(number) for number in range(step + 1, end + 1)]
        yield e.Steps(
            at=time_of(end),
            first=step + 1,
            step=end,
            epoch=-(-end // PER_EPOCH),
            losses=losses,
            lr=[rate(step)],
            samples_per_second=2880.0,
        )
        step = end
        if step % PER_EPOCH == 0:
            yield from evaluation(step)


def rate(step: int) -> float:
    """Return the learning rate of the step after `step`: halved every four epochs."""
    return 0.01 * 0.5 ** (step // (4 * PER_EPOCH))


def measured(step: int) -> float:
    """Return the test loss after `step`: best at epoch 5, then worse."""
    return 0.3 + 2 * math.exp(-step / 70) + max(0, step - 5 * PER_EPOCH) / 900


def evaluation(step: int) -> Iterator[e.Event]:
    """Yield the events of the evaluation and of the end of the epoch after `step`."""
    at, epoch = time_of(step), step // PER_EPOCH
    yield e.Evaluating(at=at, step=step, epoch=epoch, batches=6)
    value = measured(step)
    yield e.Evaluated(at=at, step=step, epoch=epoch, metrics={"loss": value, "accuracy": 1 - value / 2.6})
    best_step = min(step, 5 * PER_EPOCH)
    yield e.EarlyStopping(
        at=at,
        step=step,
        epoch=epoch,
        best=measured(best_step),
        best_step=best_step,
        waited=epoch - best_step // PER_EPOCH,
        patience=5,
    )
    if best_step == step:
        yield e.CheckpointSaved(
            at=at,
            step=step,
            epoch=epoch,
            path="checkpoints/best.pt",
            kind="best",
            bytes=412_345,
            seconds=0.012,
            cause="best",
        )
    if epoch % 4 == 0:
        yield e.LearningRate(at=at, step=step, epoch=epoch, lr=[rate(step)])


def folds(*lasts: int) -> list[e.Event]:
    """Return the events of several folds, each up to its own last step and with its own curves."""
    return [_of_fold(event, fold, len(lasts)) for fold, last in enumerate(lasts) for event in run(last)]


def _of_fold(event: e.Event, fold: int, of: int) -> e.Event:
    changes: dict[str, Any] = {"fold": fold, "at": event.at + 7 * fold}
    match event:
        case e.RunStarted():
            changes["folds"] = of
        case e.Steps():
            steps = range(event.first, event.first + len(event.losses))
            changes["losses"] = [loss(step) * (1 + 0.25 * fold * math.sin(step / 90 + fold)) for step in steps]
        case e.Evaluated(step=step, metrics=metrics):
            share = 1 + 0.12 * fold * math.sin((step or 0) / 90 + fold)
            changes["metrics"] = {name: number * share for name, number in metrics.items()}
    return msgspec.structs.replace(event, **changes)


class Recorded:
    """A source that replays events and records the commands."""

    def __init__(self, events: Iterable[e.Event], *, alive: bool = True, remote: bool = False) -> None:
        """Replay `events` at once; `more` appends further ones."""
        self._waiting = list(events)
        self._alive, self._remote = alive, remote
        self.asked: list[Command] = []

    def more(self, *events: e.Event) -> None:
        """Append events."""
        self._waiting += events

    def die(self) -> None:
        """End the engine."""
        self._alive = False

    def read(self) -> list[e.Event]:
        """Return the new events."""
        events, self._waiting = self._waiting, []
        return events

    def send(self, command: Command) -> str:
        """Record the command."""
        self.asked.append(command)
        return command.id

    def alive(self) -> bool:
        """Return True while the engine is alive."""
        return self._alive

    def remote(self) -> bool:
        """Return True for an engine on another machine."""
        return self._remote


def settled(plot: PlotWidget) -> bool:
    """Return True when a plot is drawn in its current size."""
    wanted = plot._inputs
    return not plot.is_on_screen or (isinstance(wanted, tuple) and wanted[0] == plot.content_size)


def footed(screen: Screen[Any]) -> bool:
    """Return True when the footer shows the available keys; it follows them with a delay."""
    offered = {binding.action for _, binding, _, _ in screen.active_bindings.values() if binding.show}
    return all({key.action for key in footer.query(FooterKey)} == offered for footer in screen.query(Footer))
