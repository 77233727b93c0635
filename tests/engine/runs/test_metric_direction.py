"""Whether a metric is better when it is higher or lower."""

from __future__ import annotations

import pytest

from stoker.engine.runs.metric_direction import direction, lower_is_better


@pytest.mark.parametrize(
    ("name", "directions", "expected"),
    [
        ("loss", {}, "lower"),
        ("box_loss", {}, "lower"),
        ("accuracy", {}, "higher"),
        ("zorp", {}, None),
        ("zorp", {"zorp": "lower"}, "lower"),
        ("mae", {"mae": "higher"}, "higher"),
        ("zorp_3", {"zorp": "lower"}, "lower"),
        ("zorp_up_3", {"zorp": "lower", "zorp_up": "higher"}, "higher"),
        ("loss", {"loss": "of a later version"}, "lower"),
    ],
)
def test_the_run_decides_before_the_name(name: str, directions: dict[str, str], expected: str | None) -> None:
    """A part of a metric with several values has the direction of the metric."""
    assert direction(name, directions) == expected


def test_only_known_names_fall() -> None:
    """A name alone: losses and errors fall, everything else rises."""
    assert [name for name in ("loss", "mse", "dice_loss", "accuracy", "zorp") if lower_is_better(name)] == [
        "loss",
        "mse",
        "dice_loss",
    ]
