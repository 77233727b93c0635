"""The part of the fake device below autograd: it sees the operations that torch's own C++ starts, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from tests.support.fake_cuda import FakeCuda

# After these the host must know a size or a value, so it waits for the device.
WAITS = {
    "_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive", "bincount",
    "equal", "is_nonzero", "repeat_interleave",
}  # fmt: skip
MAY_MIX = {"copy_", "_to_copy", "set_", "resize_", "index", "index_put", "index_put_", "_index_put_impl_"}


class DispatchBelow(TorchDispatchMode):
    """Carries the marks of storages to results, refuses mixtures, and counts kernels and synchronisations."""

    def __init__(self, device: FakeCuda) -> None:
        super().__init__()
        self._fake = device

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs, fake, name = kwargs or {}, self._fake, func.overloadpacket.__name__
        if name == "is_pinned":
            return False
        if name == "_pin_memory":
            return fake.pin(args[0].clone())
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        device = next((place for tensor in tensors if (place := fake.place(tensor)).type == fake.kind), None)
        if device is None:
            return func(*args, **kwargs)
        # CUDA kernels take a number () of the host.
        places = {fake.place(tensor) for tensor in tensors if tensor.dim()}
        if len(places) > 1 and name not in MAY_MIX:
            found = ", ".join(sorted(map(str, places)))
            raise RuntimeError(f"Expected all tensors to be on the same device, but found {found} in {name}")
        by_mask = name == "index" and any(i is not None and i.dtype == torch.bool for i in args[1])
        if name in WAITS or by_mask:
            fake.wait(name)
        if name == "copy_" and fake.place(args[0]).type == "cpu":
            # Into pinned memory the device copies by itself, in the order of its stream.
            blocking = not (kwargs.get("non_blocking") or any(args[2:]))
            if blocking or not fake.is_pinned(args[0]):
                fake.wait("copy to the host")
        if not func.is_view:
            fake.operations[name] += 1
        out = self._run(func, args, kwargs, device)
        # Only what is new: what an operation changed in place stays where it was.
        known = {tensor.untyped_storage()._cdata for tensor in tensors}
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor) and leaf.untyped_storage()._cdata not in known:
                fake.put(leaf, device)
        return out

    def _run(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], device: torch.device) -> Any:
        if torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **kwargs)
        host, own = torch.default_generator.get_state(), self._fake.generators[device.index or 0]
        torch.default_generator.set_state(own.get_state())
        try:
            return func(*args, **kwargs)
        finally:
            own.set_state(torch.default_generator.get_state())
            torch.default_generator.set_state(host)
