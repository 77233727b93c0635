"""Events as lines of JSON."""

from __future__ import annotations

import datetime
import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.engine.runs.events import AnyEvent, Evaluated, Steps, Warned, decode, encode

FIELDS = {
    "run_started": "run task device parameters epochs steps_per_epoch resumed_from pid host",
    "steps": "first step losses lr samples_per_second",
    "evaluated": "split metrics cause",
    "early_stopping": "monitor best best_step waited patience",
    "learning_rate": "lr cause",
    "checkpoint_saved": "path kind bytes seconds cause",
    "paused": "cause",
    "resumed": "cause",
    "command": "id command status message",
    "warning": "kind message",
    "run_finished": "cause best test message",
}


@pytest.mark.parametrize("name", FIELDS)
def test_an_event_has_the_fields_that_other_programs_read(name: str) -> None:
    """The names in events.jsonl never change."""
    kinds = {kind.__struct_config__.tag: kind for kind in AnyEvent.__args__}
    line = json.loads(encode(kinds[name](step=3)))
    assert line["event"] == name
    assert isinstance(line["at"], float)
    assert not set(FIELDS[name].split()) - set(line)


def test_a_position_that_an_event_does_not_have_is_left_out() -> None:
    """An event has `step`, `epoch` and `fold` only if it belongs to one."""
    assert not {"step", "epoch", "fold"} & set(json.loads(encode(Warned())))
    assert json.loads(encode(Warned(step=0, fold=2))).items() >= {"step": 0, "fold": 2}.items()


def test_numbers_that_are_not_finite_are_strings() -> None:
    """Every line is valid JSON, for programs that refuse NaN too."""

    def refuse(text: str) -> float:
        raise AssertionError(text)

    event = Steps(step=3, first=1, losses=[math.nan, math.inf, -math.inf])
    line = json.loads(encode(event), parse_constant=refuse)
    assert line["losses"] == ["NaN", "Infinity", "-Infinity"]
    back = decode(encode(event))
    assert isinstance(back, Steps)
    assert math.isnan(back.losses[0])
    assert back.losses[1:] == [math.inf, -math.inf]


@given(st.lists(st.floats(), max_size=20), st.dictionaries(st.text(), st.floats(), max_size=4))
def test_an_event_is_read_as_it_was_written(losses: list[float], metrics: dict[str, float]) -> None:
    """For any numbers and names, and for losses whose sum overflows."""
    for event in (Steps(losses=losses, step=1), Evaluated(metrics=metrics)):
        back = decode(encode(event))
        assert back is not None
        assert repr(msgspec.to_builtins(back)) == repr(msgspec.to_builtins(event))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[1]",
        b'{"event":"later"}',
        b'{"event":"steps","losses":"x"}',
        b"\xff\xfe",
        b'{"event":5}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_no_event_is_skipped(line: bytes) -> None:
    """A reader never stops at an unknown line."""
    assert decode(line) is None


def test_unknown_and_missing_fields_never_stop_a_reader() -> None:
    """Lines of older and newer versions are read."""
    assert decode(b'{"event":"warning","at":1,"colour":"red"}') == Warned(at=1.0)


def test_a_clock_that_is_set_does_not_move_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of an event is that of the process's start and the seconds since."""
    before = Warned().at
    monkeypatch.setattr("time.time", lambda: before - 86_400)
    assert 0 <= Warned().at - before < 60
    assert abs(before - datetime.datetime.now().timestamp()) < 60
