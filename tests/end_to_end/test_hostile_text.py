"""A run folder from somebody else: none of its text controls the terminal that shows it."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from stoker.engine.runs import events as e
from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.journal import Journal
from stoker.engine.text import printable_lines
from tests.support.end_to_end import stoker
from tests.support.terminal import Terminal

HOSTILE = "\x1b]52;c;aGFja2Vk\x07\x1b]2;own\x1b\\\x1b[2J\x9d52;c;aGFja2Vk\x9c\r\n\u202e\u200bmark"
CLIPBOARD = (b"\x1b]52", b"\x1b]2;own", b"\x9d", "\x9d".encode(), "\u202e".encode(), "\u200b".encode())


def hostile_run(at: Path) -> RunFolder:
    """Return a run that has ended, with escape sequences in each of its texts."""
    folder = runs.create(at, "digits", "one", {})
    record = folder.record()
    record.task, record.host = f"t{HOSTILE}", f"h{HOSTILE}"
    record.parameters = {f"p{HOSTILE}": f"v{HOSTILE}"}
    record.settings = {"epochs": 3, "note": f"n{HOSTILE}"}
    folder.write_record(record)
    journal, now = Journal(folder.events), time.time()
    metric = f"m{HOSTILE}"
    for event in (
        e.RunStarted(
            run=f"r{HOSTILE}", task=f"t{HOSTILE}", device=f"d{HOSTILE}", host=f"h{HOSTILE}", epochs=3, steps_per_epoch=2
        ),
        e.Steps(at=now, first=1, step=2, epoch=1, losses=[2.0, 1.0], lr=[0.1]),
        e.Evaluated(
            at=now, step=2, epoch=1, split=f"s{HOSTILE}", metrics={metric: 0.5, "loss": 1.0}, cause=f"c{HOSTILE}"
        ),
        e.EarlyStopping(at=now, step=2, epoch=1, monitor=metric, best=0.5, best_step=2),
        e.CheckpointSaved(at=now, step=2, epoch=1, path=f"p{HOSTILE}", kind=f"k{HOSTILE}", cause=f"c{HOSTILE}"),
        e.Warned(at=now, step=2, kind=f"k{HOSTILE}", message=f"w{HOSTILE}"),
        e.CommandAnswered(at=now, step=2, command=f"c{HOSTILE}", status="failed", message=f"a{HOSTILE}"),
        e.RunFinished(at=now, step=2, epoch=1, cause=f"f{HOSTILE}", message=f"e{HOSTILE}", test={metric: 0.5}),
    ):
        journal.append(event)
    folder.log.write_text(f"printed{HOSTILE}\n")
    # The name of a folder may hold everything but a slash.
    renamed = at / f"x{HOSTILE}"
    folder.path.rename(renamed)
    return RunFolder(renamed)


@pytest.mark.parametrize(
    "arguments",
    [
        ["ls"],
        ["compare", "RUN", "RUN"],
        ["send", "RUN", "save"],
        ["export", "RUN", "--to", "metrics.csv"],
        ["export", "RUN", "--to", f"{HOSTILE}.csv"],
        ["run", "iris", f"hidden={HOSTILE}", "--headless"],
        ["run", f"{HOSTILE}", "--headless"],
        ["resume", f"no{HOSTILE}"],
        ["ls", f"--{HOSTILE}"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_command_prints_no_control_character(tmp_path: Path, arguments: list[str]) -> None:
    """On stdout and on stderr, in a result and in an error."""
    folder = hostile_run(tmp_path / "runs")
    done = stoker(tmp_path, *(folder.name if one == "RUN" else one for one in arguments))
    printed = done.stdout + done.stderr
    assert "Traceback" not in printed
    assert printable_lines(printed) == printed
    if arguments[0] not in ("ls", "compare", "tasks"):
        assert printed.count("\n") == 1


@pytest.mark.parametrize(("arguments", "keys"), [(["attach", "RUN"], "?"), ([], ""), (["compare", "RUN", "two"], "")])
def test_screen_sends_no_sequence_of_a_run(tmp_path: Path, arguments: list[str], keys: str) -> None:
    """The dashboard, the list of runs and the comparison show the text and obey none of it."""
    folder = hostile_run(tmp_path / "runs")
    runs.create(tmp_path / "runs", "iris", "two", {})
    output = io.BytesIO()
    with Terminal([folder.name if one == "RUN" else one for one in arguments], tmp_path) as terminal:
        terminal.process.logfile_read = output
        terminal.wait_for(r"\]52;c;aGFja2Vk")
        terminal.press(*keys)
        terminal.wait_for("mark|Keys|Help")
    sent = output.getvalue()
    assert not [sequence for sequence in CLIPBOARD if sequence in sent]
