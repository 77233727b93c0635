"""Trains the run in a folder, from the start or from its newest checkpoint, in whichever thread or process this is."""

from __future__ import annotations

import atexit
import gc
import math
import os
import socket
import statistics
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import torch

from .checkpoints import files as checkpoint
from .config.settings import Settings
from .devices import choose, describe, useful_threads, versions
from .environment import commit
from .errors import CheckpointError, RequestError, RunError, TrainingError
from .runs.commands import Controls
from .runs.events import Event, RunFinished, RunStarted, Warned
from .runs.extend import LIMITS, given
from .runs.folder import Record, RunFolder
from .runs.journal import Journal
from .runtime.command_handler import Ended
from .tasks import imports as sources
from .tasks import loading
from .tasks.building import build, changes, divided
from .tasks.task import Task
from .training.state import differences
from .training.trainer import Trainer

Say = Callable[[Event], None]
OVER = "the run has ended"

# What importing torch made lives as long as the process: a collection would look through all of it, 0.2 s each time.
gc.freeze()
# Or libraries that look for leaks when Python ends would find all of it.
atexit.register(gc.unfreeze)


def train(folder: RunFolder, controls: Controls, say: Say, *, checkpoint: str | None = None) -> RunFinished:
    """Train the run in `folder` until it ends, and return its last event; a training that fails is told there too.

    It goes on from `checkpoint` (latest, best or a path), or the newest good one, or begins at the beginning.
    Raises RequestError where the request was wrong and nothing was trained, RunLocked where another engine is at it.
    """
    with folder.lock():
        try:
            journal = Journal(folder.events)
        except OSError as error:
            raise RunError(f"run folder {folder.path} cannot be written: {error.strerror}") from error
        try:
            return _Session(folder, controls, journal, say).run(checkpoint)
        finally:
            journal.close()


