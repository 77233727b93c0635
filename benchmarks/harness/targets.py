"""The rows of the table: a figure, what it is measured against, and its target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure of one benchmark; the target is met by a median from `least` to `most`."""

    what: str
    against: str
    benchmark: str
    figure: str
    target: str
    most: float = float("inf")
    least: float = float("-inf")
    unit: str = ""
    peers: tuple[str, str] | None = None
    """A second benchmark and the name of the figure that its peers are compared by."""

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """The benchmarks whose results the row shows."""
        return (self.benchmark, *(self.peers or ())[:1])


BARE_LOOP = "the bare PyTorch loop, one thread each"
PLAIN_SCRIPT = "the plain script with torchvision's dataset and DataLoader"

ROWS = (
    Row(
        "`iris`, 20,000 epochs, dashboard open at 120×40",
        BARE_LOOP,
        "iris",
        "dashboard_to_bare",
        "≤ 1.00",
        1.0,
        unit="×",
    ),
    Row("frames drawn by that dashboard", "", "iris", "frames_a_second", "≥ 4/s", least=4, unit="/s"),
    Row(
        "`iris`, headless", BARE_LOOP, "iris", "headless_to_bare", "≤ 0.95", 0.95, unit="×", peers=("peers", "to_bare")
    ),
    Row("`mnist`, one epoch, dashboard open", PLAIN_SCRIPT, "mnist", "dashboard_to_bare", "≤ 0.6", 0.6, unit="×"),
    Row("first frame of `stoker run`", "", "first_frame", "seconds", "≤ 0.6 s", 0.6, unit=" s"),
    Row(
        "opening a finished run of 100,000 steps",
        *("the same curve, side by side:", "opening", "seconds_of_100000_steps", "≤ 1.0 s", 1.0),
        unit=" s",
        peers=("viewers", "seconds_to_open"),
    ),
    Row("… of 1,000,000 steps", "", "opening", "seconds_of_1000000_steps", "≤ 2.5 s", 2.5, unit=" s"),
    Row(
        "bytes to the terminal at 50 steps/s, 140×42",
        *("the same, side by side:", "terminal_bytes", "bytes_a_second", "≤ 2 KB/s", 2000),
        unit=" B/s",
        peers=("viewers", "bytes_a_second"),
    ),
    Row(
        "a finished run on the screen: bytes",
        *("the same, side by side:", "idle", "bytes_a_second", "0 B/s", 0),
        unit=" B/s",
        peers=("viewers", "idle_bytes_a_second"),
    ),
    Row(
        "a finished run on the screen: share of a core",
        *("the same, side by side:", "idle", "percent_of_a_core", "≤ 1 %", 1),
        unit=" %",
        peers=("viewers", "idle_percent_of_a_core"),
    ),
    Row("training's wait for a save of 1 GB", "`torch.save` in place", "save_wait", "ratio", "≤ 0.15", 0.15, unit="×"),
    Row("engine's own cost per step", "", "step_cost", "microseconds", "≤ 10 µs", 10, unit=" µs"),
    Row(
        "steps/s with a terminal that is never read",
        "headless",
        "unread",
        "unread_to_headless",
        "≥ 0.95",
        least=0.95,
        unit="×",
    ),
    Row(
        "key to its effect on the screen, 99th percentile, in the training process",
        "",
        "latency",
        "in_process_99th_ms",
        "≤ 150 ms",
        150,
        unit=" ms",
    ),
    Row(
        "key to its effect on the screen, 99th percentile, attached",
        "",
        "latency",
        "attached_99th_ms",
        "≤ 150 ms",
        150,
        unit=" ms",
    ),
    Row("memory of a dashboard of 10,000,000 steps", "", "memory", "long_run_MiB", "≤ 190 MiB", 190, unit=" MiB"),
    Row("100 × `kill -9` while saving: resumes that failed", "", "kill_nine", "resumes_that_failed", "0", 0),
)
