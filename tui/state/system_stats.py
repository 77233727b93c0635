"""How busy the machine is: its processors, its memory, and its GPUs where NVIDIA's library finds any."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gpu:
    """One GPU: use as a share of 1, bytes, °C, W; what it does not tell is None."""

    name: str
    use: float | None = None
    used: int | None = None
    memory: int | None = None
    degrees: int | None = None
    watts: float | None = None


@dataclass(frozen=True)
class Reading:
    """Shares are of 1, sizes in bytes; `own` of the training's process, where it could be found.

    How busy processors are is None at the first reading: it is measured from one to the next.
    """

    cpu: float | None = None
    used: int = 0
    memory: int = 0
    own_cpu: float | None = None
    own_memory: int | None = None
    gpus: tuple[Gpu, ...] = ()


class Machine:
    """Reads this machine; for a thread, since the GPU's driver may take its time."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._process: Any = None
        self._times: tuple[float, float] | None = None
        self._nvml: Any = None
        self._looked = False

    def read(self, pid: int | None) -> Reading:
        """Return how it stands, and what process `pid` uses of it."""
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
        return Reading(
            self._cpu(psutil.cpu_times()),
            memory.total - memory.available,
            memory.total,
            own_cpu,
            own_memory,
            self._gpus(),
        )

    def _cpu(self, times: Any) -> float | None:
        # psutil's own percentage begins anew in each thread, with a 0 that nobody measured.
        before, idle = self._times, times.idle + getattr(times, "iowait", 0.0)
        # A guest's time is part of the user's.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        self._times = total, idle
        if before is None or total <= before[0]:
            return None
        return float(min(1.0, max(0.0, 1 - (idle - before[1]) / (total - before[0]))))

    def _gpus(self) -> tuple[Gpu, ...]:
        if not self._looked:
            self._looked = True
            # Without a driver, or without the library, there is no GPU to show.
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
        # A laptop's GPU has no power to tell, a virtual one no temperature.
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
