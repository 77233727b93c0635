"""Values that a user's loop logs at each step, kept on the device and read many at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import RequestError
from ..runs.events import Steps

Value = Tensor | float


class StepLog:
    """Collects the values of each step until `drain`."""

    def __init__(self) -> None:
        """Start empty."""
        self.waited = 0.0
        """Seconds that the loop waited for data since the last `drain`."""
        self.logged = False
        """Whether anything was ever added."""
        self._now: dict[str, Value] = {}
        self._again: dict[str, int] = {}
        """How often a value of this step was added to an earlier one of its name."""
        self._steps: list[dict[str, Value]] = []
        self._last = self._samples = 0
        self._since = time.monotonic()

    def add(self, values: Mapping[str, Any]) -> None:
        """Add values of the current step. Raises RequestError for what is no number or tensor ()."""
        now, self.logged = self._now, True
        for name, given in values.items():
            value = given if type(given) is float else _checked(name, given)
            if name in now:
                now[name] = now[name] + value
                self._again[name] = self._again.get(name, 0) + 1
            else:
                now[name] = value

    def close_step(self, step: int, samples: int) -> None:
        """End the steps up to `step`, the number of optimizer steps so far: the values belong to the last of them."""
        self._samples += samples
        missing = step - self._last - 1
        if missing < 0:
            return
        if missing:
            self._steps += [{} for _ in range(missing)]
        if self._again:
            # Of several batches in one step, as with accumulation, their mean.
            for name, more in self._again.items():
                self._now[name] = self._now[name] / (1 + more)
            self._again = {}
        self._steps.append(self._now)
        self._now, self._last = {}, step

    def start_at(self, step: int) -> None:
        """Continue after `step`."""
        self._last = step

    def drain(self, epoch: int, lr: list[float]) -> tuple[Steps | None, int | None]:
        """Return the steps so far as an event, and the first step whose loss is not finite. Synchronises the device."""
        if not self._steps:
            return None, None
        steps = _read(self._steps)
        first = self._last - len(steps) + 1
        now = time.monotonic()
        seconds = max(now - self._since, 1e-9)
        names = dict.fromkeys(name for values in steps for name in values if name != "loss")
        bad = next((first + i for i, v in enumerate(steps) if not math.isfinite(v.get("loss", 0.0))), None)
        event = Steps(
            first=first,
            step=self._last,
            epoch=epoch,
            losses=[values.get("loss", math.nan) for values in steps],
            lr=lr,
            samples_per_second=self._samples / seconds,
            scalars={name: [values.get(name) for values in steps] for name in names},
            data_wait=min(1.0, self.waited / seconds),
        )
        self._steps, self._samples, self.waited, self._since = [], 0, 0.0, now
        return event, bad

    def restart_clock(self) -> None:
        """Leave the time of a pause or an evaluation out of the throughput."""
        self._since, self.waited = time.monotonic(), 0.0


def _checked(name: str, value: Any) -> Value:
    """Return a number, or a copy of a tensor: CUDA graphs and in-place operations reuse the memory of outputs."""
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise RequestError(f"run.log({name}=…): a tensor of shape {tuple(value.shape)} is not one number")
        return value.item() if value.device.type == "cpu" else value.detach().clone().reshape(())
    try:
        return float(value)
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise RequestError(f"run.log({name}=…): a {kind} is not a number; run.text(title, text) records text") from None


def _read(steps: list[dict[str, Value]]) -> list[dict[str, float]]:
    """Return the values as floats; those on a device are read together."""
    tensors = [value for values in steps for value in values.values() if isinstance(value, Tensor)]
    if not tensors:
        return steps  # type: ignore[return-value]
    numbers = iter(torch.stack([tensor.float() for tensor in tensors]).tolist())
    return [{n: next(numbers) if isinstance(v, Tensor) else v for n, v in values.items()} for values in steps]
