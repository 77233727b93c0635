"""Made-up results of `stoker evaluate`, and the text of a screen."""

from __future__ import annotations

import json

import pytest

from stoker.tui.app import app as apps
from stoker.tui.app.app import StokerApp
from stoker.tui.screens import results

ONE = {
    "run": "one", "checkpoint": "best.pt", "step": 540, "split": "test", "metrics": {"loss": 0.5, "accuracy": 0.75},
    "classes": ["cat", "dog"], "confusion": [[3, 1], [0, 4]],
    "per_class": [{"precision": 1.0, "recall": 0.75, "f1": 0.857, "support": 4},
                  {"precision": 0.8, "recall": 1.0, "f1": 0.889, "support": 4}],
}  # fmt: skip


FOLDS = {
    "run": "one", "checkpoint": "fold-0-best.pt, fold-1-best.pt", "step": 540, "split": "val",
    "metrics": {"loss": 0.5, "loss_std": 0.1, "accuracy": 0.75, "accuracy_std": 0.05},
    "folds": [{**ONE, "checkpoint": "fold-0-best.pt"}, {**ONE, "checkpoint": "fold-1-best.pt"}],
}  # fmt: skip


def text_of(app: StokerApp) -> str:
    """Return the text of the screen."""
    width, height = app.size
    return "\n".join(
        "".join(s.text for s in strip)[:width] for strip in app.screen._compositor.render_strips()[:height]
    )


def answers(monkeypatch: pytest.MonkeyPatch, answer: object) -> list[tuple[str, ...]]:
    """Replace the command-line process by this answer; return the list of its arguments."""
    asked: list[tuple[str, ...]] = []

    async def run_command(*arguments: str) -> str:
        asked.append(arguments)
        if isinstance(answer, Exception):
            raise answer
        return f"the task prints {{this}}\n{json.dumps(answer, indent=2)}\n"

    monkeypatch.setattr(results, "run_command", run_command)
    monkeypatch.setattr(apps, "run_command", run_command)
    return asked
