"""Optimizers by name and options, from torch's own."""

from __future__ import annotations

import inspect

import torch
from torch import nn
from torch.optim import Optimizer

from .errors import SettingError
from .specs import Spec

CLASSES: dict[str, type[Optimizer]] = {
    name.lower(): value
    for name, value in vars(torch.optim).items()
    if inspect.isclass(value) and issubclass(value, Optimizer) and value is not Optimizer
    # These need a closure or sparse gradients, which the loop does not give.
    and name not in ("LBFGS", "SparseAdam")
}


def build(text: str, model: nn.Module, lr: float) -> Optimizer:
    """Return the optimizer that `text` names, for all trainable parameters. Raises SettingError."""
    spec = Spec.parse(text)
    if spec.name not in CLASSES:
        raise SettingError(f"there is no optimizer {spec.name!r}; there are {', '.join(sorted(CLASSES))}")
    kind = CLASSES[spec.name]
    known = [name for name in inspect.signature(kind).parameters if name not in ("params", "lr")]
    for option in spec.options:
        if option not in known:
            raise SettingError(f"optimizer {spec.name} has no option {option!r}; it has {', '.join(known)}")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise SettingError("the model has no parameters to train")
    options = dict(spec.options)
    if "fused" in known and "foreach" not in options and all(_fusable(p) for p in parameters):
        # One call a step instead of several a parameter, and it can skip an update on the device.
        options.setdefault("fused", True)
    try:
        return kind(parameters, lr=lr, **options)  # type: ignore[call-arg]
    except (TypeError, ValueError, RuntimeError) as error:
        raise SettingError(f"optimizer {text!r}: {error}") from error


def _fusable(parameter: torch.Tensor) -> bool:
    return parameter.is_floating_point() and parameter.device.type in ("cpu", "cuda")
