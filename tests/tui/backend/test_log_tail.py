"""Following what a run printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.tui.backend.log_tail import SHOWN, Printed, clean


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"\x1b[31mred\x1b[0m and \x1b]0;title\x07text", "red and text"),
        (b"10%\r 50%\r100% done\r", "100% done"),
        (b"a\tb\x00\x08", "a       b"),
        (b"caf\xe9", "caf\ufffd"),
        ("学習".encode(), "学習"),
    ],
)
def test_a_line_is_what_a_terminal_would_show_in_the_end(raw: bytes, text: str) -> None:
    """No escape codes, and of a progress bar the last state."""
    assert clean(raw) == text


def test_only_whole_and_new_lines_are_returned(tmp_path: Path) -> None:
    """Half a line waits for its end."""
    log = tmp_path / "engine.log"
    printed = Printed(log)
    assert printed.read() == []
    log.write_text("one\ntw")
    assert printed.read() == ["one"]
    assert printed.read() == []
    log.write_text("one\ntwo\n\nthree\n")
    assert printed.read() == ["two", "three"]


def test_a_flood_is_cut_to_its_end(tmp_path: Path) -> None:
    """A gigabyte of output must not stop the screen."""
    log = tmp_path / "engine.log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))
    lines = Printed(log).read()
    assert lines[-1] == "line 99999"
    assert sum(map(len, lines)) <= SHOWN
