"""`python -m stoker.engine RUN_FOLDER [CHECKPOINT]`: train a run without a dashboard, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from .errors import StokerError, error_line
from .launch.output import protect_output
from .launch.process import run
from .runs.commands import Controls
from .runs.events import ignore_event
from .runs.folder import RunFolder


def main(arguments: list[str]) -> int:
    """Train the run in the given folder and return the exit code; the caller sends the output to engine.log."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m stoker.engine RUN_FOLDER [CHECKPOINT]", file=sys.stderr)
        return 2
    protect_output()
    folder = RunFolder(Path(arguments[0]))
    try:
        folder.record()
        return run(folder, Controls(folder.commands), ignore_event, *arguments[1:])[1]
    except StokerError as error:
        print(error_line(error), file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
