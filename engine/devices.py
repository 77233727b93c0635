"""Which device to train on, and what this machine and its libraries are."""

from __future__ import annotations

import platform

import torch

from .data.factory import in_memory
from .errors import SettingError
from .tasks.task import Task

LITTLE = 1_000_000  # parameters times samples


def choose(name: str) -> torch.device:
    """Return the device called `name`; `auto` is the first of cuda, mps and cpu that is there. Raises SettingError."""
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


def describe(device: torch.device) -> str:
    """Return the device as a person would name it."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({threads} thread{'s' if threads > 1 else ''})"
    return str(device)


def useful_threads(task: Task, batch_size: int | None) -> int:
    """Return torch's number of threads, or one where a batch is so little work that a second one is only waited for.

    For iris' MLP on its full batch two threads take 1.25 times as long as one, and on a busy machine a hundred times.
    """
    tensors = in_memory(task.train)
    samples = batch_size or (len(tensors[0]) if tensors else 1)
    work = samples * sum(parameter.numel() for parameter in task.model.parameters())
    return 1 if work < LITTLE else torch.get_num_threads()


def versions() -> dict[str, str]:
    """Return the versions that decide whether the same bits come out again."""
    import numpy

    found = {"python": platform.python_version(), "torch": str(torch.__version__), "numpy": numpy.__version__}
    if torch.version.cuda:
        found["cuda"] = torch.version.cuda
    return {**found, "machine": f"{platform.system()} {platform.machine()}"}
