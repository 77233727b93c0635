"""Train the runs of runs.txt and keep their curves in verdicts.json.gz: `python -m tests.recordings.record`.

It takes about ten minutes. mnist needs the environment variable STOKER_DATA.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from stoker.engine.history.history import RunHistory

HERE = Path(__file__).parent
TASKS = HERE / "tasks.py"
BUILT_IN = ("digits", "iris", "mnist")


def commands() -> list[tuple[str, str, list[str]]]:
    """Return group, name and arguments of each run."""
    lines = [line.split() for line in (HERE / "runs.txt").read_text().splitlines() if not line.startswith("#")]
    return [(group, name, arguments) for group, name, *arguments in lines]


def curves(folder: Path) -> dict[str, Any]:
    """Return the curves of a run with four significant digits."""
    history = RunHistory.read(folder)
    fold = history.current
    return {
        "steps": [int(fold.train.base), int(fold.train.base + fold.train.length - 1)],
        "losses": [float(f"{value:.4g}") for value in fold.train.values],
        "evaluated": [
            [split, metric, curve.steps.tolist(), [float(f"{value:.4g}") for value in curve.values]]
            for (split, metric), curve in fold.evaluated.items()
        ],
        "monitor": history.early_stopping.monitor if history.early_stopping else "loss",
        "metrics": history.started.metrics if history.started else {},
    }


def main() -> None:
    """Train every run and write the file."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as runs:
        for group, name, (task, *arguments) in commands():
            place = task if task in BUILT_IN else f"{TASKS}:{task}"
            data = ["--data", os.environ["STOKER_DATA"]] if task == "mnist" else []
            nan = [] if "--on-nan" in arguments else ["--on-nan", "ignore"]
            where = ["--name", f"{group}-{name}", "--runs", runs, "--headless", "--threads", "1"]
            command = [sys.executable, "-m", "stoker.tui", "run", place, *arguments, *data, *nan, *where]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            found[f"{group} {name}"] = curves(Path(runs) / f"{group}-{name}")
            print(group, name, flush=True)
    # Without the time of writing, the same runs give the same file.
    (HERE / "verdicts.json.gz").write_bytes(gzip.compress(json.dumps(found).encode(), mtime=0))


if __name__ == "__main__":
    main()
