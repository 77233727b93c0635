"""A judgement of a training: its kind, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["improving", "flat", "overfitting", "diverged", "noisy", "worsening"]


@dataclass(frozen=True)
class Verdict:
    """A judgement of a run."""

    kind: Kind
    text: str
    """The judgement in words, without a full stop."""


def short(number: float) -> str:
    """Return a number with three digits, for the sentence."""
    return f"{float(number):.3g}"
