"""Ticks of the axes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.tui.plotting import ticks


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.98, 1.0, ["0.980", "0.985", "0.990", "0.995", "1.000"]),
        (-2, 2, ["-2", "-1", "0", "1", "2"]),
        (0, 4e7, ["0", "1e7", "2e7", "3e7", "4e7"]),
        (2e-5, 1e-4, ["2e-5", "4e-5", "6e-5", "8e-5", "1.0e-4"]),
        (9.985e-4, 9.995e-4, ["9.986e-4", "9.988e-4", "9.990e-4", "9.992e-4", "9.994e-4"]),
        (9.99e-4, 1.001e-3, ["0.0009990", "0.0009995", "0.0010000", "0.0010005", "0.0010010"]),
    ],
)
def test_linear_ticks_are_round(low: float, high: float, labels: list[str]) -> None:
    """Ticks are multiples of 1, 2 or 5 with no needless digits."""
    assert [label for _, label in ticks.linear(low, high, 5)] == labels


def test_step_numbers_are_short_and_whole() -> None:
    """Labels are short, and no tick is half a step."""
    assert [label for _, label in ticks.steps(0, 2000, 4)] == ["0", "500", "1k", "1.5k", "2k"]
    assert [label for _, label in ticks.steps(0, 2, 10)] == ["0", "1", "2"]


def test_too_many_powers_of_ten_are_skipped() -> None:
    """Twelve decades on three rows skip most powers."""
    assert [label for _, label in ticks.logarithmic(-6, 6, 4)] == ["1e-6", "1e-2", "1e2", "1e6"]


def test_a_log_axis_has_one_notation() -> None:
    """Powers of ten are all written out, or none."""
    assert [label for _, label in ticks.logarithmic(-3, 1, 5)] == ["0.001", "0.01", "0.1", "1", "10"]
    assert [label for _, label in ticks.logarithmic(-6, -3, 5)] == ["1e-6", "1e-5", "1e-4", "1e-3"]


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e9), st.integers(1, 20))
def test_labels_differ(low: float, share: float, parts: int) -> None:
    """Two ticks of an axis never have one label, however narrow the range."""
    high = low + max(abs(low), 1e-9) * min(share, 1e3)
    for axis in (ticks.linear, ticks.steps, ticks.epochs):
        labels = [label for _, label in axis(low, high, parts)]
        assert len(set(labels)) == len(labels)


def test_a_negative_label_keeps_its_sign() -> None:
    """-0.5 and 0.5 are two labels; -0 is 0."""
    assert [label for _, label in ticks.epochs(-1, 1, 4)] == ["-1", "-0.5", "0", "0.5", "1"]


@given(st.floats(-1e30, 1e30), st.floats(-1e30, 1e30), st.integers(0, 50))
def test_ticks_lie_inside_and_are_few(one: float, other: float, parts: int) -> None:
    """Any range has a few ticks inside it."""
    low, high = min(one, other), max(one, other)
    places = [place for place, _ in ticks.linear(low, high, parts)]
    slack = (high - low) * 1e-6 + max(abs(low), abs(high)) * 1e-9 + 1e-6
    assert len(places) <= 2 * max(parts, 1) + 3
    assert all(low - slack <= place <= high + slack for place in places)
