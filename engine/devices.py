"""Choose the device to train on."""

from __future__ import annotations

import functools
import platform
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from .errors import SettingError


def choose_device(name: str) -> torch.device:
    """Return the device called `name`: `cpu`, `cuda`, `cuda:N`, `mps`, or `auto` for the first available one.

    `auto` tries cuda, mps and cpu in this order. Raises SettingError if torch cannot use the device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if not count:
            raise SettingError(f"--device {name}: torch finds no CUDA device on this machine")
        if (device.index or 0) >= count:
            raise SettingError(f"--device {name}: this machine has {count} CUDA device(s), numbered from 0")
        device = torch.device("cuda", device.index or 0)
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise SettingError("--device mps: torch finds no Metal device on this machine")
    return device


def device_label(device: torch.device) -> str:
    """Return the device in words: `cpu (2 threads)`, `cuda:0 (NVIDIA H100)`."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({threads} thread{'s' if threads > 1 else ''})"
    return str(device)


@functools.cache
def hardware(device: torch.device) -> dict[str, str]:
    """Return `cpu_capability`, the instructions that torch uses, and `device_name`: other ones may change last bits."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {"cpu_capability": torch.backends.cpu.get_cpu_capability(), "device_name": name}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Return torch's autocast context for `bf16` or `fp16` on `device`; for `fp32` one that does nothing."""
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
    return torch.autocast(device.type, half) if half else nullcontext()
