"""The use of this machine: processors, memory, and the GPUs that NVIDIA's library finds."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from .gpu_stats import Gpu, GpuStats


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
        self._gpus = GpuStats()

    def read(self, pid: int | None, gpu: str = "") -> SystemReading:
        """Return the use of the machine, and of the process `pid`, which trains on the GPU with the UUID `gpu`."""
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
            self._gpus.read(gpu, pid),
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
