"""`stoker.init`, `log`, `finish`, `config` and `alert`: a script that only logs numbers."""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stoker
import stoker as wandb
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command, append
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runtime.stop_run import StopRun
from stoker.engine.tracking.rows import events_of
from tests.support.deadlines import wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A runs folder; the open run is finished at the end."""
    yield tmp_path / "runs"
    stoker.finish()


def events(run: Any) -> list[e.Event]:
    """Return the events of a run."""
    lines = run.folder.events.read_bytes().splitlines()
    return [event for line in lines if (event := e.decode(line)) is not None]


def curve(run: Any, name: str) -> dict[int, float]:
    """Return the logged values of one name by step."""
    steps, values = stoker.RunHistory.read(run.folder).metric("train", name)
    return dict(zip(steps.tolist(), values.tolist(), strict=True))


def test_the_usual_calls_of_wandb_make_a_run(folder: Path) -> None:
    """Its folder has a record, a start, curves and an end."""
    run = wandb.init(project="demo", name="one", config={"lr": 0.5}, runs=folder, tags=["a"], save_code=True)
    assert wandb.run is run and wandb.config.lr == 0.5 and wandb.config["lr"] == 0.5
    wandb.config.update({"epochs": 3}, allow_val_change=True)
    wandb.config.batch = 4
    wandb.watch(None)
    wandb.define_metric("val/*", step_metric="epoch")
    for step in range(5):
        wandb.log({"loss": 1.0 / (step + 1), "acc": step})
    run.log({"val/loss": 0.25})
    run.summary["best"] = 0.9
    wandb.alert(title="Look", text="here", level="INFO")
    wandb.finish()
    assert stoker.run is None and run.folder.state() == "completed" and not run.folder.locked()
    assert run.folder.record().parameters == {"lr": 0.5, "epochs": 3, "batch": 4}
    assert run.folder.record().settings == {"project": "demo", "tags": ["a"]}
    assert curve(run, "loss") == {step: pytest.approx(1 / (step + 1)) for step in range(5)}
    assert curve(run, "val/loss") == {5: 0.25}
    found = events(run)
    assert any(isinstance(event, e.Warned) and event.message == "Look: here" for event in found)
    assert isinstance(found[-1], e.RunFinished)
    assert found[-1].test == {"loss": 0.2, "acc": 4.0, "val/loss": 0.25, "best": 0.9}


def test_steps_follow_the_rules_of_wandb(folder: Path) -> None:
    """`commit=False` stays at a step, `step=` goes to one, and a late value does not move the count back."""
    run = stoker.init(runs=folder)
    stoker.log({"a": 0}, commit=False)
    stoker.log({"b": 0})
    stoker.log({"a": 7}, step=7)
    stoker.log({"b": 7})
    stoker.log({"a": 8})
    stoker.log({"b": 3}, step=3)
    stoker.log({"b": 9})
    stoker.finish()
    assert curve(run, "a") == {0: 0, 7: 7, 8: 8} and curve(run, "b") == {0: 0, 7: 7, 3: 3, 9: 9}


def test_what_is_logged_may_be_a_tensor_an_array_a_dict_or_a_text(folder: Path) -> None:
    """A tensor is read at once, because it may change; what is no number is told once."""
    run = stoker.init(runs=folder)
    total = torch.ones((), requires_grad=True).detach()
    for _ in range(2):
        stoker.log({"t": total, "n": np.float32(2), "inner": {"x": 3}, "words": "hello", "picture": object()})
        total += 1
    stoker.log({"nan": math.nan, "many": torch.zeros(3)})
    stoker.finish()
    assert curve(run, "t") == {0: 1, 1: 2} and curve(run, "n")[1] == 2 and curve(run, "inner/x")[0] == 3
    found = events(run)
    assert [event.text for event in found if isinstance(event, e.Logged) and event.text] == ["hello", "hello"]
    skipped = [event.message for event in found if isinstance(event, e.Warned)]
    assert [message.split()[0] for message in skipped] == ["picture", "many"]
    assert math.isnan(curve(run, "nan")[2])


def test_consecutive_steps_are_one_event_and_a_step_is_never_emitted_twice_as_one() -> None:
    """A later value of a step that is written already is an event of its own."""
    rows = [(3, {"a": 1.0}), (4, {"a": 2.0}), (4, {"b": 3.0}), (5, {"a": 4.0}), (9, {"a": 5.0})]
    first, second = events_of(rows, last=2)
    assert isinstance(first, e.Steps) and (first.first, first.step) == (3, 5)
    assert first.scalars == {"a": [1.0, 2.0, 4.0], "b": [None, 3.0, None]}
    assert isinstance(second, e.Logged) and (second.step, second.values) == (9, {"a": 5.0})
    again = events_of([(9, {"b": 1.0}), (10, {"a": 1.0}), (11, {"a": 2.0})], last=9)
    assert [type(event) for event in again] == [e.Logged, e.Steps]
    mixed = events_of([(0, {"a": 1.0, "b": 2.0}), (1, {"b": 3.0, "a": 4.0})], last=-1)
    assert isinstance(mixed[0], e.Steps) and mixed[0].scalars == {"a": [1.0, 4.0], "b": [2.0, 3.0]}


def test_what_was_logged_is_written_while_the_script_works(folder: Path) -> None:
    """A thread writes it, so that a dashboard sees the last value of a script that logs once an hour."""
    run = stoker.init(runs=folder)
    stoker.log({"a": 1})
    wait_until(lambda: b'"a":1' in run.folder.events.read_bytes(), "the value is in the file")


def test_a_run_goes_on_where_it_was(folder: Path) -> None:
    """Steps are counted on; a script that goes back to an earlier step makes what came after it void."""
    first = stoker.init(name="one", runs=folder)
    for value in range(4):
        stoker.log({"a": value})
    stoker.finish()
    stoker.init(name="one", resume="allow", runs=folder)
    stoker.log({"a": 40})
    stoker.finish()
    assert curve(first, "a") == {0: 0, 1: 1, 2: 2, 3: 3, 4: 40}
    stoker.init(name="one", resume="must", runs=folder)
    stoker.log({"a": 20}, step=2)
    stoker.finish()
    assert curve(first, "a") == {0: 0, 1: 1, 2: 20}


def test_a_name_that_is_taken_gets_a_number(folder: Path) -> None:
    """As with wandb, two runs may have one name; a slash becomes a dash."""
    names = []
    for _ in range(2):
        names.append(stoker.init(name="a/b", runs=folder).name)
        stoker.finish()
    assert names == ["a-b", "a-b-2"]


def test_init_returns_the_open_run_or_finishes_it_first(folder: Path) -> None:
    """The latter with `reinit=True`; `stoker.log` and `alert` also go to an open stoker.Run."""
    run = stoker.init(runs=folder)
    assert stoker.init(runs=folder) is run
    second = stoker.init(runs=folder, reinit=True)
    assert second is not run and run.folder.state() == "completed"
    stoker.finish()
    model = torch.nn.Linear(1, 1)
    own = stoker.Run(model=model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), runs=folder, name="own")
    for _ in own.steps(1):
        model(torch.ones(1)).sum().backward()
        own._controller._optimizer.step()
        stoker.log({"loss": 3.0, "kl": 1.0})
        stoker.alert("Look")
    own.finish()
    assert curve(own, "kl") == {1: 1.0}
    assert any(isinstance(event, e.Warned) and event.kind == "alert" for event in events(own))


def test_config_takes_the_arguments_of_a_command_line(folder: Path) -> None:
    """An unknown name is told with the known ones."""
    stoker.init(runs=folder, config=argparse.Namespace(lr=0.1))
    stoker.config.setdefaults({"lr": 9, "seed": 1})
    assert dict(stoker.run.config) == {"lr": 0.1, "seed": 1} and "seed" in stoker.config
    with pytest.raises(AttributeError, match="config has no 'beta': it has lr, seed"):
        _ = stoker.config.beta


def test_a_disabled_run_leaves_nothing(folder: Path) -> None:
    """Every call works."""
    with stoker.init(mode="disabled", config={"a": 1}, runs=folder) as run:
        stoker.log({"a": 1})
        stoker.alert("x")
        assert stoker.config.a == 1 and run.name == "disabled"
    assert not folder.exists()


def test_wrong_use_is_met_with_a_sentence(folder: Path) -> None:
    """Each says what to write instead."""
    for call in (lambda: stoker.log({"a": 1}), lambda: stoker.alert("x"), lambda: stoker.config.lr):
        with pytest.raises(stoker.RequestError, match=r"call stoker\.init\("):
            call()
    with pytest.raises(stoker.RequestError, match="resume='must'\\) needs a name"):
        stoker.init(resume="must", runs=folder)
    with pytest.raises(stoker.RequestError, match="choose allow, must or never"):
        stoker.init(resume="often", runs=folder)
    with pytest.raises(stoker.RunError, match="no run 'nope'"):
        stoker.init(resume="must", name="nope", runs=folder)
    run = stoker.init(runs=folder)
    with pytest.raises(stoker.RequestError, match="a step must be a whole number"):
        stoker.log({"a": 1}, step=-1)
    model = torch.nn.Linear(1, 1)
    with pytest.raises(stoker.RequestError, match="still open in this process"):
        stoker.Run(model=model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), runs=folder)
    stoker.finish()
    with pytest.raises(stoker.RequestError, match=r"is finished: call stoker\.init"):
        run.log({"a": 1})


def send(run: Any, command: Command) -> e.CommandAnswered:
    """Send a command from outside, log until it is answered, and return the answer."""
    append(run.folder.commands, command)

    def answer() -> e.CommandAnswered | None:
        run.log({"a": 1})
        found = [one for one in events(run) if isinstance(one, e.CommandAnswered) and one.id == command.id]
        return found[0] if found else None

    return wait_until(answer, f"an answer to {command.command}")


def test_a_run_that_only_logs_can_be_paused_and_stopped(folder: Path) -> None:
    """It waits in `log`; what it cannot do is refused with a sentence."""
    run = stoker.init(runs=folder)
    assert "only logs numbers" in send(run, Command(command="save")).message
    resume = Command(command="resume")
    timer = threading.Timer(0.3, append, (run.folder.commands, resume))
    timer.start()
    assert send(run, Command(command="pause")).message == "paused"
    kinds = [type(event) for event in events(run)]
    assert kinds.index(e.Paused) < kinds.index(e.Resumed)
    with pytest.raises(StopRun) as stop:
        send(run, Command(command="stop"))
    assert stop.value.code == 0 and run.folder.state() == "stopped"


def test_it_imports_neither_torch_nor_numpy(folder: Path) -> None:
    """A script that only logs starts at once; an error ends the run as failed, ctrl+c as stopped."""
    code = (
        "import sys, stoker\n"
        f"run = stoker.init(name=sys.argv[1], runs={str(folder)!r})\n"
        "stoker.log({'a': 1.0})\nstoker.config.x = 3\n"
        "assert not {'torch', 'numpy', 'textual'} & set(sys.modules), sorted(sys.modules)\n"
        "if sys.argv[1] == 'bad': 1 / 0\n"
        "if sys.argv[1] == 'ctrl': raise KeyboardInterrupt\n"
    )
    for name, state in (("good", "completed"), ("bad", "failed"), ("ctrl", "stopped")):
        done = subprocess.run([sys.executable, "-P", "-c", code, name], capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == (name == "good"), done.stderr
        assert RunFolder(folder / name).state() == state


def test_a_forked_child_records_nothing(folder: Path) -> None:
    """Neither values nor an end: the run belongs to the parent."""
    code = (
        "import os, sys, stoker\n"
        f"stoker.init(name='one', runs={str(folder)!r})\nstoker.log({{'a': 1.0}})\n"
        "child = os.fork()\n"
        "if child == 0:\n    stoker.init(mode='disabled')\n    stoker.log({'a': 2.0})\n    sys.exit()\n"
        "os.waitpid(child, 0)\nstoker.log({'a': 3.0})\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = (folder / "one" / "events.jsonl").read_bytes().splitlines()
    found = [event for line in lines if (event := e.decode(line)) is not None]
    assert sum(isinstance(event, e.RunFinished) for event in found) == 1
    assert stoker.RunHistory.read(folder / "one").metric("train", "a")[1].tolist() == [1, 3]
