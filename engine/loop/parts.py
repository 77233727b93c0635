"""The named objects of a loop whose state a checkpoint holds: model, optimizers, schedulers, EMA and others."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from ..checkpoints.compatibility import load_model
from ..errors import CheckpointError, RequestError

RESERVED = frozenset(
    {"format", "progress", "early_stopping", "best", "metrics", "train_loss", "settings", "environment"}
    | {"loader", "folds", "gradients", "state", "overfitting", "scaler", "window", "lr_scale", "draws"}
)
"""Names that a checkpoint uses itself; `scaler` is saved under that name where it is given."""


class Parts:
    """Saves and loads objects with `state_dict` and `load_state_dict` by name."""

    def __init__(self, parts: dict[str, Any]) -> None:
        """Keep `parts` by name. Raises RequestError for a reserved name, or an object without the two methods."""
        for name, part in parts.items():
            if name in RESERVED - {"scaler"}:
                raise RequestError(f"Run({name}=…): this name is reserved; choose another one")
            if not (hasattr(part, "state_dict") and hasattr(part, "load_state_dict")):
                kind = type(part).__name__
                raise RequestError(
                    f"Run({name}=…): a {kind} has no state_dict and load_state_dict, so it cannot be saved"
                )
        self._parts = {name: _unwrap(part) for name, part in parts.items()}

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers, in the order in which they were named."""
        return [part for part in self._parts.values() if isinstance(part, Optimizer)]

    def all_modules(self) -> list[nn.Module]:
        """Return every module of the parts, the inner ones too."""
        return [module for part in self._parts.values() if isinstance(part, nn.Module) for module in part.modules()]

    @property
    def scheduler(self) -> Any:
        """The part called `scheduler`, or None."""
        return self._parts.get("scheduler")

    def state_dict(self) -> dict[str, Any]:
        """Return the state of each part by its name, and gradients that a later step will use."""
        saved = {name: part.state_dict() for name, part in self._parts.items()}
        gradients = {name: p.grad for name, p in self._parameters() if p.grad is not None}
        return {**saved, "gradients": gradients} if gradients else saved

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Load each part. Raises CheckpointError for a part that the checkpoint lacks or that does not fit."""
        if missing := [name for name in self._parts if name not in saved]:
            raise CheckpointError(f"the checkpoint has no {', '.join(missing)}: it was saved by a loop without")
        for name, part in self._parts.items():
            try:
                load_model(part, saved[name]) if isinstance(part, nn.Module) else part.load_state_dict(saved[name])
            except (ValueError, KeyError, TypeError) as error:
                raise CheckpointError(f"the checkpoint's {name} belongs to another one: {error}") from error
        for name, parameter in self._parameters():
            gradient = saved.get("gradients", {}).get(name)
            parameter.grad = None if gradient is None else gradient.to(parameter.device, copy=True)

    def _parameters(self) -> list[tuple[str, Tensor]]:
        modules = {name: part for name, part in self._parts.items() if isinstance(part, nn.Module)}
        return [(f"{name}.{key}", p) for name, module in modules.items() for key, p in module.named_parameters()]


def _unwrap(part: Any) -> Any:
    """Return the plain module of a compiled or distributed one: its names are those that other programs know."""
    if not isinstance(part, nn.Module):
        return part
    part = getattr(part, "_orig_mod", part)
    return part.module if type(part).__name__ in ("DistributedDataParallel", "DataParallel") else part
