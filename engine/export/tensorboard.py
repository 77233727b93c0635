"""A run's curves as TensorBoard's event files: scalars that every reader of them knows.

TensorBoard's own `Writer` is not used. It stores a scalar as a tensor, which the classic `EventAccumulator` does not
list as a scalar. It also writes in a thread that cannot report a full disk.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from ..files import atomic_file
from ..history.fold_history import FoldHistory
from ..history.history import RunHistory
from ..runs.folder import RunFolder
from .curves import curves, folds, steps_of
from .formats import format_of, missing_library

OWN_FILE = re.compile(r"events\.out\.tfevents\.\d{10}\.stoker-export")  # other writers' files end in a host or a number


def to_tensorboard(folder: RunFolder, target: Path) -> None:
    """Write one event file for each fold, and remove those of an earlier export.

    Raises OSError, and RequestError without the tensorboard package.
    """
    try:
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError as error:
        raise missing_library(format_of(target)) from error
    written = []
    for name, fold in folds(RunHistory.read(folder)):
        # Ten digits of seconds, as in other event files: readers sort the files by name.
        written.append(target / name / f"events.out.tfevents.{int(time.time()):010d}.stoker-export")
        _write(fold, written[-1])
    for path in (*target.glob("events.*"), *target.glob("fold */events.*")):
        if OWN_FILE.fullmatch(path.name) and path not in written:
            path.unlink(missing_ok=True)


def _write(fold: FoldHistory, path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    with atomic_file(path) as file:
        writer, now = RecordWriter(file), time.time()
        writer.write(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
        for label, curve in curves(fold):
            split, _, metric = label.partition("_")
            tag = f"{metric}/{split}" if metric and split != "lr" else label
            for step, value in zip(steps_of(curve), curve.values.tolist(), strict=True):
                summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                writer.write(Event(wall_time=now, step=step, summary=summary).SerializeToString())
