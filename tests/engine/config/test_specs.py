"""The parser of the texts of settings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.engine.config.specs import Every, Spec
from stoker.engine.errors import SettingError


def test_a_name_with_options() -> None:
    """Numbers, true and false, none, and text are distinguished."""
    spec = Spec.parse("Step:size=5,gamma=0.5,on=true,none=none,mode=min")
    assert spec == Spec("step", {"size": 5, "gamma": 0.5, "on": True, "none": None, "mode": "min"})
    assert Spec.parse("kfold:5") == Spec("kfold", {"": 5})


@pytest.mark.parametrize(
    ("text", "every"),
    [("5epochs", (5, "epochs")), ("1 step", (1, "steps")), ("30s", (30, "s")), ("1.5min", (90, "s"))],
)
def test_intervals(text: str, every: tuple[float, str]) -> None:
    """In epochs, steps, seconds and minutes."""
    assert Every.parse(text, what="it", time=True) == Every(*every)  # type: ignore[arg-type]


@given(st.text(max_size=20))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """With no other error than SettingError."""
    for parse in (Spec.parse, lambda text: Every.parse(text, what="it", time=True)):
        try:
            parse(text)
        except SettingError as error:
            assert str(error)
