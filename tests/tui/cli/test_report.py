"""The commands that report on runs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stoker.engine.evaluation import checkpoint_evaluation
from stoker.engine.runs import folder as runs
from stoker.tui.cli.report import evaluate


def test_evaluation_as_json_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON has no NaN: it is a string, as in events.jsonl."""
    runs.create(tmp_path, "iris", "one", {})

    def result(*_: Any) -> dict[str, Any]:
        return {"run": "one", "metrics": {"loss": math.nan, "mse": math.inf, "accuracy": 0.5}}

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    monkeypatch.setattr(checkpoint_evaluation, "evaluate", result)
    done = CliRunner().invoke(evaluate, ["one", "--runs", str(tmp_path), "--json"], standalone_mode=False)
    found = json.loads(done.output, parse_constant=refuse)
    assert found["metrics"] == {"loss": "NaN", "mse": "Infinity", "accuracy": 0.5}
