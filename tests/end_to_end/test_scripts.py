"""`stoker run FILE.py ARGS`: a script with a loop of its own, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from stoker.engine.runs.events import Logged, RunFinished, RunStarted, Warned
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import scaled, wait_until
from tests.support.end_to_end import events, finished, losses, step, stoker, weights
from tests.support.terminal import PROGRAM, Terminal

SCRIPT = """
import argparse, time
import torch
from torch import nn
import stoker

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--sleep", type=float, default=0.0)
given = parser.parse_args()
print("the script speaks", flush=True)
torch.manual_seed(1)
model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
run = stoker.Run(model=model, optimizer=optimizer, name="named by the script", config=vars(given))
for step in run.steps(given.epochs * 10):
    loss = model(torch.randn(8, 3)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    run.log(loss=loss)
    time.sleep(given.sleep)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a script."""
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def folder_of(project: Path, name: str) -> RunFolder:
    """Return a run of the project."""
    return RunFolder(project / "runs" / name)


def test_a_script_runs_in_its_own_process_with_its_own_arguments(project: Path) -> None:
    """Options before the script are stoker's; those behind it are the script's, also where stoker has the same name."""
    done = stoker(project, "run", "--headless", "--name", "one", "train.py", "--epochs", "2")
    assert done.returncode == 0, done.stderr
    assert "completed at step 20" in done.stdout.splitlines()[-1]
    folder = folder_of(project, "one")
    record = folder.record()
    assert record.script is not None and record.script.argv[1:] == ["train.py", "--epochs", "2"]
    assert record.script.cwd == str(project) and len(record.script.sha256) == 64
    assert record.parameters == {"epochs": 2, "sleep": 0.0}
    assert "the script speaks" in folder.log.read_text() and "the script speaks" not in done.stdout
    assert [path.name for path in (project / "runs").iterdir()] == ["one"], "Run takes the folder that it was given"


def test_a_background_script_has_a_session_of_its_own_and_takes_commands(project: Path) -> None:
    """A stop saves it; `stoker resume` runs the same command again from that step, with the same result."""
    whole = stoker(project, "run", "--headless", "--name", "whole", "train.py")
    assert whole.returncode == 0, whole.stderr
    started = stoker(project, "run", "--background", "--headless", "--name", "one", "train.py", "--sleep", "0.01")
    assert started.returncode == 0 and "attach with `stoker attach one`" in started.stdout, started.stderr
    folder = folder_of(project, "one")
    wait_until(lambda: step(folder) > 20, "some steps")
    (pid,) = [event.pid for event in events(folder) if isinstance(event, RunStarted)]
    assert os.getsid(pid) == pid
    assert stoker(project, "send", "one", "stop").returncode == 0
    wait_until(lambda: finished(folder) and not folder.locked(), "it ends by itself")
    assert folder.state() == "stopped"
    other = project / "elsewhere"
    other.mkdir()
    done = stoker(other, "resume", "one", "--runs", "../runs", "--headless")
    assert done.returncode == 0, done.stderr
    assert "resumed from step" in done.stdout and "completed at step 300" in done.stdout.splitlines()[-1]
    assert losses(folder) == losses(folder_of(project, "whole"))
    ours, theirs = weights(folder), weights(folder_of(project, "whole"))
    assert all((ours[name] == theirs[name]).all() for name in ours)


def test_a_signal_reaches_the_script_which_saves(project: Path) -> None:
    """The exit code is 128 + signal, of stoker too."""
    arguments = [PROGRAM, "run", "--headless", "--name", "one", "train.py", "--sleep", "0.01", "--epochs", "1000"]
    process = subprocess.Popen(arguments, cwd=project, stdout=subprocess.PIPE, text=True)
    folder = folder_of(project, "one")
    wait_until(lambda: step(folder) > 5, "some steps")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=scaled(60))
    assert process.returncode == 128 + signal.SIGTERM, out
    assert "stopped by SIGTERM" in out and weights(folder)


def test_a_changed_script_is_told_on_resume(project: Path) -> None:
    """The new code trains on, with a warning in the history."""
    stoker(project, "run", "--headless", "--name", "one", "train.py", "--epochs", "1")
    (project / "train.py").write_text(SCRIPT.replace("given.epochs * 10", "given.epochs * 20"))
    done = stoker(project, "resume", "one", "--headless")
    assert done.returncode == 0 and "train.py was changed since the run started" in done.stdout
    assert [event.kind for event in events(folder_of(project, "one")) if isinstance(event, Warned)] == ["task_changed"]
    assert step(folder_of(project, "one")) == 20


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('loud')\n", "ended without opening a run: call stoker.Run"),
        ("print('loud')\n1 / 0\n", "ended with exit code 1 before it opened its run"),
        ("print('loud')\nimport os\nos.kill(os.getpid(), 9)\n", "was ended by SIGKILL before it opened its run"),
    ],
)
@pytest.mark.parametrize("how", ["--headless", "--background"])
def test_a_script_that_never_opens_a_run_fails_with_its_output_and_a_sentence(
    project: Path, code: str, words: str, how: str
) -> None:
    """Exit code 1, or that of the signal; the run is listed as failed."""
    (project / "train.py").write_text(code)
    done = stoker(project, "run", how, "--name", "one", "train.py")
    assert done.returncode == (137 if "SIGKILL" in words else 1)
    assert words in done.stderr and "loud" in done.stderr
    assert ("ZeroDivisionError" in done.stderr) == ("1 / 0" in code)
    (event,) = events(folder_of(project, "one"))
    assert isinstance(event, RunFinished) and event.cause == "failed" and words in event.message


def test_what_makes_no_sense_for_a_script_is_refused(project: Path) -> None:
    """One line, exit code 2, and no run."""
    (project / "task.py").write_text("import stoker\ndef spirals() -> stoker.Task:\n    return stoker.Task()\n")
    for arguments, words in (
        (["--lr", "0.1", "--epochs", "3", "train.py"], "--epochs, --lr cannot change what the script train.py does"),
        (["--like", "x", "train.py"], "--like cannot change"),
        (["missing.py"], "there is no file missing.py"),
        (["task.py"], "name a function: task.py:spirals"),
    ):
        done = stoker(project, "run", *arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert words in done.stderr
    assert not (project / "runs").exists()


def test_what_needs_the_script_is_refused_with_a_sentence(project: Path) -> None:
    """Weights and curves are exported all the same."""
    stoker(project, "run", "--headless", "--name", "one", "train.py", "--epochs", "1")
    for arguments, words in (
        (["evaluate", "one"], "which alone knows its evaluation"),
        (["export", "one", "--to", "model.pt"], "needs the class of the model"),
        (["resume", "one", "--epochs", "9"], "decides itself how long it trains"),
        (["resume", "one", "--from", "best"], "continues from its latest checkpoint"),
    ):
        done = stoker(project, *arguments)
        assert done.returncode == 2 and words in done.stderr, done.stderr
    assert stoker(project, "export", "one", "--to", "weights.pt").returncode == 0
    (project / "train.py").unlink()
    done = stoker(project, "resume", "one", "--headless")
    assert done.returncode == 2 and "needs its script, but there is no file" in done.stderr


def test_json_prints_the_events(project: Path) -> None:
    """One a line, as for a Task."""
    done = stoker(project, "run", "--json", "train.py", "--epochs", "1")
    kinds = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert kinds[0] == "run_started" and kinds[-1] == "run_finished"


def test_the_dashboard_of_a_script_can_be_left_and_the_script_goes_on(project: Path) -> None:
    """It shows the run and what the script printed; quitting leaves the process alone."""
    with Terminal(["run", "--name", "one", "train.py", "--sleep", "0.02", "--epochs", "1000"], project) as terminal:
        terminal.wait_for("training of train.py")
        terminal.wait_for("the script speaks")
        terminal.press("q")
        terminal.wait_for("goes on in process")
    folder = folder_of(project, "one")
    before = step(folder)
    wait_until(lambda: step(folder) > before, "it trains on")
    assert stoker(project, "send", "one", "stop").returncode == 0


def test_the_key_r_runs_a_script_again(project: Path) -> None:
    """In a process of its own, from its latest checkpoint."""
    stoker(project, "run", "--headless", "--name", "one", "train.py", "--epochs", "1")
    (project / "train.py").write_text(SCRIPT.replace("given.epochs * 10", "given.epochs * 20"))
    with Terminal(["attach", "one"], project) as terminal:
        terminal.wait_for("completed")
        terminal.press("r")
        terminal.wait_for("resumed from step 10")
        wait_until(lambda: step(folder_of(project, "one")) == 20, "it trains on")
        terminal.press("q")


def test_a_script_that_only_logs_runs_like_any_other(project: Path) -> None:
    """stoker.init takes the folder; the values are printed as they come."""
    (project / "log.py").write_text(
        "import stoker\nfor n in range(9):\n    (stoker.run or stoker.init()).log({'acc': n})\n"
    )
    done = stoker(project, "run", "--headless", "--name", "one", "log.py")
    assert done.returncode == 0, done.stderr
    assert "acc" in done.stdout and "completed at step 8" in done.stdout.splitlines()[-1]


def test_a_shell_script_logs_lines(project: Path) -> None:
    """The run is made by the first one; a step is counted on where none is given."""
    for words in (["loss=0.5", "step=3"], ["loss=0.4", "phase=warm"], ["loss=nan", "--finish"]):
        done = stoker(project, "log", "one", *words)
        assert done.returncode == 0, done.stderr
    found = events(folder_of(project, "one"))
    assert [type(event).__name__ for event in found] == [
        "RunStarted",
        "Logged",
        "Logged",
        "Logged",
        "Logged",
        "RunFinished",
    ]
    assert [event.step for event in found[1:]] == [3, 4, 4, 5, 5]
    assert folder_of(project, "one").state() == "completed"
    for words, message in (
        (["x"], "write NAME=VALUE"),
        (["step=two"], "invalid step 'two'"),
        ([], "nothing to log"),
    ):
        done = stoker(project, "log", "two", *words)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1) and message in done.stderr


def test_a_shell_script_logs_into_a_run_that_trains(project: Path) -> None:
    """The line stands among the events of the engine, which is not disturbed."""
    stoker(project, "run", "--background", "--headless", "--name", "one", "train.py", "--sleep", "0.01")
    folder = folder_of(project, "one")
    wait_until(lambda: step(folder) > 5, "some steps")
    assert stoker(project, "log", "one", "temperature=60").returncode == 0
    assert stoker(project, "send", "one", "stop").returncode == 0
    wait_until(lambda: finished(folder), "its end")
    (logged,) = [event for event in events(folder) if isinstance(event, Logged)]
    assert logged.values == {"temperature": 60} and (logged.step or 0) > 5
