"""The options of every part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The device to measure, and whether to take sizes so small that figures mean nothing."""

    device: str = "cuda"
    quick: bool = False
