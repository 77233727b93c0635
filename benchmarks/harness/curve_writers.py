"""One curve in the format of each viewer: `python -m benchmarks.harness.curve_writers KIND FOLDER STEPS RATE`.

Writes STEPS steps at once. If RATE is not 0, it then writes RATE steps a second until the process is killed.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import numpy as np

Write = Callable[[int, float], object]  # a step and its loss

CURVE_STEPS = 100_000  # steps over which the curve falls


@contextmanager
def stoker(folder: Path) -> Iterator[Write]:
    """Write stoker's events, ten steps in each."""
    from stoker.engine.runs import events
    from stoker.engine.runs import folder as runs

    run = runs.create(folder, "iris", "curve", {})
    pending: list[float] = []
    last = 0
    with run.events.open("wb", buffering=0) as file, run.lock():
        file.write(
            events.encode(
                events.RunStarted(run=run.name, task="iris", epochs=CURVE_STEPS // 1000, steps_per_epoch=1000)
            )
        )

        def write(step: int, loss: float) -> None:
            nonlocal last
            last = step
            pending.append(loss)
            if step % 10 == 0:
                first = step - len(pending) + 1
                event = events.Steps(first=first, step=step, epoch=1 + step // 1000, losses=pending.copy(), lr=[0.01])
                file.write(events.encode(event))
                pending.clear()

        yield write
        file.write(events.encode(events.RunFinished(step=last, epoch=last // 1000)))


@contextmanager
def ltui(folder: Path) -> Iterator[Write]:
    """Write the CSV file of Lightning's CSVLogger."""
    version = folder / "lightning_logs" / "version_0"
    version.mkdir(parents=True)
    with (version / "metrics.csv").open("w", newline="", buffering=1) as file:
        table = csv.writer(file)
        table.writerow(["epoch", "step", "train_loss"])
        yield lambda step, loss: table.writerow([step // 1000, step, loss])


@contextmanager
def terminalboard(folder: Path) -> Iterator[Write]:
    """Write an event file of TensorBoard."""
    from torch.utils.tensorboard import SummaryWriter

    with closing(SummaryWriter(str(folder / "run"), flush_secs=1)) as writer:
        yield lambda step, loss: writer.add_scalar("train/loss", loss, step)


@contextmanager
def tlog(folder: Path) -> Iterator[Write]:
    """Write with tlog's own logger."""
    import tlog as library

    library.init(project="p", name="run", dir=str(folder), system_metrics=False, capture_console=False)
    yield lambda step, loss: library.log({"train/loss": loss}, step=step)
    library.finish()


@contextmanager
def leet(folder: Path) -> Iterator[Write]:
    """Write with wandb's own logger, offline."""
    import wandb

    settings = wandb.Settings(console="off", x_disable_stats=True, silent=True)
    with wandb.init(mode="offline", dir=str(folder), project="p", settings=settings) as run:
        yield lambda step, loss: run.log({"train/loss": loss}, step=step)


KINDS: dict[str, Callable[[Path], AbstractContextManager[Write]]] = {
    "stoker": stoker,
    "leet": leet,
    "ltui": ltui,
    "terminalboard": terminalboard,
    "tlog": tlog,
}


def curve(first: int, last: int) -> list[float]:
    """Return the losses of steps `first` to `last`."""
    noise = np.random.default_rng(1).normal(0, 0.05, last - first + 1) ** 2
    losses: list[float] = (np.exp(-np.arange(first, last + 1) / CURVE_STEPS * 4) + noise).tolist()
    return losses


def write_curve(kind: str, folder: Path, steps: int, rate: float) -> None:
    """Write the first `steps` steps at once, then `rate` steps a second if `rate` is not 0."""
    with KINDS[kind](folder) as write:
        for step, loss in enumerate(curve(1, steps), 1):
            write(step, loss)
        start = time.monotonic()
        for more, loss in enumerate(curve(steps + 1, CURVE_STEPS) if rate else [], 1):
            time.sleep(max(0.0, start + more / rate - time.monotonic()))
            write(steps + more, loss)


if __name__ == "__main__":
    write_curve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
