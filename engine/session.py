"""Train the run in a folder from its start or its newest checkpoint, in the calling thread."""

from __future__ import annotations

import atexit
import contextlib
import gc
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import torch

from .accelerator import memory
from .checkpoints.lookup import load_checkpoint
from .config.settings import Settings
from .environment import git_commit, versions
from .errors import RequestError, RunError
from .evaluation.fold_summary import summarise_folds
from .files import remove_temporary_files
from .runs.commands import Controls
from .runs.events import Event, RunFinished, Warned
from .runs.extend import LIMIT_BY_CAUSE
from .runs.folder import RunFolder
from .runs.journal import Journal
from .runs.lock import HeldLock
from .runs.record import Record
from .runtime.stop_training import StopTraining
from .tasks import imports, loading
from .tasks.building import build_task
from .tasks.splitting import split_task
from .tasks.task import Task
from .training import announce, first_look
from .training.defaults import default_threads
from .training.failure import failure_message, print_traceback
from .training.outcome import train_to_end
from .training.run_device import RunDevice
from .training.trainer import Trainer

Emit = Callable[[Event], None]
ENDED = "the run has ended"
# The objects that importing torch creates are never freed, but each garbage collection of them would take 0.2 s.
gc.freeze()
# At exit, leak checkers of libraries would report all frozen objects.
atexit.register(gc.unfreeze)


def train(
    folder: RunFolder,
    controls: Controls,
    emit: Emit,
    *,
    checkpoint: str | None = None,
    function: Callable[..., Task] | None = None,
    on_ready: Callable[[Trainer], None] | None = None,
) -> RunFinished:
    """Train the run in `folder` until it ends, and return its last event; a failed training is an event, not an error.

    The run continues from `checkpoint` (`latest`, `best` or a path), or else from its newest good checkpoint, or starts
    from step 0. `function` returns the task in place of the one that the folder's record names. `on_ready` is called
    before the first step of each fold; a RequestError of it ends the run.

    Raises RequestError where the request was wrong and nothing was trained, RunLocked where another engine trains the
    run.
    """
    with folder.lock() as lock, contextlib.ExitStack() as leave:
        # For the next run of this process, which counts as many threads as this one found.
        leave.callback(torch.set_num_threads, torch.get_num_threads())
        try:
            journal = Journal(folder.events)
        except OSError as error:
            raise RunError(f"run folder {folder.path} cannot be written: {error.strerror}") from error
        leave.callback(journal.close)
        device = leave.enter_context(RunDevice())
        return _Session(folder, lock, controls, journal, emit, function, on_ready, device).run(checkpoint)


