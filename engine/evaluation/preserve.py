"""Keep what an evaluation may change in a model, so that the training continues from its own state."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from .attributes import Attributes, Marks, attributes, copies, marks, put_back

MAX_ON_DEVICE = 1 << 20  # numbers; the copy of a larger tensor waits on the host, not in a GPU's memory


class Preserved:
    """The modes, buffers and renormalised weights that modules had before an evaluation."""

    def __init__(self, *parts: Any) -> None:
        """Preserve those of `parts` that are modules; nothing is copied yet."""
        self._roots = [part for part in parts if isinstance(part, nn.Module)]
        self._modes: list[tuple[nn.Module, bool]] = []
        self._tensors: list[tuple[nn.Module, str, Tensor]] = []
        self._copies: dict[tuple[nn.Module, str], Tensor] = {}
        """Copy of the tensor that a module holds under a name."""
        self._attributes: dict[int, Attributes] = {}
        """Plain attributes before the evaluation, by the id of their root."""
        self._marks: dict[int, Marks] = {}

    def take(self) -> None:
        """Copy what an evaluation may change."""
        for root in self._roots:
            found = attributes(root)
            self._marks[id(root)], self._attributes[id(root)] = marks(found), copies(found)
            for module in root.modules():
                self._modes.append((module, module.training))
                if module._buffers:
                    for name, buffer in module._buffers.items():
                        if buffer is not None:
                            self._copy(module, name, buffer)
                # Such an embedding rescales its rows when it reads them.
                if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.max_norm is not None:
                    self._copy(module, "weight", module.weight)

    def put_back(self) -> None:
        """Undo what has changed since `take`, and forget the copies."""
        for root in self._roots:
            # Not only the flags: a module may do more in a `train` of its own.
            if self._mode_of(root) and not root.training:
                root.train()
        for module, mode in self._modes:
            if module.training != mode:
                module.training = mode
        for module, name, tensor in self._tensors:
            if name in module._buffers:
                module._buffers[name] = tensor
            # By `data`: the content is as it was, so a graph that needs it is still valid.
            tensor.data.copy_(self._copies[module, name])
        for root in self._roots:
            put_back(root, self._marks.get(id(root), {}), self._attributes.get(id(root), {}))
        self._modes, self._tensors, self._copies, self._attributes, self._marks = [], [], {}, {}, {}

    def attributes(self, root: nn.Module) -> Attributes:
        """Return the plain attributes of the modules of `root`, within an evaluation those from before it."""
        return self._attributes[id(root)] if id(root) in self._attributes else attributes(root)

    def state_dict(self, root: nn.Module) -> dict[str, Any]:
        """Return the state dict of `root`, within an evaluation the one from before it."""
        state: dict[str, Any] = root.state_dict()
        for prefix, module in root.named_modules(remove_duplicate=False) if self._copies else ():
            for name in (*module._buffers, *module._parameters):
                key = f"{prefix}.{name}" if prefix else name
                if key in state and (module, name) in self._copies:
                    state[key] = self._copies[module, name]
        return state

    def value(self, module: nn.Module, name: str) -> Tensor | None:
        """Return the buffer `name` of `module`, within an evaluation the one from before it."""
        return self._copies.get((module, name), module._buffers[name])

    def modules_in_evaluation_mode(self, root: nn.Module) -> list[str]:
        """Return the names of the modules of `root` that are not trained in training mode, now or before `take`."""
        modes = dict(self._modes)
        return [name for name, module in root.named_modules() if not modes.get(module, module.training)]

    def _copy(self, module: nn.Module, name: str, tensor: Tensor) -> None:
        self._tensors.append((module, name, tensor))
        on_host = tensor.numel() > MAX_ON_DEVICE
        self._copies[module, name] = tensor.detach().to("cpu" if on_host else tensor.device, copy=True)

    def _mode_of(self, root: nn.Module) -> bool:
        return next((mode for module, mode in self._modes if module is root), root.training)


def set_modes(root: nn.Module, in_evaluation_mode: list[str]) -> None:
    """Put `root` into training mode, except for the modules with these names."""
    root.train()
    modules = dict(root.named_modules())
    for name in in_evaluation_mode:
        if name in modules:
            modules[name].training = False
