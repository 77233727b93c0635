"""The machine: processors, memory, and each GPU with its use, memory, temperature and power."""

from __future__ import annotations

import asyncio

from ..formatting import size
from ..state.run_view import RunView
from ..state.system_stats import Gpu, Machine, Reading
from .panel import Panel, Part, bar, spread

EVERY = 2.0  # seconds between two readings
SOON = 0.3  # seconds to the first
BAR = 8  # columns
OF_A_CORE = 32  # columns from which there is room to say so


class MachinePanel(Panel):
    """What the machine is busy with; it reads on a clock of its own, in a thread."""

    TITLE = "machine"

    def __init__(self, *, id: str) -> None:
        """Read nothing before it is shown."""
        super().__init__(id=id)
        self._machine = Machine()
        self._reading: Reading | None = None
        self._last: tuple[RunView, float] | None = None

    def on_mount(self) -> None:
        """Start the clock."""
        self.set_interval(EVERY, self._look)
        self.set_timer(SOON, self._look)

    def rows(self, view: RunView, now: float, width: int) -> list[list[Part]]:
        """Return the use of each GPU, then of the processors and of the memory."""
        self._last = view, now
        if view.elsewhere:
            return [[("not this one", "$label")]]
        reading = self._reading
        title = self.TITLE if view.alive else f"{self.TITLE} at the end"
        if title != self.border_title:  # said again, it would draw the panel again
            self.border_title = title
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
            words = " of a core" if width >= OF_A_CORE else ""
            own: list[Part] = [
                (_share(reading.own_cpu), "bold"),
                (f"{words}  {size(reading.own_memory)}", "$label"),
            ]
            rows.append(spread([("training ", "$label")], own, width))
        return rows

    async def _look(self) -> None:
        # Nobody sees it on a small screen, or with another screen before it; and where nothing trains, nothing is sent.
        if self._last is None or not self.is_on_screen:
            return
        view, now = self._last
        # Whether an engine is there is not known before the whole history is.
        if view.elsewhere or not view.alive or not view.caught:
            return
        pid = view.started.pid if view.started else None
        self._reading = await asyncio.to_thread(self._machine.read, pid)
        self.show(view, now)


def _gpu(number: int, gpu: Gpu, width: int) -> list[list[Part]]:
    facts = "  ".join(_heat(gpu))
    rows = [
        spread([(f"GPU {number} ", "$label"), (gpu.name.removeprefix("NVIDIA "), "")], [(f" {facts}", "$label")], width)
    ]
    if gpu.use is not None:
        rows.append(_row("use ", gpu.use, [(f"{gpu.use:4.0%}", "bold")], width))
    if gpu.used is not None and gpu.memory:
        rows.append(_row("mem ", gpu.used / gpu.memory, _bytes(gpu.used, gpu.memory), width))
    return rows


def _short(number: int, gpu: Gpu, width: int) -> list[Part]:
    """Return one of several on a single row."""
    use = "" if gpu.use is None else f"{gpu.use:4.0%}"
    memory = "" if gpu.used is None or gpu.memory is None else f"{gpu.used / 1e9:.0f}/{gpu.memory / 1e9:.0f} GB"
    right = "  ".join(filter(None, (memory, *_heat(gpu))))
    return spread([(f"GPU {number} ", "$label"), (use, "bold")], [(right, "$label")], width)


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _heat(gpu: Gpu) -> list[str]:
    degrees = [] if gpu.degrees is None else [f"{gpu.degrees}°C"]
    return degrees if gpu.watts is None else [*degrees, f"{gpu.watts:.0f} W"]


def _row(name: str, share: float, right: list[Part], width: int) -> list[Part]:
    # Full memory ends a training; a busy processor is what it is for.
    style = "$bad" if share >= 0.95 and name in ("RAM ", "mem ") else "$primary"
    room = width - len(name) - 1 - sum(len(text) for text, _ in right)
    return spread([(name, "$label"), *(bar(share, min(BAR, room), style) if room >= 3 else [])], right, width)


def _bytes(used: int, total: int) -> list[Part]:
    return [(f"{used / 1e9:.1f}", "bold"), (f" of {total / 1e9:.0f} GB", "$label")]
