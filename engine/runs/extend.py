"""Change a run before it is resumed: give it more epochs or patience, or another device."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ..config.settings import Settings
from ..errors import RunError
from .events import RunFinished, Steps
from .folder import RunFolder
from .record import Record

Limit = Literal["epochs", "patience"]
LIMIT_BY_CAUSE: dict[str, Limit] = {"completed": "epochs", "early_stopping": "patience"}
"""The setting that ends a run, by the cause in its `run_finished` event."""


def limit_reached(folder: RunFolder) -> tuple[Limit, int] | None:
    """Return the setting that ended the run, and its value; None if the run ended for another reason.

    Raises RunError if this is not a run folder, or the run has several folds and has completed them.
    """
    last = next(reversed(folder.last_events()), None)
    limit = LIMIT_BY_CAUSE.get(last.cause) if isinstance(last, RunFinished) else None
    if limit is None:
        return None
    record = folder.record()
    if record.script is not None:
        return None  # the script alone decides how long it trains
    if _settings(record).folds > 1:
        raise _has_folds(folder)
    value = record.settings.get(limit)
    return (limit, value) if isinstance(value, int) else None


def extend_run(folder: RunFolder, **limits: Any) -> Record:
    """Set a new limit in `run.json`: `epochs=N` or `patience=N`. The next engine uses it.

    Returns the old record; write it back if the engine refuses. The evaluation at the old end counts as any other.
    Raises SettingError for an invalid value, RunError if the run has folds or has trained for more epochs already,
    RunLocked while an engine trains it.
    """
    with folder.lock():
        before = folder.record()
        if before.script is not None:
            raise RunError(
                f"run {folder.name} is the script {before.task}, which decides itself how long it trains: change it, then"
                f" run the script again, by `stoker resume {folder.name}` or with stoker.Run(resume='allow')"
            )
        record = msgspec.structs.replace(before, given=before.given | limits)
        settings = _settings(record)
        if settings.folds > 1:
            raise _has_folds(folder)
        if "epochs" in limits:
            trained = max((e.epoch or 0 for e in folder.last_events() if isinstance(e, Steps | RunFinished)), default=0)
            if settings.epochs < trained:
                raise RunError(
                    f"run {folder.name} is already in epoch {trained}: --epochs {settings.epochs} is too few,"
                    f" give {trained} or more"
                )
        try:
            folder.write_record(record)
        except OSError as error:
            raise RunError(f"run folder {folder.path} cannot be written: {error.strerror}") from error
        return before


def change_device(folder: RunFolder, device: str) -> Record:
    """Set the device in `run.json`, which the next engine uses: `cpu`, `cuda`, `cuda:N`, `mps` or `auto`.

    Returns the old record; write it back if the engine refuses. Raises SettingError for another text, RunError if the
    folder cannot be written, RunLocked while an engine trains the run.
    """
    with folder.lock():
        before = folder.record()
        given = before.given | {"device": device}
        Settings.of(given)
        try:
            folder.write_record(msgspec.structs.replace(before, given=given))
        except OSError as error:
            raise RunError(f"run folder {folder.path} cannot be written: {error.strerror}") from error
        return before


def given_limits(record: Record) -> list[str]:
    """Return which limits were set on the command line or by `extend_run`, not by the task."""
    return [name for name in LIMIT_BY_CAUSE.values() if name in record.given]


def _has_folds(folder: RunFolder) -> RunError:
    return RunError(
        f"A run with folds cannot be extended. Start a longer one with `stoker run --like {folder.name} --epochs N`."
    )


def _settings(record: Record) -> Settings:
    return Settings.of({"split": record.settings.get("split")}, record.given)
