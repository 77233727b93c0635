"""Learning-rate schedules by name and options, from torch's own, and how a person's change goes into them."""

from __future__ import annotations

import inspect
import math
import warnings
from dataclasses import dataclass
from typing import Any, Literal

from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedulers

from ..config.specs import Spec, Value, literal
from ..errors import SettingError

Unit = Literal["epoch", "step", "evaluation"]
# What a short option name is called in torch.
RENAMED = {"size": "step_size"}
CLASSES: dict[str, type] = {
    "step": torch_schedulers.StepLR,
    "multistep": torch_schedulers.MultiStepLR,
    "exponential": torch_schedulers.ExponentialLR,
    "linear": torch_schedulers.LinearLR,
    "cosine": torch_schedulers.CosineAnnealingLR,
    "plateau": torch_schedulers.ReduceLROnPlateau,
    "onecycle": torch_schedulers.OneCycleLR,
}
# Counted in epochs; where torch demands a value, or for what is turned into steps.
DEFAULTS: dict[str, dict[str, Any]] = {
    "step": {"step_size": 10},
    "exponential": {"gamma": 0.95},
    "linear": {"total_iters": 5},
}
LENGTHS = ("step_size", "T_max", "total_iters", "milestone")
AFTER = ("step", "multistep", "exponential", "linear", "cosine")
TEXTS = ("mode", "threshold_mode", "anneal_strategy")
# The loop knows these itself.
OWN = ("optimizer", "last_epoch", "verbose", "total_steps", "epochs", "steps_per_epoch")
NO_LENGTH = "needs to know the steps in an epoch, and this data has no length"


@dataclass
class Schedule:
    """A torch scheduler, and when it is stepped."""

    scheduler: Any
    unit: Unit

    def step(self, unit: Unit, metric: float | None = None) -> None:
        """Step the scheduler if `unit` is when it wants to be stepped."""
        if unit != self.unit:
            return
        if unit == "evaluation":
            self.scheduler.step(metric)
        else:
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the scheduler's state."""
        return dict(self.scheduler.state_dict())

    def restore(self, state: dict[str, Any], optimizer: Optimizer, fresh: list[dict[str, Any]]) -> None:
        """Take back what `state_dict` returned; the optimizer has its saved groups, and had the `fresh` ones before.

        Where the run has another length now, the schedule becomes the one of that length, as far on as it was.
        """
        if _lengths(state) == _lengths(self.state_dict()):
            self.scheduler.load_state_dict(state)
            return
        groups = optimizer.param_groups
        # What a person made of the rate stays.
        factor = groups[0]["initial_lr"] / fresh[0]["initial_lr"]
        for group, was in zip(groups, fresh, strict=True):
            group["lr"] = was["lr"] * factor
        _rescale(self.scheduler, factor, [group["lr"] for group in groups])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch misses the optimizer's steps between
            for _ in range(state["last_epoch"]):
                self.scheduler.step()


def build(
    text: str, optimizer: Optimizer, lr: float, *, epochs: int, steps_per_epoch: int | None, lower_is_better: bool
) -> Schedule | None:
    """Return the schedule that `text` names, or None for `none`. Raises SettingError."""
    specs = [Spec.parse(part) for part in text.split("+")]
    first, rest = specs[0], specs[1:]
    if first.name == "warmup":
        return _warmup(text, specs, optimizer, epochs, steps_per_epoch)
    if rest:
        raise SettingError(
            f"--scheduler {text!r}: only warmup can be followed by another, as in warmup:steps=500+cosine"
        )
    if first.name == "none":
        if first.options:
            raise SettingError(f"--scheduler {text!r}: none has no options")
        return None
    options = _options(first)
    if first.name == "plateau":
        options.setdefault("mode", "min" if lower_is_better else "max")
        return Schedule(_make(first, options, optimizer), "evaluation")
    if first.name == "onecycle":
        if steps_per_epoch is None:
            raise SettingError(f"--scheduler {text!r} {NO_LENGTH}")
        options = {"max_lr": lr, "total_steps": epochs * steps_per_epoch, **options}
        return Schedule(_make(first, options, optimizer), "step")
    if first.name == "cosine":
        options.setdefault("T_max", epochs)
    return Schedule(_make(first, options, optimizer), "epoch")


