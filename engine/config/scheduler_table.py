"""The table of learning-rate schedulers. To add one of torch.optim.lr_scheduler, add a row to SCHEDULERS.

It names torch's classes without importing torch, so that the command line can list them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Unit = Literal["epoch", "step", "evaluation"]
"""When a scheduler steps: at the end of an epoch, after an optimizer step, or after an evaluation."""


@dataclass(frozen=True)
class SchedulerSpec:
    """One row of SCHEDULERS: a scheduler that `--scheduler NAME:OPTION=VALUE,…` can name."""

    name: str
    cls: str
    """The class in torch.optim.lr_scheduler; its parameters are the options."""
    unit: Unit
    """When it steps. Those that step with epochs may follow a warm-up, where they are converted to steps."""
    help: str
    """Its effect, for the documentation."""
    example: str
    """An example of its text on the command line."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Options that torch requires, or whose defaults are needed for the conversion to steps."""
    lengths: tuple[str, ...] = ()
    """Options counted in units: whole numbers of at least 1. After a warm-up they are multiplied by steps per epoch."""
    rates: tuple[str, ...] = ()
    """Options that are factors per unit. After a warm-up their root of order steps per epoch is taken."""
    words: tuple[str, ...] = ()
    """Options that are words, not numbers."""
    short: Mapping[str, str] = field(default_factory=dict)
    """torch's name of each option that has a shorter name here."""
    run_length: str = ""
    """The option whose default is the length of the run in units; a longer run changes it."""
    peak: str = ""
    """The option whose default is the setting `lr`."""
    direction: str = ""
    """The option whose default is the direction of the monitored metric, `min` or `max`."""


SCHEDULERS = (
    SchedulerSpec(
        "step",
        "StepLR",
        "epoch",
        "Multiply by `gamma` every `size` epochs.",
        "step:size=5,gamma=0.5",
        defaults={"step_size": 10},
        lengths=("step_size",),
        short={"size": "step_size"},
    ),
    SchedulerSpec(
        "multistep",
        "MultiStepLR",
        "epoch",
        "Multiply by `gamma` after each epoch of `milestones`.",
        "multistep:milestones=30-60,gamma=0.1",
        lengths=("milestones",),
    ),
    SchedulerSpec(
        "exponential",
        "ExponentialLR",
        "epoch",
        "Multiply by `gamma` after every epoch.",
        "exponential:gamma=0.95",
        defaults={"gamma": 0.95},
        rates=("gamma",),
    ),
    SchedulerSpec(
        "linear",
        "LinearLR",
        "epoch",
        "Change linearly from `start_factor` to `end_factor` over `total_iters` epochs.",
        "linear:start_factor=0.1,total_iters=5",
        defaults={"total_iters": 5},
        lengths=("total_iters",),
    ),
    SchedulerSpec(
        "cosine",
        "CosineAnnealingLR",
        "epoch",
        "Decay along half a cosine to `eta_min` at the end of the run, or after `T_max` epochs.",
        "cosine",
        lengths=("T_max",),
        run_length="T_max",
    ),
    SchedulerSpec(
        "plateau",
        "ReduceLROnPlateau",
        "evaluation",
        "Multiply by `factor` after more than `patience` evaluations without improvement.",
        "plateau:patience=3,factor=0.5",
        words=("mode", "threshold_mode"),
        direction="mode",
    ),
    SchedulerSpec(
        "onecycle",
        "OneCycleLR",
        "step",
        "Rise to `lr` and fall to nearly 0 within the run (Smith and Topin 2018).",
        "onecycle:pct_start=0.3",
        words=("anneal_strategy",),
        run_length="total_steps",
        peak="max_lr",
    ),
)
"""Every scheduler but `none` and `warmup:steps=N[+NAME]`, which have no class in torch."""
BY_NAME = {row.name: row for row in SCHEDULERS}
AFTER_WARMUP = tuple(row.name for row in SCHEDULERS if row.unit == "epoch")
RUN_LENGTHS = tuple(row.run_length for row in SCHEDULERS if row.run_length)
