"""The panel of the machine: processors, memory, and each GPU with use, memory, temperature and power."""

from __future__ import annotations

import asyncio

from ..formatting import size
from ..state.gpu_stats import Gpu
from ..state.run_view import RunView
from ..state.styled_text import StyledRow
from ..state.system_stats import SystemReading, SystemStats
from .panel import Panel, bar, justify
from .sidebar import Sidebar

POLL_INTERVAL = 2.0  # seconds between two readings
FIRST_POLL = 0.3  # seconds until the first reading
BAR_WIDTH = 8  # columns
CORE_WIDTH = 32  # columns; a panel of at least this width shows "of a core"


class SystemPanel(Panel):
    """The use of the machine, read by a timer in a thread."""

    TITLE = "machine"

    def __init__(self, *, id: str) -> None:
        """Make an empty panel; reading starts when it is shown."""
        super().__init__(id=id)
        self._stats = SystemStats()
        self._reading: SystemReading | None = None
        self._last: tuple[RunView, float] | None = None

    def on_mount(self) -> None:
        """Start the timers."""
        self.set_interval(POLL_INTERVAL, self._poll)
        self.set_timer(FIRST_POLL, self._poll)

    def rows(self, view: RunView, now: float, width: int) -> list[StyledRow]:
        """Return the use of each GPU, of the processors, of the memory, and of the process that trains."""
        self._last = view, now
        if view.remote:
            return [[("trains on another machine", "$label")]]
        reading = self._reading
        self.heading = self.TITLE if view.alive else f"{self.TITLE} at the end"
        if reading is None:
            return [[("…", "$label")]] if view.alive else []
        several = len(reading.gpus) > 1
        gpus = [
            [_short(number, gpu, width)] if several else _gpu(number, gpu, width)
            for number, gpu in enumerate(reading.gpus)
        ]
        rows = [
            *(row for rows in gpus for row in rows),
            _row("CPU ", reading.cpu or 0.0, [(f"{_share(reading.cpu):>4}", "bold")], width),
            _row("RAM ", reading.used / max(1, reading.memory), _bytes(reading.used, reading.memory), width),
        ]
        if reading.own_memory is not None:
            words = " of a core" if width >= CORE_WIDTH else ""
            own: StyledRow = [
                (_share(reading.own_cpu), "bold"),
                (f"{words}  {size(reading.own_memory)}", "$label"),
            ]
            rows.append(justify([("training ", "$label")], own, width))
        return rows

    async def _poll(self) -> None:
        # Skip the reading when the panel is hidden, or when nothing trains here.
        if self._last is None or not self.is_on_screen:
            return
        view, now = self._last
        # Until the history is read, it is unknown whether an engine is alive.
        if view.remote or not view.alive or not view.caught_up:
            return
        pid, gpu = (view.started.pid, view.started.gpu) if view.started else (None, "")
        self._reading = await asyncio.to_thread(self._stats.read, pid, gpu)
        if isinstance(self.parent, Sidebar):
            self.parent.show(view, now)


def _gpu(number: int, gpu: Gpu, width: int) -> list[StyledRow]:
    facts = "  ".join(_temperature_and_power(gpu))
    name = gpu.name.removeprefix("NVIDIA ")
    rows = [justify([_label(number, gpu, "$label"), (name, "")], [(f" {facts}", "$label")], width)]
    if gpu.use is not None:
        rows.append(_row("use ", gpu.use, [(f"{gpu.use:4.0%}", "bold")], width))
    if gpu.used is not None and gpu.memory:
        rows.append(_row("mem ", gpu.used / gpu.memory, _bytes(gpu.used, gpu.memory), width))
    if gpu.own is not None:
        rows.append(justify([("training ", "$label")], [(size(gpu.own), "bold"), (" of it", "$label")], width))
    return rows


def _short(number: int, gpu: Gpu, width: int) -> StyledRow:
    """Return one of several GPUs on one row."""
    use = "" if gpu.use is None else f"{gpu.use:4.0%}"
    memory = "" if gpu.used is None or gpu.memory is None else f"{gpu.used / 1e9:.0f}/{gpu.memory / 1e9:.0f} GB"
    right = "  ".join(filter(None, (memory, *_temperature_and_power(gpu))))
    return justify([_label(number, gpu, "bold" if gpu.trains else "$label"), (use, "bold")], [(right, "$label")], width)


def _label(number: int, gpu: Gpu, style: str) -> tuple[str, str]:
    """Return the name of a GPU as NVIDIA's tools number it; the part of a GPU has no number."""
    if gpu.trains and gpu.number is None:
        return "MIG ", style
    return f"GPU {number if gpu.number is None else gpu.number} ", style


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _temperature_and_power(gpu: Gpu) -> list[str]:
    degrees = [] if gpu.degrees is None else [f"{gpu.degrees}°C"]
    return degrees if gpu.watts is None else [*degrees, f"{gpu.watts:.0f} W"]


def _row(name: str, share: float, right: StyledRow, width: int) -> StyledRow:
    # Only memory use is coloured: full memory ends a training, but a busy processor is normal.
    style = "$bad" if share >= 0.95 and name in ("RAM ", "mem ") else "$primary"
    room = width - len(name) - 1 - sum(len(text) for text, _ in right)
    return justify([(name, "$label"), *(bar(share, min(BAR_WIDTH, room), style) if room >= 3 else [])], right, width)


def _bytes(used: int, total: int) -> StyledRow:
    return [(f"{used / 1e9:.1f}", "bold"), (f" of {total / 1e9:.0f} GB", "$label")]
