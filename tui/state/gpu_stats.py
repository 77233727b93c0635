"""The use of the GPUs that NVIDIA's library finds, the one that trains the run first."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gpu:
    """One GPU: `use` from 0 to 1, `used` and `memory` in bytes, °C, W; None for a value that it does not report."""

    name: str
    use: float | None = None
    used: int | None = None
    memory: int | None = None
    degrees: int | None = None
    watts: float | None = None
    number: int | None = None
    """Its number in NVIDIA's tools; None for a part of a GPU (MIG)."""
    trains: bool = False
    """The run trains on it."""
    own: int | None = None
    """Bytes that the training process has there; None if the system does not tell."""


class GpuStats:
    """Reads the use of the GPUs. A driver may be slow, so call it in a thread."""

    def __init__(self) -> None:
        """Load no library yet."""
        self._nvml: Any = None
        self._tried = False

    def read(self, uuid: str, pid: int | None) -> tuple[Gpu, ...]:
        """Return all GPUs of this machine; first the one called `uuid`, on which the process `pid` trains.

        A GPU that refuses to answer, as in some containers, is left out and hides no other.
        """
        if not self._tried:
            self._tried = True
            # Without the driver or the library there is no GPU to show.
            with contextlib.suppress(Exception):
                import pynvml

                pynvml.nvmlInit()
                self._nvml = pynvml
        nvml = self._nvml
        if nvml is None:
            return ()
        handles = dict(self._handles())
        found: list[Gpu] = []
        own = next((name for name in (uuid, f"GPU-{uuid}") if uuid and name in handles), None)
        if own is None and uuid:
            # A part of a GPU is not among them.
            with contextlib.suppress(nvml.NVMLError):
                part = uuid if uuid.startswith("MIG-") else f"MIG-{uuid}"
                found.append(_gpu(nvml, nvml.nvmlDeviceGetHandleByUUID(part), None, pid))
        for name, (number, handle) in handles.items():
            gpu = _gpu(nvml, handle, number, pid if name == own else None)
            found.insert(0 if name == own else len(found), gpu)
        return tuple(found)

    def _handles(self) -> list[tuple[str, tuple[int, Any]]]:
        """Return (UUID, (number, handle)) of each GPU that answers."""
        nvml, found = self._nvml, []
        try:
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError:
            return []
        for number in range(count):
            with contextlib.suppress(nvml.NVMLError):
                handle = nvml.nvmlDeviceGetHandleByIndex(number)
                uuid = nvml.nvmlDeviceGetUUID(handle)
                found.append((uuid.decode() if isinstance(uuid, bytes) else uuid, (number, handle)))
        return found


def _gpu(nvml: Any, handle: Any, number: int | None, pid: int | None) -> Gpu:
    """Return the reading of one GPU; `pid` is given for the one that trains."""

    def ask(function: str, *arguments: int) -> Any:
        # Not every GPU reports everything: laptops lack the power, virtual GPUs the temperature.
        try:
            return getattr(nvml, function)(handle, *arguments)
        except nvml.NVMLError:
            return None

    use, memory, power = (
        ask("nvmlDeviceGetUtilizationRates"),
        ask("nvmlDeviceGetMemoryInfo"),
        ask("nvmlDeviceGetPowerUsage"),
    )
    name = ask("nvmlDeviceGetName") or f"GPU {number}"
    processes = ask("nvmlDeviceGetComputeRunningProcesses") or [] if pid else []
    own = next((process.usedGpuMemory for process in processes if process.pid == pid), None)
    return Gpu(
        name.decode() if isinstance(name, bytes) else str(name),
        None if use is None else use.gpu / 100,
        None if memory is None else int(memory.used),
        None if memory is None else int(memory.total),
        ask("nvmlDeviceGetTemperature", nvml.NVML_TEMPERATURE_GPU),
        None if power is None else power / 1000,
        number,
        pid is not None,
        own,
    )
