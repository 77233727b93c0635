"""The use of this machine: processors, memory, and the GPUs that NVIDIA's library finds."""

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


@dataclass(frozen=True)
class SystemReading:
    """One reading: shares from 0 to 1, sizes in bytes; `own_…` belong to the process that trains, if it was found.

    `cpu` and `own_cpu` are measured between two readings, so they are None in the first one.
    """

    cpu: float | None = None
    used: int = 0
    memory: int = 0
    own_cpu: float | None = None
    own_memory: int | None = None
    gpus: tuple[Gpu, ...] = ()


class SystemStats:
    """Reads the use of this machine. A GPU driver may be slow, so call it in a thread."""

    def __init__(self) -> None:
        """Load no library yet."""
        self._process: Any = None
        self._times: tuple[float, float] | None = None
        self._nvml: Any = None
        self._nvml_tried = False

    def read(self, pid: int | None) -> SystemReading:
        """Return the use of the machine, and of the process `pid`."""
        import psutil

        memory = psutil.virtual_memory()
        own_cpu = own_memory = None
        if pid:
            with contextlib.suppress(psutil.Error):
                known = self._process is not None and self._process.pid == pid
                if not known:
                    self._process = psutil.Process(pid)
                own_memory = self._process.memory_info().rss
                measured = self._process.cpu_percent() / 100
                own_cpu = measured if known else None
        return SystemReading(
            self._cpu(psutil.cpu_times()),
            memory.total - memory.available,
            memory.total,
            own_cpu,
            own_memory,
            self._gpus(),
        )

    def _cpu(self, times: Any) -> float | None:
        # psutil's own percentage starts again in each thread, with a wrong 0.
        before, idle = self._times, times.idle + getattr(times, "iowait", 0.0)
        # Guest time is counted in user time already.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        self._times = total, idle
        if before is None or total <= before[0]:
            return None
        return float(min(1.0, max(0.0, 1 - (idle - before[1]) / (total - before[0]))))

    def _gpus(self) -> tuple[Gpu, ...]:
        if not self._nvml_tried:
            self._nvml_tried = True
            # Without the driver or the library there is no GPU to show.
            with contextlib.suppress(Exception):
                import pynvml

                pynvml.nvmlInit()
                self._nvml = pynvml
        if self._nvml is None:
            return ()
        try:
            return tuple(_gpu(self._nvml, number) for number in range(self._nvml.nvmlDeviceGetCount()))
        except self._nvml.NVMLError:
            return ()


def _gpu(nvml: Any, number: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(number)

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
    return Gpu(
        name.decode() if isinstance(name, bytes) else str(name),
        None if use is None else use.gpu / 100,
        None if memory is None else int(memory.used),
        None if memory is None else int(memory.total),
        ask("nvmlDeviceGetTemperature", nvml.NVML_TEMPERATURE_GPU),
        None if power is None else power / 1000,
    )
