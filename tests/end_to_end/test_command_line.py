"""The command line without a dashboard: plain lines, JSON and exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.deadlines import scaled
from tests.support.terminal import PROGRAM


def stoker(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `stoker` with these arguments to its end."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        timeout=scaled(110),
        check=False,
    )


def test_iris_gives_the_result_of_the_plain_script(tmp_path: Path) -> None:
    """29 of 30 are right and the test loss is 0.054 ± 0.002 at epoch 20,000; the run can be listed and evaluated."""
    done = stoker(tmp_path, "run", "iris", "--headless", "--name", "one")
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    found = re.search(r"completed at step 20000 \(epoch 20000\); test accuracy ([\d.]+), loss ([\d.]+)", last)
    assert found, last
    assert found[1] == "0.9667"
    assert abs(float(found[2]) - 0.054) <= 0.002
    assert "\x1b" not in done.stdout + done.stderr

    [row] = json.loads(stoker(tmp_path, "ls", "--json").stdout)
    assert (row["run"], row["task"], row["state"], row["step"]) == ("one", "iris", "completed", 20000)
    assert "completed" in stoker(tmp_path, "ls").stdout

    measured = json.loads(stoker(tmp_path, "evaluate", "one", "--checkpoint", "latest", "--json").stdout)
    assert measured["metrics"]["accuracy"] == pytest.approx(29 / 30)
    assert measured["step"] == 20000


def test_digits_reaches_its_accuracy(tmp_path: Path) -> None:
    """The test accuracy is at least 0.97; `--json` prints the events themselves."""
    done = stoker(tmp_path, "run", "digits", "--headless", "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["test"]["accuracy"] >= 0.97
    assert events[-1]["best"] >= 0.97


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "irises"], "irises.*iris, digits"),
        (["run", "iris", "hiden=3"], "hiden.*hidden"),
        (["run", "iris", "hidden=many"], "hidden=many.*int"),
        (["run", "iris", "hidden"], "PARAM=VALUE"),
        (["run", "iris", "hidden=3", "hidden=4"], "hidden is given twice: hidden=3 and hidden=4"),
        (["run", "iris", "epochs=3"], "it is a setting, write --epochs 3"),
        (["run", "iris", "--precision", "fp8"], "--precision must be fp32, bf16 or fp16"),
        (["run", "iris", "--name", "-x"], "'-x'.*start with '.' or '-'"),
        (["run", "iris", "--name", " "], "' '.*blank"),
        (["run", "iris", "--name", "x" * 101], "at most 100 characters"),
        (["run", "empty.py"], "name a function: empty.py:FUNCTION"),
        (["run", "leaves.py:task"], r"cannot be built: SystemExit: 7 \(leaves.py:3\)"),
        (["run", "iris", "--lr", "-1"], "--lr.*above 0"),
        (["run", "iris", "--name", "taken"], "taken.*exists"),
        (["run", "iris", "--name", "a/b"], "a/b"),
        (["run", "iris", "--optimizer", "sdg"], "sdg.*sgd"),
        (["run", "iris", "--monitor", "beauty"], "beauty.*loss, accuracy"),
        (["run", "iris", "--nonsense"], "--nonsense"),
        (["run", "missing.py:task"], "no file missing.py"),
        (["run", "broken.py:task"], r"broken.py.*division.*broken.py:2"),
        (["run", "empty.py:task"], "empty.py has no function 'task'"),
        (["resume", "nope"], "nope"),
        (["resume", "no run"], "not a run folder"),
        (["resume", "taken", "--epochs", "many"], "--epochs 'many'"),
        (["resume", "taken", "--epochs", "9", "--from", "nothing"], "no checkpoint 'nothing'"),
        (["evaluate", "taken"], "no checkpoint"),
        (["dance"], "dance"),
    ],
)
def test_wrong_request_is_one_clear_line(tmp_path: Path, arguments: list[str], named: str) -> None:
    """The exit code is 2, stdout is empty, there is no traceback, and no run folder is left."""
    (tmp_path / "runs" / "taken" / "checkpoints").mkdir(parents=True)
    (tmp_path / "runs" / "taken" / "run.json").write_text('{"run": "taken", "task": "iris"}')
    (tmp_path / "runs" / "no run").mkdir()
    (tmp_path / "broken.py").write_text("def f():\n    return 1 / 0\nf()\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "leaves.py").write_text("import sys\ndef task():\n    sys.exit(7)\n")
    done = stoker(tmp_path, *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(named, done.stderr), done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"taken", "no run"}
    assert "9" not in (tmp_path / "runs" / "taken" / "run.json").read_text(), "a refused limit is not recorded"


def test_failed_training_exits_with_1(tmp_path: Path) -> None:
    """The last line says why and where; the run folder is kept and records it too."""
    (tmp_path / "broken.py").write_text(
        "import torch\nfrom stoker.engine import Task\n\n"
        "def broken() -> Task:\n    data = (torch.rand(8, 2), torch.zeros(8).long())\n"
        "    return Task(model=torch.nn.Linear(3, 2), train=data, test=data, loss=torch.nn.CrossEntropyLoss())\n"
    )
    done = stoker(tmp_path, "run", "broken.py:broken", "--headless", "--name", "one")
    assert done.returncode == 1
    assert "failed at step 0" in done.stdout.splitlines()[-1]
    assert "cannot be multiplied" in done.stdout.splitlines()[-1]
    assert "failed" in stoker(tmp_path, "ls").stdout


def test_tasks_are_listed_with_their_parameters(tmp_path: Path) -> None:
    """The list needs no torch."""
    listed = {task["task"]: task for task in json.loads(stoker(tmp_path, "tasks", "--json").stdout)}
    assert listed["iris"]["parameters"]["hidden"] == {"type": "int", "default": 10}
    assert "digits" in stoker(tmp_path, "tasks").stdout


def test_empty_list_of_runs_says_what_to_do(tmp_path: Path) -> None:
    """Without runs `stoker ls` names the command that makes one."""
    assert "stoker run iris" in stoker(tmp_path, "ls").stdout
