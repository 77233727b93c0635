"""What a task brings along beside its model: its loss, buffers that are not in a state dict, objects of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from ..checkpoints.compatibility import load_model
from ..evaluation.attributes import assign, changed, marks
from ..evaluation.preserve import Preserved
from ..tasks.own_state import restore, state_of


class TaskParts:
    """Saves and restores these parts, each under its own key; a part that a task lacks has no key."""

    def __init__(self, model: nn.Module, loss: Any, named: Mapping[str, Any], preserved: Preserved) -> None:
        """Save the state of `loss` where it is a module, and of the objects in `named`, the task's `state`."""
        self._model, self._preserved, self.named = model, preserved, named
        self._loss = loss if isinstance(loss, nn.Module) and loss.state_dict() else None
        self._roots = {name: root for name, root in (("model", model), ("loss", loss)) if isinstance(root, nn.Module)}
        self._built = {name: marks(preserved.attributes(root)) for name, root in self._roots.items()}
        """Plain attributes of the modules as the task built them: a checkpoint has those that differ."""

    def state_dict(self) -> dict[str, Any]:
        """Return `loss`, `buffers`, `attributes` and `state`, without the empty ones."""
        saved: dict[str, Any] = {}
        if self._loss is not None:
            saved["loss"] = self._preserved.state_dict(self._loss)
        if buffers := {name: self._preserved.value(module, own) for name, module, own in self._other_buffers()}:
            saved["buffers"] = buffers
        found = {n: changed(self._preserved.attributes(root), self._built[n]) for n, root in self._roots.items()}
        if attributes := {name: values for name, values in found.items() if values}:
            saved["attributes"] = attributes
        if self.named:
            saved["state"] = {name: state_of(value) for name, value in self.named.items()}
        return saved

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take what `saved` has; what it lacks stays as it was built. Raises CheckpointError, which names the part."""
        if self._loss is not None and "loss" in saved:
            load_model(self._loss, saved["loss"], what="loss")
        for name, module, own in list(self._other_buffers()):
            value = saved.get("buffers", {}).get(name)
            now = module._buffers[own]
            if value is None or now is None:
                continue
            if (now.shape, now.dtype) == (value.shape, value.dtype):
                now.data.copy_(value)
            else:  # the model gives it another shape as it trains
                module._buffers[own] = value.to(now.device)
        for name, values in saved.get("attributes", {}).items():
            if name in self._roots:
                assign(self._roots[name], values)
        for name, value in self.named.items():
            if name in saved.get("state", {}):
                restore(name, value, saved["state"][name])

    def missing(self, saved: dict[str, Any]) -> list[str]:
        """Return the names of the parts that `saved` has no state of."""
        found = ["loss"] if self._loss is not None and "loss" not in saved else []
        return found + [name for name in self.named if name not in saved.get("state", {})]

    def _other_buffers(self) -> Iterator[tuple[str, nn.Module, str]]:
        """Yield (full name, module, name in it) of the buffers that a state dict leaves out."""
        for prefix, module in self._model.named_modules():
            for name in sorted(module._non_persistent_buffers_set):
                if isinstance(module._buffers.get(name), Tensor):
                    yield (f"{prefix}.{name}" if prefix else name), module, name