class _Session:
    """One engine's work on a run: all of its folds, from a checkpoint or from the start."""

    def __init__(
        self,
        folder: RunFolder,
        lock: HeldLock,
        controls: Controls,
        journal: Journal,
        listener: Emit,
        function: Callable[..., Task] | None,
        on_ready: Callable[[Trainer], None] | None,
        device: RunDevice,
    ) -> None:
        self.on_ready = on_ready
        self.folder, self.controls, self.journal, self.listener = folder, controls, journal, listener
        self.function, self.lock, self.device = function, lock, device
        self.fold: int | None = None
        self.results: list[dict[str, float]] = []
        self.resumes_history = False
        """The folder holds events of an earlier engine."""
        self.before: list[Event] = []
        """The last events of earlier engines."""
        self.resumed_at: tuple[int | None, int] | None = None
        """Fold and step of the checkpoint that this engine continued from."""
        self.build_threads = torch.get_num_threads()
        """Threads that the task is built under: its data may depend on the number."""

    def emit(self, event: Event) -> None:
        """Write the event to the journal, then pass it on within this process."""
        if self.fold is not None:
            event = msgspec.structs.replace(event, fold=self.fold)
        self.journal.append(event)
        self.listener(event)
        if (warning := self.journal.warning()) is not None:
            # The file itself may never tell it.
            self.journal.append(warning)
            self.listener(warning)
            with contextlib.suppress(OSError, ValueError):
                print(f"stoker: {warning.message}", file=sys.stderr)

    def run(self, wanted: str | None) -> RunFinished:
        """Train every fold that is left, and return the last event."""
        remove_temporary_files(self.folder.path)
        remove_temporary_files(self.folder.checkpoints)
        record = self.folder.record()
        saved, damaged = load_checkpoint(self.folder, wanted, record.run)
        # The number that the run started with.
        named = Settings.of(record.given)
        given = named.threads
        threads = given or (saved["settings"].get("threads") if saved else None)
        found = saved.get("environment", {}).get("build_threads") if saved else None
        self.build_threads = given or found or self.build_threads
        self.resumes_history = self.folder.events.stat().st_size > 0
        # Before the task is built, because it may use the device itself.
        self.device.choose(named.device)
        self.before = self.folder.last_events()
        task, settings, record = self._build(record)
        # Modules that the task imported, such as pandas, are never freed either. Trainers are, so freeze before they exist.
        gc.freeze()
        self.sources = imports.checksums()
        device = self.device.choose(settings.device)
        torch.set_num_threads(threads or settings.threads or default_threads(task, settings.batch_size))
        settings = replace(settings, threads=torch.get_num_threads())
        first = saved["progress"].get("fold", 0) if saved else 0
        self.results = list(saved["folds"])[:first] if saved else []
        self._write_record(record, settings, started=not saved)
        trainer: Trainer | None = None
        # Each fold builds its own task; the task of a finished fold is freed first.
        built: Task | None = task
        del task
        self.device.be_deterministic(settings.deterministic, self.emit)
        try:
            for fold in range(first, settings.folds):
                self.fold = fold if settings.folds > 1 else None
                if built is None:
                    threads = torch.get_num_threads()
                    built, settings, _ = self._build(record)
                    torch.set_num_threads(threads)
                    settings = replace(settings, threads=threads)
                part, built = split_task(built, settings, fold), None
                trainer = Trainer(
                    part,
                    settings,
                    device,
                    self.folder,
                    self.controls,
                    self.emit,
                    self.fold,
                    self.results,
                    self.lock.lost,
                )
                trainer.state.build_threads = self.build_threads
                trainer.state.run = record.run
                if saved:
                    trainer.load_state_dict(saved)
                    self.resumed_at = (self.fold, trainer.state.progress.step)
                self._emit_start(trainer, record, saved, damaged)
                if (fold and not saved) or (saved and wanted not in (None, "latest")):
                    # The newest file must be where the run is, should it be killed before its first save; and a kill
                    # before this fold's first save must not cost the folds that are done.
                    trainer.checkpoints.save_latest("schedule", wait=True)
                saved, damaged = None, []
                if self.on_ready is not None:
                    self.on_ready(trainer)
                stop, test = train_to_end(trainer)
                if stop.cause in ("stopped", "failed") or settings.folds == 1:
                    return self._finish(trainer, stop, test)
                self.results.append(test)
                if fold + 1 < settings.folds:
                    trainer.close("its fold has ended")
                    trainer = None
                    memory.collect(device)
            assert trainer is not None
            return self._finish(trainer, StopTraining("completed"), test)
        except RequestError:
            raise
        except BaseException as error:
            # The run folder must record the end, even if saving the failed state raised this error.
            finished = RunFinished(cause="failed", message=failure_message(error, device))
            self.emit(finished)
            print_traceback()
            if isinstance(error, Exception | SystemExit):
                return finished
            raise
        finally:
            if trainer is not None:
                trainer.close(ENDED)

    def _build(self, record: Record) -> tuple[Task, Settings, Record]:
        """Build the task under the same number of threads at the start, on resume and for each fold."""
        torch.set_num_threads(self.build_threads)
        return build_task(record, self._report_download, self.function)

    def _finish(self, trainer: Trainer, stop: StopTraining, test: dict[str, float]) -> RunFinished:
        """Save the final state, and emit and return the `run_finished` event."""
        trainer.flush(final=True)
        messages, cause = [stop.message] if stop.message else [], stop.cause
        if trainer.step.inconsistent:
            messages.append(
                "the error came in the middle of an optimizer step, so the state was not saved;"
                " the last good checkpoint is kept"
            )
        elif not trainer.checkpoints.save_final(stop.save_cause):
            messages.append("the final state could not be saved")
            # A script that waits for the weights must not see success when the final save failed.
            cause = "failed"
        if cause in ("completed", "early_stopping") and self.resumed_at == (self.fold, trainer.state.progress.step):
            more = (
                f": extend the run with `stoker resume {self.folder.name} --{LIMIT_BY_CAUSE[cause]} N`"
                if self.fold is None
                else ""
            )
            messages.append(f"nothing was left to train{more}")
        trainer.close(ENDED)
        stopping = trainer.state.early_stopping
        best = None if math.isnan(stopping.best) else stopping.best
        if self.results:
            test = summarise_folds(self.results)
            mean = test.get(stopping.monitor, math.nan)
            best = None if math.isnan(mean) else mean
            self.fold = None
        # Durable before the last event says how the run ended.
        self.journal.flush()
        self.journal.sync()
        if (reason := self.journal.incomplete()) is not None:
            messages.append(f"its history in events.jsonl is not complete: {reason}")
            cause = "failed"
        finished = RunFinished(cause=cause, best=best, test=test, message="; ".join(messages), **trainer.position)
        self.emit(finished)
        self.journal.sync()
        return finished

    def _write_record(self, record: Record, settings: Settings, *, started: bool) -> None:
        record.settings = settings.asdict()
        record.seed = settings.seed
        if started:
            record.versions, record.git = versions(), git_commit(loading.folder_of(record.task))
            record.sources = self.sources
        try:
            self.folder.write_record(record)
        except OSError as error:
            raise RunError(f"run folder {self.folder.path} cannot be written: {error.strerror}") from error

    def _emit_start(self, trainer: Trainer, record: Record, saved: dict[str, Any] | None, damaged: list[str]) -> None:
        """Emit the start of the training, and a warning for each reason why its results may not be exact."""
        step = trainer.state.progress.step
        # A run that was killed before its first save starts again: its earlier events are superseded.
        restarted = self.resumes_history and not self.results and step == 0
        resumed_from = step if saved or restarted else None
        self.emit(announce.started(trainer, run=self.folder.name, task=record.task, resumed_from=resumed_from))
        warnings = announce.inexactness(trainer)
        warnings += [Warned(kind="checkpoint", message=message, **trainer.position) for message in damaged]
        if self.lock.warning is not None:
            warnings.append(Warned(kind="note", message=self.lock.warning, **trainer.position))
        if not saved and (problem := first_look.evaluation_problem(trainer)) is not None:
            warnings.append(Warned(kind="evaluation", message=problem, **trainer.position))
        if saved and self.fold is None and (gap := announce.gap_in_history(self.before, step)) is not None:
            warnings.append(Warned(kind="history_failed", message=gap, **trainer.position))
        if saved:
            warnings += announce.changes(trainer, saved, record, self.sources)
        for warning in warnings:
            self.emit(warning)

    def _report_download(self, line: str) -> None:
        self.emit(Warned(kind="download", message=line))
