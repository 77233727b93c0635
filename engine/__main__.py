"""`python -m stoker.engine RUN_FOLDER [CHECKPOINT]`: trains a run without a dashboard, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from .errors import StokerError
from .launch.process import describe, run
from .runs.commands import Controls
from .runs.events import Event
from .runs.folder import RunFolder


def main(arguments: list[str]) -> int:
    """Train the run in the folder that is named; what is printed belongs into its engine.log."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m stoker.engine RUN_FOLDER [CHECKPOINT]", file=sys.stderr)
        return 2
    folder = RunFolder(Path(arguments[0]))
    try:
        folder.record()
        return run(folder, Controls(folder.commands), _unheard, *arguments[1:])[1]
    except StokerError as error:
        print(describe(error), file=sys.stderr)
        return error.exit_code


def _unheard(event: Event) -> None:
    """Say nothing here: whoever watches reads events.jsonl."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
