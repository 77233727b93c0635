"""A run that is interrupted anywhere and resumed in a new process ends with the same bits as an uninterrupted run."""

from __future__ import annotations

import itertools
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine.runs import events as e
from tests.support.process_runner import ProcessRunner, assert_same_run, change_settings, create, recorded_events

OPTIMIZERS = ["sgd:momentum=0.9", "adam", "adamw:weight_decay=0.01"]
SCHEDULES = ["step:size=1,gamma=0.5", "cosine", "onecycle", "plateau:factor=0.5,patience=0", "warmup:steps=3+cosine"]
SPLITS = [None, "holdout:0.25", "kfold:2", "bootstrap:2"]
# Numbers of workers before and after the interruption.
WORKERS = [(0, 0), (2, 2), (2, 0), (0, 2)]
ACCUMULATE = [1, 4]
FULL = list(itertools.product(ACCUMULATE, OPTIMIZERS, SCHEDULES, SPLITS))

Place = tuple[int, int, int, int, bool, int]  # fold, epoch, batch, step, in an evaluation, batches in the window


def places(trace: list[Place]) -> dict[str, int]:
    """Return the polls of the commands, counted from 1, at which a run is interrupted, by the name of the place."""
    found: dict[str, int] = {}
    most = max(batch for fold, _, batch, *_ in trace if fold == 0)
    last_fold = trace[-1][0]
    for poll, (fold, epoch, batch, _, evaluating, window) in enumerate(trace, 1):
        names = []
        if not evaluating and fold == 0:
            names += ["first batch"] if (epoch, batch) == (0, 1) else []
            names += ["inside the window"] if epoch == 1 and window == 2 else []
            names += ["between epochs"] if (epoch, batch) == (1, 0) else []
            names += ["before the last batch"] if (epoch, batch) == (1, most) else []
        if not evaluating and fold == last_fold:
            names += ["mid-epoch"] if (epoch, batch) == (1, 3) else []
        names += ["in an evaluation"] if evaluating and fold == last_fold and epoch == 2 else []
        for name in names:
            found.setdefault(name, poll)
    return found


def check(
    process_runner: ProcessRunner, place: Path, task: str, workers: tuple[int, int], given: dict[str, Any]
) -> int:
    """Interrupt a run at every place, by a kill after a save or by a signal, and compare; return the number of places."""
    before, after = workers
    whole = create(place, task, name="whole", workers=before, **given)
    assert process_runner.run(whole, trace=True) == 0, whole.log.read_text()
    polls = places(json.loads((whole.path / "trace.json").read_text()))
    hows = itertools.cycle(["kill", "SIGTERM", "kill", "SIGINT"])

    def interrupted(name: str, poll: int, how: str) -> None:
        folder = create(place, task, name=name.replace(" ", "-"), workers=before, **given)
        code = process_runner.run(folder, at=poll, how=how)
        assert code == {"kill": -9, "SIGTERM": 143, "SIGINT": 130}[how], (name, how, code, folder.log.read_text())
        # Without a checkpoint the next engine would start anew, and the test would show nothing.
        assert (folder.checkpoints / "latest.pt").exists(), (name, how)
        change_settings(folder, workers=after)
        assert process_runner.run(folder) == 0, (name, folder.log.read_text())
        assert_same_run(whole, folder)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(interrupted, polls.keys(), polls.values(), hows))
    return len(polls)


def combinations(count: int | None) -> list[Any]:
    """Return (task, workers, settings) of every combination in `FULL`, or of about `count` spread evenly over them."""
    stride = 1 if count is None else max(1, len(FULL) // count) | 1
    chosen = []
    for number, (accumulate, optimizer, schedule, split) in enumerate(FULL[::stride]):
        given = {"accumulate": accumulate, "optimizer": optimizer, "scheduler": schedule}
        given |= {"split": split} if split else {}
        # Shifted by one after each round of the splits, so that each split meets every number of workers.
        chosen += [("noisy", WORKERS[(number + number // 4) % 4], given)]
        chosen += [("held", (0, 0), given)] if count is None or number % 3 == 0 else []
    return chosen


def named(combination: Any) -> str:
    """Return the test id of a combination."""
    task, workers, given = combination
    return "-".join([task, f"{workers[0]}to{workers[1]}", *map(str, given.values())])


@pytest.mark.parametrize("combination", combinations(10), ids=named)
def test_resumed_run_equals_the_uninterrupted_run(
    combination: Any, process_runner: ProcessRunner, tmp_path: Path
) -> None:
    """The resumed run equals the uninterrupted one in every bit of its state and its history."""
    assert check(process_runner, tmp_path, *combination) >= 5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("task", ["noisy", "held"])
def test_resumed_run_equals_the_uninterrupted_run_on_cuda(
    task: str, accumulate: int, precision: str, process_runner: ProcessRunner, tmp_path: Path
) -> None:
    """The resumed run equals the uninterrupted one on CUDA too."""
    given = {"accumulate": accumulate, "optimizer": "adamw", "scheduler": "onecycle", "device": "cuda"}
    assert check(process_runner, tmp_path, task, (0, 0), {**given, "precision": precision}) >= 5


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_resumed_run_equals_the_uninterrupted_run_in_every_combination(
    process_runner: ProcessRunner, tmp_path: Path
) -> None:
    """The resumed run equals the uninterrupted one in every combination of settings."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        whole = [pool.submit(check, process_runner, tmp_path / str(n), *c) for n, c in enumerate(combinations(None))]
        print(sum(done.result() for done in whole), "interruptions")


@pytest.mark.parametrize("how", ["kill", "SIGTERM"])
def test_resume_keeps_early_stopping_and_repeats_an_interrupted_final_test(
    how: str, process_runner: ProcessRunner, tmp_path: Path
) -> None:
    """A resumed run keeps its patience counter, and repeats an interrupted final test without more training."""
    whole = create(tmp_path, "validated", name="whole")
    assert process_runner.run(whole, trace=True) == 0, whole.log.read_text()
    trace = json.loads((whole.path / "trace.json").read_text())
    last = recorded_events(whole)[-1]
    assert isinstance(last, e.RunFinished) and last.cause == "early_stopping" and last.epoch < 40
    final = [poll for poll, place in enumerate(trace, 1) if place[3] == last.step and place[4]]
    for poll in (len(trace) // 2, final[0], final[4], final[-1] - 2):
        folder = create(tmp_path, "validated", name=f"poll-{poll}")
        assert process_runner.run(folder, at=poll, how=how) == {"kill": -9, "SIGTERM": 143}[how]
        assert process_runner.run(folder) == 0
        assert_same_run(whole, folder)
        again = recorded_events(folder)[-1]
        assert isinstance(again, e.RunFinished)
        assert (again.cause, again.test, again.best) == (last.cause, last.test, last.best)
