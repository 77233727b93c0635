"""Build torch's learning-rate schedulers by name and options, and apply manual changes of the rate to them.

To add a scheduler, add a row to `config/scheduler_table.py`.
"""

from __future__ import annotations

import inspect
import math
import warnings
from typing import Any

from torch.optim import Optimizer, lr_scheduler

from ..config.scheduler_table import AFTER_WARMUP, BY_NAME, RUN_LENGTHS, SchedulerSpec, Unit
from ..config.specs import Spec, Value, literal
from ..errors import SettingError

RESERVED = ("optimizer", "last_epoch", "verbose", "total_steps", "epochs", "steps_per_epoch")
"""Parameters of torch's classes that only the training loop sets."""
NO_LENGTH = "needs the number of steps in an epoch, and this data has no length"


class Scheduler:
    """A scheduler of torch with the unit that it steps with."""

    def __init__(self, scheduler: Any, unit: Unit) -> None:
        """Step torch's `scheduler` after each `unit`."""
        self._scheduler = scheduler
        self.unit: Unit = unit

    def step(self, unit: Unit, metric: float | None = None) -> None:
        """Step if `unit` is this scheduler's; `metric` is the value of the monitored metric after an evaluation."""
        if unit != self.unit:
            return
        if unit == "evaluation":
            self._scheduler.step(metric)
        else:
            self._scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """Return torch's state of the scheduler."""
        return dict(self._scheduler.state_dict())

    def restore(self, state: dict[str, Any], optimizer: Optimizer, fresh: list[dict[str, Any]]) -> None:
        """Load the result of `state_dict`. The parameter groups are already loaded; `fresh` is a copy from before that.

        If the run is now longer or shorter, the schedule becomes that of the new length, at the saved position. A
        manual change of the learning rate is kept as a factor.
        """
        if _run_lengths(state) == _run_lengths(self.state_dict()):
            self._scheduler.load_state_dict(state)
            return
        groups = optimizer.param_groups
        factor = groups[0]["initial_lr"] / fresh[0]["initial_lr"]  # other than 1 after a manual change
        for group, was in zip(groups, fresh, strict=True):
            group["lr"] = was["lr"] * factor
        _rescale(self._scheduler, factor, [group["lr"] for group in groups])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns that no optimizer step came between
            for _ in range(state["last_epoch"]):
                self._scheduler.step()

    def rescale(self, factor: float, rates: list[float]) -> None:
        """Multiply all further learning rates by `factor`; `rates` are the new ones of the parameter groups."""
        _rescale(self._scheduler, factor, rates)


def build_scheduler(
    text: str, optimizer: Optimizer, lr: float, *, epochs: int, steps_per_epoch: int | None, lower_is_better: bool
) -> Scheduler | None:
    """Return the scheduler that `text` names, as in `warmup:steps=500+cosine`; None for `none`.

    `lr` is the setting, `epochs` and `steps_per_epoch` the length of the run, `lower_is_better` the direction of the
    monitored metric. Raises SettingError, which names the option and what it must be.
    """
    specs = [Spec.parse(part) for part in text.split("+")]
    first, rest = specs[0], specs[1:]
    if first.name == "warmup":
        return _build_warmup(text, specs, optimizer, epochs, steps_per_epoch)
    if rest:
        raise SettingError(
            f"--scheduler {text!r}: only warmup can be followed by another, as in warmup:steps=500+cosine"
        )
    if first.name == "none":
        if first.options:
            raise SettingError(f"--scheduler {text!r}: none has no options")
        return None
    row = _find(first.name)
    options = _options(row, first)
    if row.unit == "step" and steps_per_epoch is None:
        raise SettingError(f"--scheduler {text!r} {NO_LENGTH}")
    if row.run_length:
        options.setdefault(row.run_length, epochs if row.unit == "epoch" else epochs * (steps_per_epoch or 0))
    if row.peak:
        options.setdefault(row.peak, lr)
    if row.direction:
        options.setdefault(row.direction, "min" if lower_is_better else "max")
    return Scheduler(_make(row, options, optimizer), row.unit)


def set_learning_rate(optimizer: Optimizer, scheduler: Scheduler | None, lr: float) -> None:
    """Set the first parameter group's learning rate to `lr`; other groups and the schedule keep their ratio to it."""
    now = float(optimizer.param_groups[0]["lr"])
    factor = lr / now if now else 1.0
    for number, group in enumerate(optimizer.param_groups):
        group["lr"] = lr if number == 0 or not now else group["lr"] * factor
        for name in ("initial_lr", "max_lr", "min_lr"):
            if name in group:
                group[name] *= factor
    if scheduler is not None:
        scheduler.rescale(factor, [group["lr"] for group in optimizer.param_groups])


