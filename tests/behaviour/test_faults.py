"""A disk that fails: no false exit code, no silent loss, no leftover, and the run can be resumed with the same bits.

Every call × error × file × phase; a sample by default, all with `-m slow`.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.errors import CheckpointError
from stoker.engine.runs.events import CheckpointSaved, RunFinished, Warned
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.journal import EventFollower
from tests.support.paths import SUPPORT
from tests.support.process_runner import differences, history

TASK = f"{SUPPORT / 'inexact_tasks.py'}:global_rows"
GIVEN = {"epochs": 4, "save_every": "4steps", "keep": 2, "threads": 1, "device": "cpu"}
STEPS = 20
CALLS = ("write", "fsync", "rename", "open", "mkdir")
ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EROFS", "ESTALE", "EACCES")
FILES = {"events": "events.jsonl", "checkpoints": "/checkpoints/", "record": "run.json"}
NAMES = {"record": {"write": "/run/.run.json", "fsync": "/run/.run.json", "open": "/run/.run.json", "mkdir": "/run"}}
"""What the path of a call has: a record is written under a temporary name."""
PHASES = {"start": (0, 2), "middle": (3, 6), "end": (3, 1 << 40)}
"""First and last + 1 of the calls on the file that fail."""
FEW = {"start": (0, 1), "middle": (1, 2), "end": (1, 1 << 40)}
"""For a record, which is written twice before the first step."""
CASES = [
    case
    for case in product(CALLS, ERRORS, FILES, PHASES)
    # Folders are made once, and a history is only appended to.
    if not (case[0] == "mkdir" and (case[2] == "events" or case[3] != "start"))
    and not (case[0] == "rename" and case[2] == "events")
    # It is opened for writing once.
    and not (case[0] == "open" and case[2] == "events" and case[3] != "start")
]
SAMPLE = [*CASES[:: len(CASES) // 6], ("write", "ENOSPC", "events", "end")]


class Server:
    """Trains runs in forked processes in which calls fail."""

    def __init__(self, library: Path) -> None:
        environment = {**os.environ, "LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(SUPPORT / "fault_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._process.stdout is not None and self._process.stdout.readline() == "ready\n"

    def run(self, place: Path, fault: tuple[Any, ...] | None = None) -> tuple[int, str, int]:
        """Return the exit code, what was printed, and how many calls failed."""
        output = place / "output"
        output.unlink(missing_ok=True)
        request = {"runs": str(place / "runs"), "task": TASK, "given": GIVEN, "output": str(output), "fault": fault}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        text, _, count = output.read_text(errors="replace").rpartition("faults ")
        return code, text, int(count)

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the faults compiled for this machine."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("there is no C compiler here")
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    build = [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(library), str(SUPPORT / "faults.c"), "-ldl"]
    subprocess.run(build, check=True)
    found = Server(library)
    yield found
    found.close()


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The run without faults."""
    place = tmp_path_factory.mktemp("whole")
    assert server.run(place) == (0, "", 0)
    return RunFolder(place / "runs" / "run")


def state(folder: RunFolder) -> dict[str, Any]:
    """Return the newest checkpoint, without its times."""
    found = checkpoint.newest(folder.checkpoints)
    assert found is not None
    saved = found[1]
    saved["progress"].pop("seconds")
    return saved


def problems(folder: RunFolder, code: int, printed: str, *, told: bool = False) -> list[str]:
    """Return what is untrue or lost after a run that ended with `code`; `told`: that its history has a gap."""
    found = []
    if code not in (0, 1, 2):
        found.append(f"exit code {code}")
    if code == 2 and "Traceback" in printed:
        found.append("a traceback for a refusal")
    if leftovers := [path.name for path in folder.path.parent.rglob(".*") if path.is_file()]:
        found.append(f"leftovers {leftovers}")
    if not folder.events.exists():
        return found if printed.strip() or not code else [*found, "nothing says why it failed"]
    # Half a line at the end is none: the next engine cuts it off.
    events = EventFollower(folder.events).read_events()
    finished = [event for event in events if isinstance(event, RunFinished)]
    if code and not printed.strip() and not (finished and finished[-1].message):
        found.append("nothing says why it failed")
    try:
        newest = checkpoint.newest(folder.checkpoints)
    except CheckpointError as error:
        return [*found, f"no good checkpoint: {error}"]
    step = newest[1]["progress"]["step"] if newest else -1
    reported = max((event.step or 0 for event in events if isinstance(event, CheckpointSaved)), default=-1)
    if step < reported:
        found.append(f"step {reported} was reported safe, the newest checkpoint has {step}")
    if code == 0:
        if not finished or finished[-1].cause != "completed" or step != STEPS:
            found.append(f"exit code 0 with {finished[-1:]} and a checkpoint of step {step}")
        if not told and [key[2] for key in history(folder) if key[0] == "loss"] != list(range(1, STEPS + 1)):
            found.append("exit code 0 without the whole history")
    elif finished and finished[-1].cause == "completed":
        found.append(f"exit code {code} of a run that says it has completed")
    return found


def check(case: tuple[str, str, str, str], server: Server, whole: RunFolder, place: Path) -> list[str]:
    """Return the problems of a case, during the fault and after it."""
    call, error, file, phase = case
    path = NAMES.get(file, {}).get(call, FILES[file].rstrip("/") if call == "mkdir" else FILES[file])
    code, first, _ = server.run(
        place, (call, path, getattr(errno, error), *(FEW if file == "record" else PHASES)[phase])
    )
    folder = RunFolder(place / "runs" / "run")
    found = problems(folder, code, first)
    again, printed, _ = server.run(place)
    if again != 0:
        return [*found, f"the resume ends with {again}: {printed.strip()[-300:]}"]
    if different := differences(state(whole), state(folder)):
        found.append(f"the resumed run differs in {different[:4]}")
    gap = [event for event in EventFollower(folder.events).read_events() if isinstance(event, Warned)]
    told = "events.jsonl cannot be written" in first and any("lacks the steps" in event.message for event in gap)
    later = problems(folder, again, printed, told=told)
    return found + [f"after the resume: {problem}" for problem in later]


@pytest.mark.parametrize("case", SAMPLE, ids="-".join)
def test_failing_disk_costs_nothing_that_was_reported_safe(
    case: tuple[str, str, str, str], server: Server, whole: RunFolder, tmp_path: Path
) -> None:
    """The exit code and the history are true, no temporary file is left, and the resume has the same bits."""
    assert check(case, server, whole, tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_fault(server: Server, whole: RunFolder, tmp_path: Path) -> None:
    """All calls, errors, files and phases."""
    found = {}
    for number, case in enumerate(CASES):
        place = tmp_path / str(number)
        place.mkdir()
        if wrong := check(case, server, whole, place):
            found["-".join(case)] = wrong
    assert found == {}, f"{len(found)} of {len(CASES)}"
