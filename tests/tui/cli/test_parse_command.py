"""The commands of `stoker send`."""

from __future__ import annotations

import pytest

from stoker.engine.errors import RequestError
from stoker.tui.cli.attach import parse_command


@pytest.mark.parametrize("name", ["pause", "resume", "save", "evaluate", "stop"])
def test_parse_command_accepts_the_name_of_a_command(name: str) -> None:
    """Each of them but the learning rate, which needs a value."""
    assert parse_command(name).command == name


def test_parse_command_reads_a_learning_rate_and_release() -> None:
    """The learning rate is `lr=X`, and `release` belongs to pause."""
    rate = parse_command("lr=0.001")
    assert (rate.command, rate.lr) == ("set_learning_rate", 0.001)
    assert parse_command("pause", release=True).release


@pytest.mark.parametrize(
    ("text", "release", "message"),
    [
        ("halt", False, "unknown command 'halt': write pause, resume, save, evaluate, stop or lr=X"),
        ("set_learning_rate", False, "unknown command 'set_learning_rate'"),
        ("lr=fast", False, "invalid learning rate 'fast': write a number above 0, as in lr=0.001"),
        ("save", True, "--release works only with pause, not with save"),
    ],
)
def test_parse_command_refuses_an_invalid_request(text: str, release: bool, message: str) -> None:
    """The message names the value and what to write instead."""
    with pytest.raises(RequestError, match=message):
        parse_command(text, release=release)
