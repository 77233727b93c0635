"""The engine as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from stoker.engine.runs import folder as runs
from tests.support.deadlines import deadline

TASK = """
import time

def slow():
    print("composing", flush=False)
    time.sleep(600)
"""


def test_prints_of_a_task_reach_the_log_at_once(tmp_path: Path) -> None:
    """A task may load data for minutes: a dashboard shows what it prints meanwhile."""
    (tmp_path / "task.py").write_text(TASK)
    folder = runs.create(tmp_path / "runs", f"{tmp_path / 'task.py'}:slow", "one", {})
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with folder.log.open("wb") as log:
        engine = subprocess.Popen(
            [sys.executable, "-m", "stoker.engine", str(folder.path)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
        )  # fmt: skip
    try:
        end = deadline(30)
        while "composing" not in folder.log.read_text():
            assert engine.poll() is None and time.monotonic() < end, folder.log.read_text()
            time.sleep(0.05)
    finally:
        engine.kill()
        engine.wait()
