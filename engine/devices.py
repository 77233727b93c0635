"""Choose the device to train on, and describe it."""

from __future__ import annotations

import functools
import platform
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from .accelerator import nvml
from .errors import SettingError


def choose_device(name: str) -> torch.device:
    """Return the device called `name`: `cpu`, `cuda`, `cuda:N`, `mps`, or `auto` for the first available one.

    `auto` tries cuda, mps and cpu in this order; of several GPUs it takes the one with the most free memory. Raises
    SettingError if torch cannot use the device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", _freest())
        name = "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if not count:
            raise SettingError(
                f"--device {name}: torch finds no CUDA device on this machine; `--device cpu` needs none"
            )
        if (device.index or 0) >= count:
            raise SettingError(f"--device {name}: this machine has {count} CUDA device(s), numbered from 0")
        device = torch.device("cuda", device.index or 0)
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise SettingError("--device mps: torch finds no Metal device on this machine")
    return device


def _freest() -> int:
    """Return the number of the CUDA device with the most free memory; 0 where they do not tell."""
    count = torch.cuda.device_count()
    if count < 2:
        return 0
    free = nvml.free_memory([gpu_uuid(torch.device("cuda", number)) for number in range(count)])
    return max(range(count), key=lambda number: free[number] or 0)


def gpu_uuid(device: torch.device) -> str:
    """Return the UUID of a CUDA device, by which other programs know it; empty for another device."""
    if device.type != "cuda":
        return ""
    return str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))


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
    """Return the hardware and drivers that decide the last bits.

    They are `cpu_capability`, the instructions that torch uses, and `device_name`; for a CUDA device also its
    `compute_capability`, the number of its `multiprocessors`, on which dropout's masks depend, and the versions of
    `cudnn` and `driver`.
    """
    cpu = {"cpu_capability": torch.backends.cpu.get_cpu_capability()}
    if device.type != "cuda":
        return {**cpu, "device_name": _processor()}
    properties = torch.cuda.get_device_properties(device)
    return {
        **cpu,
        "device_name": torch.cuda.get_device_name(device),
        "compute_capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": str(properties.multi_processor_count),
        "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        "driver": nvml.driver_version() or "unknown",
    }


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
