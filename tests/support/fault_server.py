"""A process with torch and faults.c loaded that forks a child for each run; one JSON object a line, one answer a line."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from stoker.engine import session
from stoker.engine.errors import StokerError, error_line
from stoker.engine.launch import process
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.events import ignore_event


def run(request: dict[str, Any]) -> int:
    """Train as `stoker run --headless` does, under the fault of the request, and return the exit code."""
    place = Path(request["runs"])
    if fault := request.get("fault"):
        call, path, number, first, last = fault
        ctypes.CDLL(None).fault_set(call.encode(), path.encode(), number, ctypes.c_long(first), ctypes.c_long(last))
    try:
        if (place / "run" / "run.json").exists():
            folder = runs.find_run(place, "run")
        else:
            folder = runs.create(place, request["task"], "run", {"parameters": {}, "given": request["given"]})
        return process.run(folder, Controls(folder.commands), ignore_event)[1]
    except StokerError as error:
        print(error_line(error), file=sys.stderr)
        return error.exit_code


def child(request: dict[str, Any]) -> None:
    """Run a request in this forked child and end the process; never returns."""
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 99
    try:
        code = run(request)
    except BaseException:
        traceback.print_exc()
    finally:
        print(f"faults {ctypes.CDLL(None).fault_count()}", flush=True)
        sys.stderr.flush()
        os._exit(code)


def warm() -> None:
    """Train once in this process, so that every lazy import happens before the first fork."""
    with tempfile.TemporaryDirectory() as place:
        folder = runs.create(Path(place), "iris", "warm", {"parameters": {}, "given": {"epochs": 2, "threads": 1}})
        session.train(folder, Controls(folder.commands), ignore_event)


def main() -> None:
    """Serve requests until stdin is closed."""
    warm()
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if not pid:
            child(request)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
