"""A fake CUDA device for machines without one, so that the engine's code for devices runs in tests.

Tensors stay in the host's memory. A table says which storages are "on cuda:N", and every operation carries the mark to
its results. Inside `with FakeCuda() as device:` and in the same thread, torch behaves as if the device were there:

- an operation on tensors of two devices raises, as CUDA does;
- each synchronisation is counted in `waits`, with the line of the engine that caused it;
- each kernel is counted in `operations`;
- random numbers come from the device's own generator;
- with `room` bytes of memory, the next tensor that does not fit raises OutOfMemoryError;
- with `broken` set, every synchronisation raises, as after a failed assertion on the device;
- `alive()` lists what is on the device, and the line that put it there.

It cannot show races of streams, the bits of real kernels, speed, or memory that libraries take.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any, Self

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from stoker.engine import devices
from stoker.engine.accelerator import copy_stream
from tests.support.fake_cuda_answers import answers, check_torch
from tests.support.fake_cuda_dispatch import DispatchBelow
from tests.support.fake_cuda_memory import FakeMemory, FakeStream, engine_line

FACTORIES_THAT_DRAW = ("rand", "randn", "randint", "randperm", "normal")


class FakeCuda(FakeMemory, TorchFunctionMode):
    """Pretends to have `count` devices, each with `room` bytes of memory, or without a limit."""

    def __init__(self, count: int = 2, *, room: int | None = None) -> None:
        check_torch()
        FakeMemory.__init__(self, room=room)
        TorchFunctionMode.__init__(self)
        self.count, self.broken = count, False
        self.waits: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.event_waits: list[str] = []
        """Names of the threads that waited for an event."""
        self.stream = FakeStream()
        """The stream that computes."""
        self.streams: list[str] = []
        """Other streams on which something was done."""
        self.generators = tuple(torch.Generator() for _ in range(count))
        self._below = DispatchBelow(self)
        self._stack = contextlib.ExitStack()

    # ---- what the host does -------------------------------------------------------------------------------------------

    def wait(self, what: str) -> None:
        """Count a synchronisation."""
        self.waits[f"{what} < {engine_line()}"] += 1
        self.check()

    def on_stream(self, stream: str) -> contextlib.AbstractContextManager[None]:
        """Return a context in which the device works on another stream."""
        self.streams.append(stream)
        return contextlib.nullcontext()

    def check(self) -> None:
        """Raise if the device is broken."""
        if self.broken:
            raise torch.AcceleratorError("CUDA error: device-side assert triggered")

    # ---- torch's functions ----------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        for patch in answers(self):
            self._stack.enter_context(patch)
        self._stack.enter_context(self._below)
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._stack.close()
        # What the engine keeps for a device is this one's.
        devices.hardware.cache_clear()
        copy_stream._stream.cache_clear()

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs, name = dict(kwargs or {}), getattr(func, "__name__", "")
        if func == Tensor.device.__get__:  # type: ignore[attr-defined]
            return self.place(args[0])
        if func == Tensor.is_cuda.__get__:  # type: ignore[attr-defined]
            return self.place(args[0]).type == "cuda"
        if func in (Tensor.to, Tensor.cuda, Tensor.cpu):
            return self._to(name, args, kwargs)
        if func in (Tensor.tolist, Tensor.numpy, Tensor.__array__) and self.place(args[0]).type == self.kind:
            if func != Tensor.tolist:
                raise TypeError(f"can't convert {self.kind} device type tensor to numpy")
            self.wait("tolist")
        if kwargs.pop("pin_memory", False):
            return self.pin(self.forget(func(*args, **kwargs)))
        wanted = kwargs.get("device")
        if wanted is None or isinstance(wanted, int) or torch.device(wanted).type != self.kind:
            return func(*args, **kwargs)
        if name in FACTORIES_THAT_DRAW:
            kwargs.setdefault("generator", self.generators[self.number(wanted)])
        return self.put(func(*args, **{**kwargs, "device": "cpu"}), torch.device(wanted))

    def _to(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """Do what `to`, `cuda` or `cpu` of a tensor does."""
        tensor, *rest = args
        before = self.place(tensor)
        if name == "cpu":
            rest, kwargs = ["cpu"], {}
        elif name == "cuda":
            rest, kwargs = [torch.device("cuda", self.number(rest[0] if rest else None))], {}
        if rest and isinstance(rest[0], Tensor):
            rest = [self.place(rest[0]), rest[0].dtype, *rest[1:]]
        named = kwargs.get("device") or next((r for r in rest if isinstance(r, str | torch.device)), before)
        device = torch.device(named)
        if device.type == self.kind:
            device = torch.device(self.kind, self.number(device))
        here = ["cpu" if isinstance(r, str | torch.device) else r for r in rest]
        if "device" in kwargs:
            kwargs["device"] = "cpu"
        if device == before:
            return tensor.to(*here, **kwargs)
        copied = tensor.to(*here, **{**kwargs, "copy": True})
        if device.type != "cpu":
            return self.put(copied, device)
        if not kwargs.get("non_blocking"):
            self.wait("copy to the host")
        return self.forget(copied)


class FakeMps(FakeCuda):
    """Pretends to have one Metal device."""

    kind = "mps"

    def __init__(self, *, room: int | None = None) -> None:
        super().__init__(1, room=room)
