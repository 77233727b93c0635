"""Numbers as text for the user."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.tui import formatting as f


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f.count(1234567), "1,234,567"),
        (f.value(0.0541), "0.05410"),
        (f.value(1.0), "1.000"),
        (f.value(1234.5), "1234"),
        (f.value(1.25e-5), "1.25e-5"),
        (f.value(math.nan), "NaN"),
        (f.value(-math.inf), "-∞"),
        (f.plain(0.01), "0.01"),
        (f.plain(1e-5), "1e-5"),
        (f.plain(9e-4), "9e-4"),
        (f.plain(1.072e-4), "1.072e-4"),
        (f.plain(0.001), "0.001"),
        (f.plain(0.0), "0"),
        (f.value(5e-4), "5e-4"),
        (f.plains([0.1, 0.1, 0.01]), "0.1, 0.01"),
        (f.plains([]), "–"),
        (f.rate(0.25), "0.25"),
        (f.rate(1234), "1,234"),
        (f.rate(12_345), "12.3k"),
        (f.duration(9.4), "9s"),
        (f.duration(245), "4:05"),
        (f.duration(7384), "2:03:04"),
        (f.duration(3 * 86400 + 4 * 3600), "3d 04h"),
        (f.duration(None), "–"),
        (f.size(102_400), "102 kB"),
        (f.size(1_234_567), "1.2 MB"),
        (f.metrics({"loss": 0.5, "loss_std": 0.0123, "f1": 1}), "loss 0.5000 ± 0.012  f1 1.000"),
        (f.metrics({"loss": 0.5, "正解率": 0.25}), "loss 0.5000  正解率 0.2500"),
    ],
)
def test_formatting_examples(text: str, expected: str) -> None:
    """Short, of stable width, without needless digits."""
    assert text == expected


@given(st.floats())
def test_formatting_never_raises(number: float) -> None:
    """Real runs have NaN and infinite values."""
    for function in (f.count, f.value, f.plain, f.rate, f.duration):
        assert function(number)
