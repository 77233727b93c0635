"""Optimizers by name and options: every class of torch.optim that the training loop can drive."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from ..config.specs import Spec, Value, literal
from ..errors import SettingError, TaskError

SEPARATOR = re.compile(r"(?<![eE])-")  # a dash between numbers, not the sign of an exponent
KERNELS = ("fused", "foreach", "capturable", "differentiable")  # options that choose an implementation, not a result
ONE_SHAPE = tuple(
    f"torch.optim.{name}"
    for name in ("adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "nadam", "radam", "rmsprop", "rprop", "sgd")
)
"""Modules of optimizers whose state has the shapes of the parameters, or is single numbers."""
OPTIMIZERS: dict[str, type[Optimizer]] = {
    name.lower(): value
    for name, value in vars(torch.optim).items()
    if inspect.isclass(value)
    and issubclass(value, Optimizer)
    and value is not Optimizer
    # These need a closure or sparse gradients, which the training loop does not provide.
    and name not in ("LBFGS", "SparseAdam")
}
"""Class by lower-case name: a new class of torch.optim is available without a change here."""


def build_optimizer(text: str, model: nn.Module, lr: float) -> Optimizer:
    """Return the optimizer that `text` names, as in `sgd:momentum=0.9`, for all trainable parameters of `model`.

    Raises SettingError for an unknown name or option, a wrong value, or a model without trainable parameters.
    """
    spec = Spec.parse(text)
    if spec.name not in OPTIMIZERS:
        raise SettingError(f"there is no optimizer {spec.name!r}: choose from {', '.join(sorted(OPTIMIZERS))}")
    kind = OPTIMIZERS[spec.name]
    known = [name for name in inspect.signature(kind).parameters if name not in ("params", "lr")]
    for option in spec.options:
        if option not in known:
            raise SettingError(f"optimizer {spec.name} has no option {option!r}: choose from {', '.join(known)}")
    options: dict[str, Any] = {name: _value(value) for name, value in spec.options.items()}
    for name, value in options.items():
        if wanted := _mismatch(inspect.signature(kind).parameters[name].default, value):
            raise SettingError(f"optimizer {text!r}: {name} must be {wanted.format(name)}, not {spec.options[name]}")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise SettingError("the model has no parameters to train")
    # Fused: one call a step, and it can skip an update on a GPU without synchronising. Except for plain SGD on the CPU,
    # which is one call a parameter already, and cheaper (12 µs against 18 for two small layers).
    plain = spec.name == "sgd" and not options.get("momentum") and parameters[0].device.type == "cpu"
    # Fused SGD starts from memory that is not initialised. Zeros in it are right only without dampening.
    dampened = spec.name == "sgd" and bool(options.get("dampening"))
    unset = not dampened and not {"foreach", "differentiable"} & options.keys()
    if plain and unset and "fused" not in options:
        # torch's own choice here; given explicitly, torch does not search for it at every step.
        options["foreach"] = False
    elif unset and "fused" in known and all(_fusable(p) for p in parameters):
        options.setdefault("fused", True)
    try:
        return kind(parameters, lr=lr, **options)  # type: ignore[call-arg]
    except (TypeError, ValueError, RuntimeError) as error:
        raise SettingError(f"optimizer {text!r}: {error}") from error


def start_momentum(optimizer: Optimizer) -> None:
    """Give fused SGD the momentum buffers that it lacks, as zeros: the same bits as without, and always numbers.

    torch makes them of memory that is not initialised, and writes it in the first step. A first step that is skipped, as
    a gradient scaler does, leaves it.
    """
    if not isinstance(optimizer, torch.optim.SGD):
        return
    for group in optimizer.param_groups:
        if not (group.get("fused") and group["momentum"]) or group["dampening"]:
            continue
        for parameter in group["params"]:
            if optimizer.state[parameter].get("momentum_buffer") is None:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)


def skips_on_device(optimizer: Optimizer) -> bool:
    """Return whether the optimizer takes `found_inf` and skips its update on the device, without a number on the host.

    torch marks its fused optimizers so. A class with a step of its own inherits the mark, but need not look at it.
    """
    own_step = not type(optimizer).step.__module__.startswith("torch.optim")
    fused = all(group.get("fused") for group in optimizer.param_groups)
    return fused and not own_step and bool(getattr(optimizer, "_step_supports_amp_scaling", False))


def validate_optimizer(optimizer: Any) -> Optimizer:
    """Return the optimizer that a task made. Raises TaskError for one that the training loop cannot drive."""
    name = type(optimizer).__name__
    if not isinstance(optimizer, Optimizer):
        raise TaskError(f"the task's optimizer returned a {name}, not a torch.optim.Optimizer")
    closure = inspect.signature(type(optimizer).step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise TaskError(
            f"the task's optimizer {name} needs a closure, which the training loop does not give:"
            " use one that steps without, such as torch.optim.AdamW"
        )
    return optimizer


def load_state(optimizer: Optimizer, saved: dict[str, Any]) -> None:
    """Load what `optimizer.state_dict()` returned, each tensor in its own type.

    torch casts the state to the type of the parameters, also numbers that NAdam and ASGD keep in single precision.
    Raises ValueError or KeyError where the state does not fit.
    """
    _check_shapes(optimizer, saved)
    own = optimizer.param_groups
    if len(own) == len(saved["param_groups"]):
        # The kernels that fit this device, not those of the device that the checkpoint was saved on.
        kernels = [{name: group[name] for name in KERNELS if name in group} for group in own]
        groups = [{**group, **kernel} for group, kernel in zip(saved["param_groups"], kernels, strict=True)]
        saved = {**saved, "param_groups": groups}
    optimizer.load_state_dict(saved)
    start_momentum(optimizer)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    indices = [index for group in saved["param_groups"] for index in group["params"]]
    for parameter, index in zip(parameters, indices, strict=True):
        state = optimizer.state.get(parameter, {})
        for name, value in saved["state"].get(index, {}).items():
            loaded = state.get(name)
            if isinstance(loaded, torch.Tensor) and isinstance(value, torch.Tensor) and loaded.dtype != value.dtype:
                state[name] = value.to(loaded.device, copy=True)


def _check_shapes(optimizer: Optimizer, saved: dict[str, Any]) -> None:
    """Refuse a tensor of another shape than its parameter, which would fail in the next step. Raises ValueError."""
    if type(optimizer).__module__ not in ONE_SHAPE:
        return
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    indices = [index for group in saved["param_groups"] for index in group["params"]]
    for parameter, index in zip(parameters, indices, strict=False):
        for name, value in saved["state"].get(index, {}).items():
            if isinstance(value, torch.Tensor) and value.dim() and value.shape != parameter.shape:
                shapes = f"{tuple(value.shape)}, its parameter {tuple(parameter.shape)}"
                raise ValueError(f"`{name}` of parameter {index} has the shape {shapes}")


def unhooked_step(optimizer: Optimizer) -> Callable[[], object]:
    """Return a function that takes the optimizer's step: without the wrapper for hooks if the optimizer has no hooks.

    torch.optim.Optimizer wraps `step` of every class in `profile_hook_step`, which costs 8 µs a call.
    """
    kind = type(optimizer)
    hooks = (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks)
    # A scheduler replaces `step` on the object, to warn of a wrong order.
    if any(hooks) or "step" in vars(optimizer) or not getattr(kind.step, "hooked", False):
        return optimizer.step
    plain = getattr(kind.step, "__wrapped__", None)
    return optimizer.step if plain is None else partial(plain, optimizer)


def _value(value: Value) -> Any:
    """Return the value of an option; numbers joined by dashes become a tuple, as in `adam:betas=0.9-0.95`."""
    parts = SEPARATOR.split(value) if isinstance(value, str) else []
    numbers = [literal(part) for part in parts]
    return tuple(numbers) if len(numbers) > 1 and all(isinstance(number, int | float) for number in numbers) else value


def _mismatch(default: Any, value: Any) -> str:
    """Return the kind of value that an option needs, as its default in torch shows; empty if `value` is of that kind."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "yes or no"
    if isinstance(default, int | float):
        return "" if isinstance(value, int | float) and not isinstance(value, bool) else "a number"
    if isinstance(default, tuple):
        return "" if isinstance(value, tuple) else "several numbers, as in {}=0.9-0.999"
    return ""


def _fusable(parameter: torch.Tensor) -> bool:
    return parameter.is_floating_point() and parameter.device.type in ("cpu", "cuda")
