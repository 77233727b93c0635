"""Lets a run that reached its end train on: for more epochs, or with more patience."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ..config.settings import Settings
from ..errors import RunError
from .events import RunFinished, Steps
from .folder import Record, RunFolder

Limit = Literal["epochs", "patience"]
LIMITS: dict[str, Limit] = {"completed": "epochs", "early_stopping": "patience"}


def reached(folder: RunFolder) -> tuple[Limit, int] | None:
    """Return the setting that ended the run, and its value; None where it was cut short.

    Raises RunError where it is no run folder, or the last of several folds has ended.
    """
    last = next(reversed(folder.last_events()), None)
    limit = LIMITS.get(last.cause) if isinstance(last, RunFinished) else None
    if limit is None:
        return None
    record = folder.record()
    if _settings(record).folds > 1:
        raise _of_one_length(folder)
    value = record.settings.get(limit)
    return (limit, value) if isinstance(value, int) else None


def prolong(folder: RunFolder, **limits: Any) -> Record:
    """Write down that the run is to train until `epochs`, or to stop after `patience` evaluations in vain.

    Whichever engine trains it next goes by that; where it refuses, what is returned is to be written back. An
    evaluation that was made only because the run had ended counts as any other. Raises SettingError, RunError where the
    run cannot be of that length, RunLocked while it is being trained.
    """
    with folder.lock():
        before = folder.record()
        record = msgspec.structs.replace(before, given=before.given | limits)
        settings = _settings(record)
        if settings.folds > 1:
            raise _of_one_length(folder)
        if "epochs" in limits:
            trained = max((e.epoch or 0 for e in folder.last_events() if isinstance(e, Steps | RunFinished)), default=0)
            if settings.epochs < trained:
                raise RunError(f"run {folder.name} is in epoch {trained} by now: {settings.epochs} are too few")
        try:
            folder.write_record(record)
        except OSError as error:
            raise RunError(f"run folder {folder.path} cannot be written: {error.strerror}") from error
        return before


def given(record: Record) -> list[str]:
    """Return the limits of the run that a person gave, not its task."""
    return [name for name in LIMITS.values() if name in record.given]


def _of_one_length(folder: RunFolder) -> RunError:
    return RunError(
        f"the folds of run {folder.name} are of one length: `stoker run --like {folder.name}` trains longer ones"
    )


def _settings(record: Record) -> Settings:
    return Settings.of({"split": record.settings.get("split")}, record.given)
