"""A false `pynvml`, the module of NVIDIA's management library."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any


class NVMLError(Exception):
    """The error of the library."""


class FakeNvml(ModuleType):
    """Knows GPUs by UUID, in the order of `free`, with that many free bytes of 100; those in `lost` refuse."""

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, free: dict[str, int]) -> None:
        super().__init__("pynvml")
        self.free, self.lost = free, set[str]()

    def nvmlInit(self) -> None:  # noqa: N802
        """Do nothing."""

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "550.54"

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.free)

    def nvmlDeviceGetHandleByIndex(self, number: int) -> str:  # noqa: N802
        return self._known(list(self.free)[number])

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        return self._known(uuid)

    def nvmlDeviceGetUUID(self, handle: str) -> str:  # noqa: N802
        return self._known(handle)

    def nvmlDeviceGetName(self, handle: str) -> str:  # noqa: N802
        return f"NVIDIA {self._known(handle)}"

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> Any:  # noqa: N802
        free = self.free[self._known(handle)]
        return SimpleNamespace(free=free, used=100 - free, total=100)

    def nvmlDeviceGetUtilizationRates(self, handle: str) -> Any:  # noqa: N802
        if handle.startswith("MIG-"):
            raise NVMLError("Not Supported")
        return SimpleNamespace(gpu=50)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[Any]:  # noqa: N802
        return [SimpleNamespace(pid=7, usedGpuMemory=5)]

    def nvmlDeviceGetPowerUsage(self, handle: str) -> int:  # noqa: N802
        return 100_000

    def nvmlDeviceGetTemperature(self, handle: str, kind: int) -> int:  # noqa: N802
        return 60

    def _known(self, uuid: str) -> str:
        if uuid not in self.free or uuid in self.lost:
            raise NVMLError("Not Found")
        return uuid
