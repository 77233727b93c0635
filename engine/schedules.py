"""Learning-rate schedules by name and options, from torch's own, and how a person's change goes into them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Literal

from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedulers

from .errors import SettingError
from .specs import Spec

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

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self.scheduler.load_state_dict(state)


def build(
    text: str, optimizer: Optimizer, lr: float, *, epochs: int, steps_per_epoch: int | None, lower_is_better: bool
) -> Schedule | None:
    """Return the schedule that `text` names, or None for `none`. Raises SettingError."""
    specs = [Spec.parse(part) for part in text.split("+")]
    first, rest = specs[0], specs[1:]
    if first.name == "none" and not rest:
        return None
    if first.name == "warmup":
        return _warmup(first, rest, optimizer, lr, epochs, steps_per_epoch)
    if rest:
        raise SettingError(f"--scheduler {text!r}: only warmup can be followed by another, as in warmup:steps=500+cosine")
    if first.name == "plateau":
        options = {"mode": "min" if lower_is_better else "max"}
        return Schedule(_make(first, optimizer, options), "evaluation")
    if first.name == "onecycle":
        return Schedule(_make(first, optimizer, _onecycle(first, lr, _total(epochs, steps_per_epoch, text))), "step")
    return Schedule(_make(first, optimizer, {"T_max": epochs} if first.name == "cosine" else {}), "epoch")


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


def _rescale(scheduler: Any, factor: float, now: list[float]) -> None:
    for part in getattr(scheduler, "_schedulers", ()):
        _rescale(part, factor, now)
    if hasattr(scheduler, "base_lrs"):
        scheduler.base_lrs = [base * factor for base in scheduler.base_lrs]
    scheduler._last_lr = list(now)


def _warmup(
    warmup: Spec, rest: list[Spec], optimizer: Optimizer, lr: float, epochs: int, steps_per_epoch: int | None
) -> Schedule:
    options = dict(warmup.options)
    steps = options.pop("steps", options.pop("", None))
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise SettingError("--scheduler warmup needs its length in steps, as in warmup:steps=500+cosine")
    linear = _make(
        Spec("linear", options), optimizer, {"start_factor": 1 / (steps + 1), "total_iters": steps}, shown="warmup"
    )
    if not rest or rest[0].name == "none":
        return Schedule(linear, "step")
    total = _total(epochs, steps_per_epoch, "warmup")
    then = rest[0]
    if len(rest) > 1 or then.name in ("plateau", "warmup", "onecycle"):
        raise SettingError(f"--scheduler: warmup cannot be followed by {'+'.join(spec.name for spec in rest)}")
    if steps >= total:
        raise SettingError(f"--scheduler: a warmup of {steps} steps does not fit into {total} steps")
    # After a warm-up everything is counted in steps, so lengths given in epochs are turned into steps.
    defaults: dict[str, Any] = {"T_max": total - steps} if then.name == "cosine" else {}
    given = {RENAMED.get(key, key): value for key, value in then.options.items()}
    for name in ("step_size", "T_max"):
        if name in given:
            given[name] = int(given[name] * (steps_per_epoch or 1))  # type: ignore[operator]
    after = _make(Spec(then.name, given), optimizer, defaults)
    return Schedule(torch_schedulers.SequentialLR(optimizer, [linear, after], milestones=[steps]), "step")


def _onecycle(spec: Spec, lr: float, total: int) -> dict[str, Any]:
    return {"max_lr": spec.options.get("max_lr", lr), "total_steps": total}


def _total(epochs: int, steps_per_epoch: int | None, text: str) -> int:
    if steps_per_epoch is None:
        raise SettingError(f"--scheduler {text!r} needs to know the steps in an epoch, and this data has no length")
    return epochs * steps_per_epoch


def _make(spec: Spec, optimizer: Optimizer, defaults: dict[str, Any], shown: str | None = None) -> Any:
    name = shown or spec.name
    if spec.name not in CLASSES:
        raise SettingError(f"there is no scheduler {spec.name!r}; there are none, warmup, {', '.join(CLASSES)}")
    kind = CLASSES[spec.name]
    known = [key for key in inspect.signature(kind).parameters if key not in ("optimizer", "last_epoch", "verbose")]
    options = {RENAMED.get(key, key): value for key, value in spec.options.items()}
    for option in options:
        if option not in known:
            raise SettingError(f"scheduler {name} has no option {option!r}; it has {', '.join(known)}")
    if spec.name == "step":
        defaults = {"step_size": 10, **defaults}
    if isinstance(options.get("milestones"), str):
        options["milestones"] = [int(part) for part in str(options["milestones"]).split("-")]
    try:
        return kind(optimizer, **{**defaults, **options})
    except (TypeError, ValueError) as error:
        raise SettingError(f"scheduler {name}: {error}") from error