def _run_lengths(state: dict[str, Any]) -> list[Any]:
    """Return the lengths of the run in a scheduler's state, those of its parts included."""
    own = [state[name] for name in RUN_LENGTHS if name in state]
    return own + [_run_lengths(part) for part in state.get("_schedulers", ())]


def _rescale(scheduler: Any, factor: float, rates: list[float]) -> None:
    for part in getattr(scheduler, "_schedulers", ()):
        _rescale(part, factor, rates)
    if hasattr(scheduler, "base_lrs"):
        scheduler.base_lrs = [base * factor for base in scheduler.base_lrs]
    scheduler._last_lr = list(rates)


def _build_warmup(
    text: str, specs: list[Spec], optimizer: Optimizer, epochs: int, steps_per_epoch: int | None
) -> Scheduler:
    """Return a linear rise over the first steps, then the second scheduler of `specs` converted to steps."""
    given = dict(specs[0].options)
    steps = given.pop("steps", given.pop("", None))
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise SettingError(f"--scheduler {text!r}: warmup needs its length in steps, as in warmup:steps=500+cosine")
    linear = BY_NAME["linear"]
    start = _options(linear, Spec("linear", given), "warmup", ("start_factor",))
    first = _make(linear, {"start_factor": 1 / (steps + 1), **start, "total_iters": steps}, optimizer)
    if len(specs) == 1:
        return Scheduler(first, "step")
    then = specs[1]
    if len(specs) > 2 or then.name not in AFTER_WARMUP:
        raise SettingError(f"--scheduler {text!r}: warmup is followed by one of {', '.join(AFTER_WARMUP)}")
    if steps_per_epoch is None:
        raise SettingError(f"--scheduler {text!r} {NO_LENGTH}")
    left = epochs * steps_per_epoch - steps
    if left < 1:
        raise SettingError(f"--scheduler {text!r}: {steps} steps of warm-up do not fit into {left + steps} steps")
    row = _find(then.name)
    after = _make(row, _in_steps(row, _options(row, then), steps_per_epoch, left), optimizer)
    return Scheduler(lr_scheduler.SequentialLR(optimizer, [first, after], milestones=[steps]), "step")


def _in_steps(row: SchedulerSpec, options: dict[str, Any], steps_per_epoch: int, left: int) -> dict[str, Any]:
    """Convert options counted in epochs to options counted in steps; `left` steps remain in the run."""
    converted = dict(options)
    for name in row.lengths:
        if isinstance(options.get(name), list):
            converted[name] = [length * steps_per_epoch for length in options[name]]
        elif name in options:
            converted[name] = options[name] * steps_per_epoch
    for name in row.rates:
        converted[name] = options[name] ** (1 / steps_per_epoch)
    if row.run_length:
        converted.setdefault(row.run_length, left)
    return converted


def _find(name: str) -> SchedulerSpec:
    if name not in BY_NAME:
        raise SettingError(f"there is no scheduler {name!r}: choose from none, warmup, {', '.join(BY_NAME)}")
    return BY_NAME[name]


def _options(row: SchedulerSpec, spec: Spec, shown: str = "", only: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the options by torch's names. They are checked here: torch checks most of them only when it steps."""
    shown = shown or row.name
    names = only or [name for name in inspect.signature(scheduler_class(row)).parameters if name not in RESERVED]
    found: dict[str, Any] = {}
    for option, value in spec.options.items():
        name = row.short.get(option, option)
        if name not in names:
            raise SettingError(f"scheduler {shown} has no option {option!r}: choose from {', '.join(names)}")
        found[name] = _checked(row, shown, name, value)
    return {**row.defaults, **found}


def _checked(row: SchedulerSpec, shown: str, name: str, value: Value) -> Any:
    if name in row.words:
        return value
    if name == "milestones":
        return [_checked_length(shown, "milestone", literal(part)) for part in str(value).split("-")]
    if name in row.lengths:
        return _checked_length(shown, name, value)
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise SettingError(f"scheduler {shown}: {name} must be a number of at least 0, not {value}")
    return value


def _checked_length(shown: str, name: str, value: Value) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SettingError(f"scheduler {shown}: {name} must be whole and at least 1, not {value}")
    return value


def _make(row: SchedulerSpec, options: dict[str, Any], optimizer: Optimizer) -> Any:
    try:
        return scheduler_class(row)(optimizer, **options)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        words = str(error).removeprefix(f"{row.cls}.__init__() ")
        raise SettingError(f"scheduler {row.name}: {words}") from error


def scheduler_class(row: SchedulerSpec) -> Any:
    """Return torch's class of a row of SCHEDULERS."""
    return getattr(lr_scheduler, row.cls)
