"""A run that was interrupted anywhere and resumed in a new process ends in the same bits as one that was not."""

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
from tests.support.process_runner import Forge, assert_same_run, change, create, said

OPTIMIZERS = ["sgd:momentum=0.9", "adam", "adamw:weight_decay=0.01"]
SCHEDULES = ["step:size=1,gamma=0.5", "cosine", "onecycle", "plateau:factor=0.5,patience=0", "warmup:steps=3+cosine"]
SPLITS = [None, "holdout:0.25", "kfold:2", "bootstrap:2"]
# How many workers the run has, and how many after it was interrupted.
WORKERS = [(0, 0), (2, 2), (2, 0), (0, 2)]
ACCUMULATE = [1, 4]
FULL = list(itertools.product(ACCUMULATE, OPTIMIZERS, SCHEDULES, SPLITS))

Place = tuple[int, int, int, int, bool, int]  # fold, epoch, batch, step, in an evaluation, batches in the window


def places(trace: list[Place]) -> dict[str, int]:
    """Return the looks at the controls, counted from 1, at which a run is interrupted."""
    found: dict[str, int] = {}
    most = max(batch for fold, _, batch, *_ in trace if fold == 0)
    last_fold = trace[-1][0]
    for look, (fold, epoch, batch, _, evaluating, window) in enumerate(trace, 1):
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
            found.setdefault(name, look)
    return found


def check(forge: Forge, place: Path, task: str, workers: tuple[int, int], given: dict[str, Any]) -> int:
    """Interrupt a run at every place, by a kill right after a save or by a signal, and compare; return how often."""
    before, after = workers
    whole = create(place, task, name="whole", workers=before, **given)
    assert forge.run(whole, trace=True) == 0, whole.log.read_text()
    looks = places(json.loads((whole.path / "trace.json").read_text()))
    hows = itertools.cycle(["kill", "SIGTERM", "kill", "SIGINT"])

    def interrupted(name: str, look: int, how: str) -> None:
        folder = create(place, task, name=name.replace(" ", "-"), workers=before, **given)
        code = forge.run(folder, at=look, how=how)
        assert code == {"kill": -9, "SIGTERM": 143, "SIGINT": 130}[how], (name, how, code, folder.log.read_text())
        change(folder, workers=after)
        assert forge.run(folder) == 0, (name, folder.log.read_text())
        assert_same_run(whole, folder)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(interrupted, looks.keys(), looks.values(), hows))
    return len(looks)


def combinations(count: int | None) -> list[Any]:
    """Return (task, workers, settings): every `FULL` combination, or about `count` spread evenly over them."""
    stride = 1 if count is None else max(1, len(FULL) // count) | 1
    chosen = []
    for number, (accumulate, optimizer, schedule, split) in enumerate(FULL[::stride]):
        given = {"accumulate": accumulate, "optimizer": optimizer, "scheduler": schedule}
        given |= {"split": split} if split else {}
        # Turned on at each round of the splits, so that each of them meets every number of workers.
        chosen += [("noisy", WORKERS[(number + number // 4) % 4], given)]
        chosen += [("held", (0, 0), given)] if count is None or number % 3 == 0 else []
    return chosen


def named(combination: Any) -> str:
    """Return a combination as a test's name."""
    task, workers, given = combination
    return "-".join([task, f"{workers[0]}to{workers[1]}", *map(str, given.values())])


@pytest.mark.parametrize("combination", combinations(10), ids=named)
def test_resume_is_exact(combination: Any, forge: Forge, tmp_path: Path) -> None:
    """The resumed run equals the uninterrupted one in every bit of its state and its history."""
    assert check(forge, tmp_path, *combination) >= 5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("task", ["noisy", "held"])
def test_resume_is_exact_on_a_gpu(task: str, accumulate: int, precision: str, forge: Forge, tmp_path: Path) -> None:
    """The same on CUDA, with fewer combinations."""
    given = {"accumulate": accumulate, "optimizer": "adamw", "scheduler": "onecycle", "device": "cuda"}
    assert check(forge, tmp_path, task, (0, 0), {**given, "precision": precision}) >= 5


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_resume_is_exact_in_every_combination(forge: Forge, tmp_path: Path) -> None:
    """The same for every combination there is."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        whole = [pool.submit(check, forge, tmp_path / str(n), *c) for n, c in enumerate(combinations(None))]
        print(sum(done.result() for done in whole), "interruptions")


@pytest.mark.parametrize("how", ["kill", "SIGTERM"])
def test_early_stopping_and_the_last_test(how: str, forge: Forge, tmp_path: Path) -> None:
    """The counter goes on where it was, and a run cut short in its last test is tested again, not trained on."""
    whole = create(tmp_path, "validated", name="whole")
    assert forge.run(whole, trace=True) == 0, whole.log.read_text()
    trace = json.loads((whole.path / "trace.json").read_text())
    last = said(whole)[-1]
    assert isinstance(last, e.RunFinished) and last.cause == "early_stopping" and last.epoch < 40
    final = [look for look, place in enumerate(trace, 1) if place[3] == last.step and place[4]]
    for look in (len(trace) // 2, final[0], final[4], final[-1] - 2):
        folder = create(tmp_path, "validated", name=f"look-{look}")
        assert forge.run(folder, at=look, how=how) == {"kill": -9, "SIGTERM": 143}[how]
        assert forge.run(folder) == 0
        assert_same_run(whole, folder)
        again = said(folder)[-1]
        assert isinstance(again, e.RunFinished)
        assert (again.cause, again.test, again.best) == (last.cause, last.test, last.best)
