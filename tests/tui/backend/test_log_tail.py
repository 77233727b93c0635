"""Following the printed output of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.tui.backend.log_tail import MAX_READ, LogTail, clean


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
def test_clean_returns_a_line_as_a_terminal_shows_it(raw: bytes, text: str) -> None:
    """No escape codes, and only the last state of a progress bar."""
    assert clean(raw) == text


def test_read_returns_only_new_complete_lines(tmp_path: Path) -> None:
    """An incomplete line waits for its end."""
    log = tmp_path / "engine.log"
    printed = LogTail(log)
    assert printed.read() == []
    log.write_text("one\ntw")
    assert printed.read() == ["one"]
    assert printed.read() == []
    log.write_text("one\ntwo\n\nthree\n")
    assert printed.read() == ["two", "three"]


def test_read_returns_the_end_of_a_large_output(tmp_path: Path) -> None:
    """A gigabyte of output must not freeze the screen."""
    log = tmp_path / "engine.log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))
    lines = LogTail(log).read()
    assert lines[-1] == "line 99999"
    assert sum(map(len, lines)) <= MAX_READ
