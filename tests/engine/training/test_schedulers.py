"""Learning rates step by step, against torch's own schedulers and against their formulas."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest
import torch
from torch.optim import SGD, Optimizer
from torch.optim import lr_scheduler as own

from stoker.engine.config.scheduler_table import SCHEDULERS, SchedulerSpec, Unit
from stoker.engine.errors import SettingError
from stoker.engine.training import schedulers

LR, EPOCHS, EACH = 0.1, 6, 10


def optimizer() -> Optimizer:
    """Return an optimizer of one parameter."""
    return SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR, momentum=0.9)


def build(text: str, optimizer: Optimizer, **changed: Any) -> schedulers.Scheduler | None:
    """Build a scheduler for 6 epochs of 10 steps."""
    options: dict[str, Any] = {"epochs": EPOCHS, "steps_per_epoch": EACH, "lower_is_better": True, **changed}
    return schedulers.build_scheduler(text, optimizer, LR, **options)


def trace(schedule: Any, optimizer: Optimizer, unit: Unit, count: int) -> list[float]:
    """Return the learning rate before each step of the scheduler."""
    rates = []
    for _ in range(count):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if isinstance(schedule, schedulers.Scheduler):
            schedule.step(unit, 1.0)
        else:
            schedule.step()
    return rates


def restored(
    text: str, schedule: schedulers.Scheduler, first: Optimizer, **changed: Any
) -> tuple[schedulers.Scheduler, Optimizer]:
    """Return a new scheduler and optimizer with the state of others."""
    second = optimizer()
    other = build(text, second, **changed)
    assert other is not None
    fresh = [dict(group) for group in second.param_groups]
    second.load_state_dict(first.state_dict())
    other.restore(schedule.state_dict(), second, fresh)
    return other, second


@pytest.mark.parametrize(
    ("text", "make"),
    [
        ("step:size=2,gamma=0.5", lambda o: own.StepLR(o, 2, gamma=0.5)),
        ("multistep:milestones=2-4,gamma=0.1", lambda o: own.MultiStepLR(o, [2, 4], gamma=0.1)),
        ("exponential:gamma=0.9", lambda o: own.ExponentialLR(o, 0.9)),
        ("linear:start_factor=0.5,total_iters=3", lambda o: own.LinearLR(o, 0.5, total_iters=3)),
        ("cosine", lambda o: own.CosineAnnealingLR(o, EPOCHS)),
        ("cosine:T_max=3,eta_min=0.01", lambda o: own.CosineAnnealingLR(o, 3, eta_min=0.01)),
    ],
)
def test_epoch_schedulers_equal_torchs(text: str, make: Any) -> None:
    """They step with epochs, with the given options; a cosine ends with the run."""
    mine, theirs = optimizer(), optimizer()
    schedule = build(text, mine)
    assert schedule is not None
    assert schedule.unit == "epoch"
    assert trace(schedule, mine, "epoch", EPOCHS) == pytest.approx(trace(make(theirs), theirs, "epoch", EPOCHS))


def test_one_cycle_spans_the_run() -> None:
    """Its peak is the setting `lr`; its last step is the last of the run."""
    mine, theirs = optimizer(), optimizer()
    schedule = build("onecycle:pct_start=0.2", mine)
    assert schedule is not None
    rates = trace(schedule, mine, "step", EPOCHS * EACH)
    theirs_schedule = own.OneCycleLR(theirs, LR, total_steps=EPOCHS * EACH, pct_start=0.2)
    assert rates[:-1] == pytest.approx(trace(theirs_schedule, theirs, "step", EPOCHS * EACH - 1))
    assert max(rates) == pytest.approx(LR)


@pytest.mark.parametrize(("lower", "values"), [(True, [3.0, 2.0, 2.5, 2.5, 2.5]), (False, [3.0, 4.0, 3.5, 3.5, 3.5])])
def test_plateau_follows_the_monitored_metric_in_its_direction(lower: bool, values: list[float]) -> None:
    """It lowers the rate after more evaluations without improvement than the patience."""
    mine = optimizer()
    schedule = build("plateau:factor=0.5,patience=2", mine, lower_is_better=lower)
    assert schedule is not None
    rates = []
    for value in values:
        schedule.step("evaluation", value)
        schedule.step("epoch")
        schedule.step("step")
        rates.append(mine.param_groups[0]["lr"])
    assert rates == [LR, LR, LR, LR, LR / 2]


def test_warmup_rises_and_then_a_cosine_falls_to_the_end() -> None:
    """From lr/(n+1) in equal steps to lr, then half a cosine over the remaining steps."""
    mine = optimizer()
    schedule = build("warmup:steps=4+cosine", mine)
    assert schedule is not None
    rates = trace(schedule, mine, "step", EPOCHS * EACH)
    left = EPOCHS * EACH - 4
    rise = [LR * (step + 1) / 5 for step in range(4)]
    fall = [LR * (1 + math.cos(math.pi * step / left)) / 2 for step in range(left)]
    assert rates == pytest.approx(rise + fall)


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        ("step:size=2,gamma=0.5", [1.0, 1.0, 0.5]),
        ("multistep:milestones=1-2,gamma=0.1", [1.0, 0.1, 0.01]),
        ("exponential:gamma=0.5", [1.0, 0.5, 0.25]),
        ("cosine:T_max=2", [1.0, 0.5, 0.0]),
        ("linear:start_factor=0.5,total_iters=2", [0.5, 0.75, 1.0]),
    ],
)
def test_after_a_warmup_lengths_still_mean_epochs(after: str, wanted: list[float]) -> None:
    """Every 10 steps after the warm-up the learning rate is that of the next epoch."""
    mine = optimizer()
    schedule = build(f"warmup:steps=5+{after}", mine)
    assert schedule is not None
    rates = trace(schedule, mine, "step", 5 + 3 * EACH)
    assert [rates[5 + epoch * EACH] / LR for epoch in range(3)] == pytest.approx(wanted, abs=1e-9)


def test_none_and_a_warmup_alone() -> None:
    """`none` is None; a warm-up needs no length of the data and keeps its last rate."""
    assert build("none", optimizer()) is None
    mine = optimizer()
    schedule = build("warmup:steps=3", mine, steps_per_epoch=None)
    assert schedule is not None
    assert trace(schedule, mine, "step", 5) == pytest.approx([LR / 4, LR / 2, 3 * LR / 4, LR, LR])


@pytest.mark.parametrize(
    "text", ["step:size=2,gamma=0.5", "cosine", "plateau:patience=1", "onecycle", "warmup:steps=4+cosine"]
)
def test_a_scheduler_continues_from_its_state(text: str) -> None:
    """Saved after five steps and loaded into a new one, it gives the same rates."""
    first = optimizer()
    schedule = build(text, first)
    assert schedule is not None
    trace(schedule, first, schedule.unit, 5)
    other, second = restored(text, schedule, first)
    assert trace(other, second, schedule.unit, 5) == trace(schedule, first, schedule.unit, 5)


@pytest.mark.parametrize("factor", [1.0, 0.5])
@pytest.mark.parametrize(
    "text", ["step:size=2,gamma=0.5", "cosine", "cosine:T_max=3", "onecycle", "warmup:steps=4+cosine"]
)
def test_a_longer_run_has_the_schedule_of_its_new_length(text: str, factor: float) -> None:
    """As if it had that length from its start, times the factor of a manual change."""
    first, whole = optimizer(), optimizer()
    schedule, wanted = build(text, first), build(text, whole, epochs=2 * EPOCHS)
    assert schedule is not None and wanted is not None
    count = 4 * (EACH if schedule.unit == "step" else 1)
    trace(schedule, first, schedule.unit, count)
    trace(wanted, whole, schedule.unit, count)
    schedulers.set_learning_rate(first, schedule, first.param_groups[0]["lr"] * factor)
    longer, second = restored(text, schedule, first, epochs=2 * EPOCHS)
    rates = trace(longer, second, schedule.unit, count)
    assert rates == pytest.approx([rate * factor for rate in trace(wanted, whole, schedule.unit, count)])
    assert second.param_groups[0]["momentum"] == pytest.approx(whole.param_groups[0]["momentum"])


@pytest.mark.parametrize("text", ["none", "step:size=2,gamma=0.5", "cosine", "onecycle", "warmup:steps=4+cosine"])
def test_a_manual_change_scales_the_rest_of_the_schedule(text: str) -> None:
    """Half the learning rate now is half of it for the rest of the run."""
    changed, kept = optimizer(), optimizer()
    mine, theirs = build(text, changed), build(text, kept)
    for schedule, made in ((mine, changed), (theirs, kept)):
        if schedule is not None:
            trace(schedule, made, schedule.unit, 3)
    schedulers.set_learning_rate(changed, mine, kept.param_groups[0]["lr"] / 2)
    if mine is None or theirs is None:
        assert changed.param_groups[0]["lr"] == LR / 2
        return
    rates, halves = trace(theirs, kept, theirs.unit, 3), trace(mine, changed, mine.unit, 3)
    assert halves == pytest.approx([rate / 2 for rate in rates])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("cosin", "cosin"),
        ("step:sizes=3", "sizes"),
        ("step:size=0", "step_size"),
        ("step:size=1.5", "whole"),
        ("step:gamma=half", "half"),
        ("cosine:T_max=0", "T_max"),
        ("multistep", "milestones"),
        ("multistep:milestones=2-x", "milestone"),
        ("plateau:factor=2", "actor"),
        ("onecycle:total_steps=5", "total_steps"),
        ("onecycle:div_factor=0", "division by zero"),
        ("warmup", "length in steps"),
        ("warmup:steps=2.5", "length in steps"),
        ("warmup:steps=60+cosine", "do not fit"),
        ("warmup:steps=4+plateau", "followed by one of"),
        ("warmup:steps=4,gamma=1", "gamma"),
        ("cosine+step", "only warmup"),
        ("none+cosine", "only warmup"),
    ],
)
def test_a_wrong_scheduler_is_refused_at_once(text: str, named: str) -> None:
    """Even for values that torch would refuse only at its first step."""
    with pytest.raises(SettingError, match=named) as caught:
        build(text, optimizer())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["onecycle", "warmup:steps=4+cosine"])
def test_a_schedule_over_the_whole_run_needs_a_length(text: str) -> None:
    """It is refused for data without one."""
    with pytest.raises(SettingError, match="no length"):
        build(text, optimizer(), steps_per_epoch=None)


@pytest.mark.parametrize("row", SCHEDULERS, ids=lambda row: row.name)
def test_every_row_of_the_table_is_complete(row: SchedulerSpec) -> None:
    """Its example builds a scheduler of its class and unit, and its options are parameters of torch's class."""
    made = build(row.example, optimizer())
    assert made is not None and made.unit == row.unit
    assert row.example.partition(":")[0] == row.name
    parameters = set(inspect.signature(schedulers.scheduler_class(row)).parameters)
    assert {*row.defaults, *row.lengths, *row.rates, *row.words, *row.short.values()} <= parameters
    assert {row.run_length, row.peak, row.direction} - {""} <= parameters
    assert row.help.endswith(".")
