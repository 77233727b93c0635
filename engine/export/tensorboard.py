"""A run's curves as TensorBoard's event files: the scalars that every reader of them knows.

TensorBoard's own `Writer` stores a scalar as a tensor, which the classic `EventAccumulator` does not show as one, and
writes in a thread that cannot tell us of a full disk.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from ..errors import RequestError
from ..files import whole_file
from ..history.fold_history import Fold
from ..history.reading import read
from ..runs.folder import RunFolder
from .metrics_csv import curves, folds, steps_of

OURS = re.compile(r"events\.out\.tfevents\.\d{10}\.stoker-export")  # others end in a host's name, or a number


def to_tensorboard(folder: RunFolder, target: Path) -> None:
    """Write an event file each fold, and remove those of an earlier export. Raises OSError.

    Raises RequestError where tensorboard is not installed.
    """
    try:
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError as error:
        raise RequestError("tensorboard/ needs tensorboard: pip install 'stoker[export]'") from error
    written = []
    for name, fold in folds(read(folder)):
        # Ten digits of seconds, as others name them: readers take files in the order of their names.
        written.append(target / name / f"events.out.tfevents.{int(time.time()):010d}.stoker-export")
        _write(fold, written[-1])
    for path in (*target.glob("events.*"), *target.glob("fold */events.*")):
        if OURS.fullmatch(path.name) and path not in written:
            path.unlink(missing_ok=True)


def _write(fold: Fold, path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    with whole_file(path) as file:
        writer, now = RecordWriter(file), time.time()
        writer.write(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
        for label, curve in curves(fold):
            split, _, metric = label.partition("_")
            tag = f"{metric}/{split}" if metric and split != "lr" else label
            for step, value in zip(steps_of(curve), curve.values.tolist(), strict=True):
                summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                writer.write(Event(wall_time=now, step=step, summary=summary).SerializeToString())