def set_learning_rate(optimizer: Optimizer, schedule: Schedule | None, lr: float) -> None:
    """Make `lr` the first group's learning rate now; the others and the schedule keep their proportion to it."""
    now = float(optimizer.param_groups[0]["lr"])
    factor = lr / now if now else 1.0
    for number, group in enumerate(optimizer.param_groups):
        group["lr"] = lr if number == 0 or not now else group["lr"] * factor
        for name in ("initial_lr", "max_lr", "min_lr"):
            if name in group:
                group[name] *= factor
    if schedule is not None:
        _rescale(schedule.scheduler, factor, [group["lr"] for group in optimizer.param_groups])


def _lengths(state: dict[str, Any]) -> list[Any]:
    own = [state[name] for name in ("T_max", "total_steps") if name in state]
    return own + [_lengths(part) for part in state.get("_schedulers", ())]


def _rescale(scheduler: Any, factor: float, now: list[float]) -> None:
    for part in getattr(scheduler, "_schedulers", ()):
        _rescale(part, factor, now)
    if hasattr(scheduler, "base_lrs"):
        scheduler.base_lrs = [base * factor for base in scheduler.base_lrs]
    scheduler._last_lr = list(now)


def _warmup(text: str, specs: list[Spec], optimizer: Optimizer, epochs: int, steps_per_epoch: int | None) -> Schedule:
    """Return a linear rise over the first steps, and what follows it counted in steps from there."""
    given = dict(specs[0].options)
    steps = given.pop("steps", given.pop("", None))
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise SettingError(f"--scheduler {text!r}: warmup needs its length in steps, as in warmup:steps=500+cosine")
    linear = Spec("linear", given)
    rise = {"start_factor": 1 / (steps + 1), **_options(linear, "warmup", ("start_factor",)), "total_iters": steps}
    first = _make(linear, rise, optimizer)
    if len(specs) == 1:
        return Schedule(first, "step")
    then = specs[1]
    if len(specs) > 2 or then.name not in AFTER:
        raise SettingError(f"--scheduler {text!r}: warmup is followed by one of {', '.join(AFTER)}")
    if steps_per_epoch is None:
        raise SettingError(f"--scheduler {text!r} {NO_LENGTH}")
    left = epochs * steps_per_epoch - steps
    if left < 1:
        raise SettingError(f"--scheduler {text!r}: {steps} steps of warm-up do not fit into {left + steps} steps")
    after = _make(then, _in_steps(then, _options(then), steps_per_epoch, left), optimizer)
    return Schedule(torch_schedulers.SequentialLR(optimizer, [first, after], milestones=[steps]), "step")


def _in_steps(spec: Spec, options: dict[str, Any], each: int, left: int) -> dict[str, Any]:
    """Turn options counted in epochs of `each` steps into options counted in steps, of which there are `left`."""
    counted: dict[str, Any] = {
        name: options[name] * each for name in ("step_size", "T_max", "total_iters") if name in options
    }
    if "milestones" in options:
        counted["milestones"] = [milestone * each for milestone in options["milestones"]]
    if spec.name == "exponential":
        counted["gamma"] = options["gamma"] ** (1 / each)
    elif spec.name == "cosine":
        counted.setdefault("T_max", left)
    return {**options, **counted}


def _options(spec: Spec, shown: str | None = None, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the options as torch names them, checked, because torch looks at most of them only when they are used."""
    shown = shown or spec.name
    if spec.name not in CLASSES:
        raise SettingError(f"there is no scheduler {spec.name!r}; there are none, warmup, {', '.join(CLASSES)}")
    names = only or [name for name in inspect.signature(CLASSES[spec.name]).parameters if name not in OWN]
    found: dict[str, Any] = {}
    for short, value in spec.options.items():
        name = RENAMED.get(short, short)
        if name not in names:
            raise SettingError(f"scheduler {shown} has no option {short!r}; it has {', '.join(names)}")
        found[name] = _checked(shown, name, value)
    return {**DEFAULTS.get(spec.name, {}), **found}


def _checked(shown: str, name: str, value: Value) -> Any:
    if name in TEXTS:
        return value
    if name == "milestones":
        return [_checked(shown, "milestone", literal(part)) for part in str(value).split("-")]
    if name in LENGTHS and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise SettingError(f"scheduler {shown}: {name} must be whole and at least 1, not {value}")
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise SettingError(f"scheduler {shown}: {name} must be a number of at least 0, not {value}")
    return value


def _make(spec: Spec, options: dict[str, Any], optimizer: Optimizer) -> Any:
    try:
        return CLASSES[spec.name](optimizer, **options)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        words = str(error).removeprefix(f"{CLASSES[spec.name].__name__}.__init__() ")
        raise SettingError(f"scheduler {spec.name}: {words}") from error
