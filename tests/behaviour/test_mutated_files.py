"""Damaged files of a run: no traceback, no hang, bounded memory, and nothing raw on the terminal.

`STOKER_MUTATED_FILES=100000` looks at as many; the seed of a failure is in its message.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import random
import resource
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from stoker.engine import session
from stoker.engine.errors import StokerError, error_line
from stoker.engine.history.history import RunHistory
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, Controls, append
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.journal import EventFollower
from stoker.engine.text import printable_lines
from stoker.tui.cli.main import stoker
from stoker.tui.console.progress import ProgressPrinter
from stoker.tui.state.log_lines import line as log_line
from stoker.tui.state.run_view import RunView
from tests.support.in_process import StopAt
from tests.support.mutations import copy_of, mutate

COUNT = int(os.environ.get("STOKER_MUTATED_FILES", "150"))
SEED = int(os.environ.get("STOKER_MUTATED_SEED", "1"))
LIMIT = 10  # seconds for one look at a damaged run
ROOM = 700 << 20  # bytes that the process may grow
LOOKS = (
    "ls",
    "ls --json",
    "compare",
    "export metrics.csv",
    "export weights.pt",
    "view",
    "resume",
    "commands",
    "extend",
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A short run with all its files."""
    place = tmp_path_factory.mktemp("good")
    given = {"epochs": 60, "eval_every": "20epochs", "device": "cpu", "threads": 1, "optimizer": "adam"}
    folder = runs.create(place, "iris", "run", {"parameters": {"hidden": 4}, "given": given})
    append(folder.commands, Command(command="save"))
    append(folder.commands, Command(command="set_learning_rate", lr=0.01))
    session.train(folder, Controls(), lambda event: None)
    return folder


def look(how: str, place: Path) -> str:
    """Look at the run in `place` as a command does, and return what is printed. Raises what the command would raise."""
    name, _, option = how.partition(" ")
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            _look(name, option, place)
        except StokerError as error:
            print(error_line(error))
        except click.ClickException as error:
            print(printable_lines(error.format_message()))
        except OSError as error:
            print(error.strerror)
    return out.getvalue()


def _look(name: str, option: str, place: Path) -> None:
    folder = RunFolder(place / "run")
    runs_folder = ["--runs", str(place)]
    match name:
        case "ls":
            stoker.main(["ls", *runs_folder, *filter(None, [option])], standalone_mode=False)
        case "compare":
            stoker.main(["compare", "run", "run", *runs_folder], standalone_mode=False)
        case "export":
            stoker.main(["export", "run", "--to", str(place / option), *runs_folder], standalone_mode=False)
        case "extend":
            from stoker.engine.runs.extend import extend_run

            extend_run(folder, epochs=70)
        case "view":
            _view(folder)
        case "commands":
            controls = Controls()
            controls._lines = EventFollower(folder.commands)
            controls.take()
        case "resume":
            folder.record()
            printer = ProgressPrinter(lambda text: print(text, end=""), folder.name, folder.last_events())
            session.train(folder, StopAt(6), printer.emit)


def _view(folder: RunFolder) -> None:
    """Follow the run as the dashboard does."""
    view, history = RunView(folder.name), RunHistory(folder.name)
    for event in EventFollower(folder.events).read_events():
        view.apply(event)
        history.apply(event)
        _ = log_line(event)
    now = time.time()
    view.alive = folder.locked()
    print(
        printable_lines(f"{view.status(now)} {view.clock(now)} {view.seconds_left(now)} {history.step} {history.epoch}")
    )


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise TimeoutError after LIMIT seconds."""

    def ring(_signum: int, _frame: types.FrameType | None) -> None:
        raise TimeoutError("a look at a damaged run hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def problem(good: RunFolder, seed: int) -> str:
    """Damage a copy of the run by this seed and look at it; return what went wrong, or nothing."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        done = mutate(copy_of(good.path, Path(place)), dice)
        wanted = ["resume"] if "checkpoints/" in done and dice.random() < 0.6 else []
        for how in [*wanted, *dice.sample(LOOKS, 2)]:
            try:
                with limited():
                    printed = look(how, Path(place))
            except Exception as error:  # what a user would see as a traceback
                return f"seed {seed}: {done}; {how}: {type(error).__name__}: {error}"
            if printable_lines(printed) != printed:
                return f"seed {seed}: {done}; {how}: raw text {printed[:300]!r}"
            if "Traceback" in printed and how != "resume":
                return f"seed {seed}: {done}; {how}: {printed[-400:]}"
    return ""


@pytest.mark.timeout(120 + COUNT)
def test_damaged_files_are_read_or_refused_in_one_line(good: RunFolder) -> None:
    """Whatever the files hold, each command ends soon with plain text."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = []
    for number in range(COUNT):
        if wrong := problem(good, SEED * 1_000_000 + number):
            found.append(wrong)
        if number % 500 == 499:
            # Each training freezes what is in memory then; thousands in one process would keep it all.
            gc.unfreeze()
            gc.collect()
    assert found == [], "\n".join(found[:10])
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < ROOM
