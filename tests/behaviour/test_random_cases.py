"""Random trainings: a resumed run equals the uninterrupted one bit for bit, or the run named a cause beforehand.

`STOKER_RANDOM_CASES=1000` runs as many; hypothesis reduces a failure to a minimal case.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.support import random_tasks as tasks
from tests.support.process_runner import checkpoint_state, differences, history
from tests.support.random_cases import create, simplest, train_case
from tests.support.random_tasks import Case

COUNT = int(os.environ.get("STOKER_RANDOM_CASES", "20"))

CASES = st.builds(
    Case,
    layers=st.lists(st.sampled_from(tasks.LAYERS), max_size=3, unique=True).map(tuple),
    loss=st.sampled_from(tasks.LOSSES),
    optimizer=st.sampled_from(tasks.OPTIMIZERS),
    scheduler=st.sampled_from(tasks.SCHEDULERS),
    data=st.sampled_from(tasks.DATA),
    own_state=st.one_of(st.just("none"), st.sampled_from(tasks.OWN_STATE)),
    precision=st.sampled_from(tasks.PRECISIONS),
    batch_size=st.integers(3, 9),
    # Mostly none: a process for each worker takes time.
    workers=st.sampled_from([0] * 12 + [1, 2]),
    accumulate=st.sampled_from([1, 1, 2, 3]),
    clip=st.sampled_from([None, None, 0.1]),
    split=st.sampled_from([None, None, None, "kfold:2", "holdout:0.3"]),
    eval_every=st.sampled_from(["1epochs", "2steps", "2epochs", "5steps"]),
    command=st.sampled_from(tasks.COMMANDS),
    command_at=st.integers(1, 6),
    stop_at=st.integers(1, 16),
    stops=st.integers(1, 2),
    deterministic_seed=st.integers(1, 3),
)


def possible(case: Case) -> Case:
    """Return the case without what does not go together, and which the program refuses."""
    changes: dict[str, object] = {}
    streams = case.data.endswith("stream") or case.own_state == "own_stream"
    if streams or case.data in ("loader", "weighted", "subset", "batched", "epochal") or case.own_state == "own_order":
        changes["split"] = None
    if case.data in ("saved_stream", "rewinding_stream", "both_stream") or case.own_state in (
        "schedule",
        "second_optimizer",
    ):
        changes["scheduler"] = "none"
    if case.own_state.endswith("_rows") and case.own_state != "measured_rows" and case.precision == "half_weights":
        changes["precision"] = "bf16"  # these rows are single numbers
    if changes.get("precision", case.precision) in ("half_weights", "double"):
        changes["loss"] = "cross_entropy" if case.loss in ("trained", "centred", "attribute") else case.loss
    if case.loss == "trained" or case.own_state in ("schedule", "second_optimizer"):
        changes["optimizer"] = "sgd"
    if case.own_state in ("schedule", "second_optimizer"):
        changes["loss"] = "cross_entropy"
    if case.data == "batched" and case.scheduler not in ("step:size=1,gamma=0.5", "plateau:patience=1"):
        changes["scheduler"] = "none"  # its length is not known
    optimizer = changes.get("optimizer", case.optimizer)
    if case.scheduler == "onecycle" and optimizer in ("rprop", "adagrad", "adadelta", "asgd", "langevin"):
        changes["scheduler"] = "none"  # they have no momentum
    # Copies of a data set in workers have no place in a checkpoint, or none of them could be resumed.
    if streams:
        changes["workers"] = 0
    return dataclasses.replace(case, **changes)  # type: ignore[arg-type]


def unequal(case: Case, place: Path) -> list[str]:
    """Return what differs between the two trainings of a case, in a folder of their own; empty where it was said."""
    whole = train_case(case, create(case, place, "whole"), stops=False)
    assert whole.finished.cause == "completed", whole.finished.message
    folder = create(case, place, "cut")
    said: list[str] = []
    for _ in range(case.stops):
        part = train_case(case, folder, stops=True)
        assert part.finished.cause in ("stopped", "completed"), part.finished.message
        said += part.inexact
    rest = train_case(case, folder, stops=False) if part.finished.cause == "stopped" else part
    assert rest.finished.cause == "completed", rest.finished.message
    if whole.inexact or said or rest.inexact:
        return []
    if part.finished.cause == "completed" and case.own_state == "unseeded":
        return []  # two runs of other data, and no resume
    found = differences(checkpoint_state(whole.folder), checkpoint_state(folder), "latest")
    one, other = history(whole.folder), history(folder)
    if case.command == "lr":
        return []  # the command comes at another batch of the resumed training
    return found + differences(one, other, "history")


@pytest.mark.timeout(120 + 5 * COUNT)
@settings(
    max_examples=COUNT,
    deadline=None,
    derandomize=COUNT <= 100,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    print_blob=False,
)
@given(CASES)
def test_resumed_training_is_bitwise_equal_or_was_announced(case: Case) -> None:
    """The weights, the optimizer and the history, whatever the task is made of and wherever it stops."""
    case = possible(case)
    note(simplest(case))
    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as place:
        try:
            found = unequal(case, Path(place))
        finally:
            torch.set_num_threads(threads)
    assert found == [], f"{simplest(case)} differs in {found[:6]}"
