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
    """Shares are of 1, sizes in bytes; `own` of the training's process, where it could be found."""

    cpu: float = 0.0
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
        self._nvml: Any = None
        self._looked = False

    def read(self, pid: int | None) -> Reading:
        """Return how it stands, and what process `pid` uses of it."""
        import psutil

        memory = psutil.virtual_memory()
        own_cpu = own_memory = None
        if pid:
            with contextlib.suppress(psutil.Error):
                if self._process is None or self._process.pid != pid:
                    self._process = psutil.Process(pid)
                own_cpu = self._process.cpu_percent() / 100
                own_memory = self._process.memory_info().rss
        return Reading(
            psutil.cpu_percent() / 100, memory.total - memory.available, memory.total, own_cpu, own_memory, self._gpus()
        )

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
