"""NVIDIA's management library: the driver's version, and the free memory of GPUs, without using them.

torch would have to start CUDA on each GPU to learn its free memory, which takes some hundred megabytes there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


def driver_version() -> str | None:
    """Return the version of NVIDIA's driver; None without one."""
    version = None
    with _library() as nvml:
        if nvml is not None:
            version = nvml.nvmlSystemGetDriverVersion()
    return version.decode() if isinstance(version, bytes) else version


def free_memory(uuids: list[str]) -> list[int | None]:
    """Return the free bytes of each GPU with these UUIDs, as torch gives them; None for one that does not tell."""
    found: list[int | None] = []
    for uuid in uuids:
        free = None
        # The error is suppressed inside: a GPU that refuses hides no other.
        with _library() as nvml:
            if nvml is not None:
                free = int(nvml.nvmlDeviceGetMemoryInfo(handle(nvml, uuid)).free)
        found.append(free)
    return found


def handle(nvml: Any, uuid: str) -> Any:
    """Return NVML's handle of the GPU, or part of one, with this UUID. Raises NVMLError."""
    if uuid.startswith(("GPU-", "MIG-")):
        return nvml.nvmlDeviceGetHandleByUUID(uuid)
    try:
        return nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    except nvml.NVMLError:
        return nvml.nvmlDeviceGetHandleByUUID(f"MIG-{uuid}")


@contextlib.contextmanager
def _library() -> Iterator[Any]:
    """Give the library, or None without a driver; an error of it ends the block."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no library, no driver, or one of another version
        yield None
        return
    with contextlib.suppress(pynvml.NVMLError):
        yield pynvml