class _Session:
    def __init__(self, folder: RunFolder, controls: Controls, journal: Journal, say: Say) -> None:
        self.folder, self.controls, self.journal, self.outlet = folder, controls, journal, say
        self.fold: int | None = None
        self.results: list[dict[str, float]] = []
        self.told = False
        self.resumed: tuple[int | None, int] | None = None

    def say(self, event: Event) -> None:
        """Write the event down and hand it to whoever watches in this process."""
        if self.fold is not None:
            event = msgspec.structs.replace(event, fold=self.fold)
        self.journal.append(event)
        self.outlet(event)

    def _tell(self, line: str) -> None:
        self.say(Warned(kind="download", message=line))

    def run(self, wanted: str | None) -> RunFinished:
        checkpoint.tidy(self.folder.path)
        checkpoint.tidy(self.folder.checkpoints)
        record = self.folder.record()
        saved, trouble = self._saved(wanted)
        # Before the first operation of the thread that trains, and as many as the run was begun with.
        threads = Settings.of(record.given).threads or (saved["settings"].get("threads") if saved else None)
        torch.set_num_threads(threads or torch.get_num_threads())
        self.told = self.folder.events.stat().st_size > 0
        task, settings, record = build(record, self._tell)
        # What the task imported stays too, pandas for one; the trainers of folds come and go, so not later.
        gc.freeze()
        self.sources = sources.sums()
        device = choose(settings.device)
        torch.set_num_threads(threads or settings.threads or useful_threads(task, settings.batch_size))
        settings = replace(settings, threads=torch.get_num_threads())
        folds = settings.folds
        first = saved["progress"].get("fold", 0) if saved else 0
        self.results = list(saved["folds"])[:first] if saved else []
        record.settings = settings.asdict()
        record.seed = settings.seed
        if not saved:
            record.versions, record.git = versions(), commit(loading.folder_of(record.task))
            record.sources = self.sources
        try:
            self.folder.write_record(record)
        except OSError as error:
            raise RunError(f"run folder {self.folder.path} cannot be written: {error.strerror}") from error
        trainer: Trainer | None = None
        # Each fold has a task of its own; one that was trained is let go before the next is built.
        built: Task | None = task
        del task
        try:
            for fold in range(first, folds):
                self.fold = fold if folds > 1 else None
                if built is None:
                    built, settings, _ = build(record, self._tell)
                    settings = replace(settings, threads=torch.get_num_threads())
                part, built = divided(built, settings, fold), None
                trainer = Trainer(part, settings, device, self.folder, self.controls, self.say, self.fold)
                trainer.folds_done = self.results
                if saved:
                    trainer.load_state_dict(saved)
                    self.resumed = (self.fold, trainer.progress.step)
                self._say_started(trainer, record, device, folds, saved)
                for message in trouble:
                    trainer.say(Warned(kind="checkpoint", message=message, **trainer.place))
                if saved:
                    self._compare(trainer, saved, record)
                    if wanted not in (None, "latest"):
                        # So that the newest file is where the run is, should it die before its first save.
                        trainer.keeper.latest("schedule", wait=True)
                elif fold:
                    # So that a kill before this fold's first save costs no fold that was finished.
                    trainer.keeper.latest("schedule", wait=True)
                saved, trouble = None, []
                ended, test = self._train(trainer)
                if ended.cause in ("stopped", "failed") or folds == 1:
                    return self._finish(trainer, ended, test)
                self.results.append(test)
                if fold + 1 < folds:
                    trainer.close("its fold has ended")
            assert trainer is not None
            return self._finish(trainer, Ended("completed"), test)
        except RequestError:
            raise
        except BaseException as error:
            # Where even saving the failed state raised: the run's folder must still say how it ended.
            traceback.print_exc()
            finished = RunFinished(cause="failed", message=loading.describe(error))
            self.say(finished)
            if isinstance(error, Exception | SystemExit):
                return finished
            raise
        finally:
            if trainer is not None:
                trainer.close(OVER)

    def _train(self, trainer: Trainer) -> tuple[Ended, dict[str, float]]:
        """Train, and return how it ended and the last metrics; an error of the task's code is an end too."""
        ended = Ended("completed")
        try:
            try:
                trainer.train()
            except Ended as early:
                if early.cause != "early_stopping":
                    raise
                ended = early
            return ended, trainer.examiner.final_test()
        except Ended as cut:
            ended = cut
        except RequestError as error:
            if trainer.progress.step == 0:
                raise
            ended = Ended("failed", str(error))
        except TrainingError as error:
            ended = Ended("failed", str(error))
        except torch.OutOfMemoryError as error:
            traceback.print_exc()
            torch.cuda.empty_cache()
            line = str(error).partition("\n")[0]
            message = f"out of memory on {trainer.device}: use a smaller --batch-size with --accumulate ({line})"
            ended = Ended("failed", message)
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            ended = Ended("failed", loading.describe(error))
        return ended, trainer.examiner.last

    def _finish(self, trainer: Trainer, ended: Ended, test: dict[str, float]) -> RunFinished:
        """Save, and say how the run ended."""
        trainer.speak(final=True)
        messages, cause = [ended.message] if ended.message else [], ended.cause
        if trainer.torn:
            messages.append("it broke off inside an optimizer step, so the last good checkpoint stays")
        elif not trainer.keeper.last(ended.save_cause):
            messages.append("its last state could not be saved")
            # Whoever waits for the weights must not be told that they are there.
            cause = "failed" if ended.cause in ("completed", "early_stopping") else cause
        if cause in ("completed", "early_stopping") and self.resumed == (self.fold, trainer.progress.step):
            more = f": `stoker resume {self.folder.name} --{LIMITS[cause]} N` trains on" if self.fold is None else ""
            messages.append(f"nothing was left to train{more}")
        trainer.close(OVER)
        stopping = trainer.examiner.early_stopping
        best = None if math.isnan(stopping.best) else stopping.best
        if self.results:
            test = summary(self.results)
            best = test.get(stopping.monitor)
            self.fold = None
        finished = RunFinished(cause=cause, best=best, test=test, message="; ".join(messages), **trainer.place)
        self.say(finished)
        self.journal.sync()
        return finished

    def _saved(self, wanted: str | None) -> tuple[dict[str, Any] | None, list[str]]:
        """Return the checkpoint to go on from, if any, and what was wrong with newer ones."""
        if wanted in (None, "latest"):
            found = checkpoint.newest(self.folder.checkpoints)
            return (found[1], found[2]) if found else (None, [])
        return checkpoint.read(locate(self.folder, str(wanted))), []

    def _say_started(
        self, trainer: Trainer, record: Record, device: torch.device, folds: int, saved: dict[str, Any] | None
    ) -> None:
        self.say(
            RunStarted(
                run=self.folder.name,
                task=record.task,
                device=describe(device),
                parameters=sum(p.numel() for p in trainer.model.parameters()),
                epochs=trainer.settings.epochs,
                steps_per_epoch=trainer.steps_per_epoch,
                # A run that died before its first save begins again: what it had said is superseded.
                resumed_from=trainer.progress.step if saved or self._told(trainer) else None,
                pid=os.getpid(),
                host=socket.gethostname(),
                folds=folds,
                **trainer.place,
            )
        )
        if trainer.task.note:
            trainer.say(Warned(kind="note", message=trainer.task.note, **trainer.place))
        for inexact in filter(None, (trainer.batches.exact, trainer.inexact)):
            trainer.say(Warned(kind="inexact", message=inexact, **trainer.place))

    def _told(self, trainer: Trainer) -> bool:
        return self.told and not self.results and trainer.progress.step == 0

    def _compare(self, trainer: Trainer, saved: dict[str, Any], record: Record) -> None:
        """Warn of what differs from when the checkpoint was saved."""
        changed = differences(saved, torch.get_num_threads(), trainer.device.type)
        if changed:
            message = f"not as it was when saved, the last bits may differ: {', '.join(changed)}"
            trainer.say(Warned(kind="inexact", message=message, **trainer.place))
        then, now = saved["settings"], trainer.settings.asdict()
        longer = [f"{name} was {then[name]}, is {now[name]}" for name in given(record) if then[name] != now[name]]
        if longer:
            message = f"goes on under another limit: {', '.join(longer)}"
            trainer.say(Warned(kind="note", message=message, **trainer.place))
        changed = changes(record, self.sources, then, now)
        if changed:
            message = f"the task is not the one that this run was started with: {'; '.join(changed)}"
            trainer.say(Warned(kind="task_changed", message=message, **trainer.place))


def locate(folder: RunFolder, wanted: str) -> Path:
    """Return the file of `latest`, `best` or a path. Raises CheckpointError."""
    for path in (folder.checkpoints / f"{wanted}.pt", folder.checkpoints / wanted, Path(wanted)):
        if path.is_file():
            return path
    have = ", ".join(path.name for path in checkpoint.candidates(folder.checkpoints)) or "none"
    raise CheckpointError(f"run {folder.name} has no checkpoint {wanted!r}; it has {have}")


def summary(results: list[dict[str, float]]) -> dict[str, float]:
    """Return mean and sample standard deviation of every metric over the folds."""
    values: dict[str, float] = {}
    for name in results[0]:
        column = [result[name] for result in results]
        values[name] = statistics.fmean(column)
        values[f"{name}_std"] = statistics.stdev(column) if len(column) > 1 else 0.0
    return values
